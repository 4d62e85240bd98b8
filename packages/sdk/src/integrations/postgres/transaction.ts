/** Whether a transaction is open on a connection. PostgreSQL has no function that says so. */
import { AuditError } from '../../errors.ts';
import { rowsOf, type SqlClient } from './sql-client.ts';

/**
 * Whether an earlier statement of this transaction has written. Then a transaction is open, which is the usual case and needs no
 * further statement. Locking a row counts as writing. PostgreSQL evaluates this once, before the statement itself writes.
 */
export const hasWritten = 'pg_current_xact_id_if_assigned() is not null';

/** PostgreSQL refuses a savepoint outside of a transaction. Otherwise the event would commit even if the business statement fails. */
export async function requireTransaction(client: SqlClient): Promise<void> {
  try {
    await rowsOf(client, 'savepoint tallystick_outbox', []);
  } catch (cause) {
    const codes = [cause, (cause as { cause?: unknown } | null)?.cause].map(
      (error) => (error as { code?: unknown } | null | undefined)?.code,
    );
    if (!codes.includes('25P01')) throw cause;
    const message =
      'nothing was written: no transaction is open on this connection. Pass the client of a transaction, and not a pool';
    throw new AuditError('NOT_IN_TRANSACTION', message, { cause });
  }
  await rowsOf(client, 'release savepoint tallystick_outbox', []);
}
