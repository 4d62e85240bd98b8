import { ServerError } from '../errors.ts';
import type { Queries } from '../store/database.ts';
import { blockedAmong, subjectBlocked } from './blocked-subjects.ts';
import type { Principal } from './principal.ts';

/**
 * Checks inside a transaction that the principal's key, login or session is still valid, by the clock of the store, and that its subject
 * is not blocked. So neither a cached key nor a token that expired while the request waited, nor a session that was ended meanwhile, can
 * take part in it.
 *
 * @throws {ServerError} `UNAUTHENTICATED`
 */
export async function assertStillValid(
  session: Queries,
  { id, expiresAt, subject, session: sessionId }: Principal,
): Promise<void> {
  if (subject !== undefined && (await blockedAmong(session, [subject])).size > 0) throw subjectBlocked();
  if (expiresAt !== undefined) {
    const rows = await session.query('select 1 as one where $1::timestamptz > clock_timestamp()', [
      new Date(expiresAt).toISOString(),
    ]);
    if (rows.length === 0)
      throw new ServerError(
        'UNAUTHENTICATED',
        sessionId === undefined ? 'the login has expired' : 'the session has ended',
      );
  }
  if (sessionId !== undefined) {
    const rows = await session.query('select 1 as one from audit_console_sessions where id = $1', [
      sessionId,
    ]);
    if (rows.length === 0) throw new ServerError('UNAUTHENTICATED', 'the session has ended');
  }
  const keyId = /^key:(.+)$/.exec(id)?.[1];
  // The operator of a store in this process has no key.
  if (keyId === undefined) return;
  const rows = await session.query(
    `select 1 as one from audit_api_keys
     where id = $1 and revoked_at is null and (expires_at is null or expires_at > clock_timestamp())`,
    [keyId],
  );
  if (rows.length === 0) throw new ServerError('UNAUTHENTICATED', 'the API key was revoked or has expired');
}
