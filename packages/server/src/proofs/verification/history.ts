import type { Verification } from '@tallystick/protocol';
import * as z from 'zod';
import { type Database, writer } from '../../store/database.ts';
import { readSql } from '../../store/sql.ts';
import { decodeCursor, encodeCursor } from '../../trail/cursor.ts';

const listVerifications = readSql('list-verifications');

/** Id of the last verification on the page before. */
const place = z.tuple([z.int().min(1)]);

/** Which verifications to list. */
export interface VerificationQuery {
  readonly tenantId: string;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/**
 * A page of the verifications of a tenant's chain, the newest first. The list is for operators and no evidence: an attacker who can write to
 * the database can also write here.
 *
 * @throws {ServerError} `PARAMETER_INVALID` for a cursor of another request
 */
export async function verificationPage(
  database: Database,
  { tenantId, limit, cursor }: VerificationQuery,
): Promise<{ readonly verifications: readonly Verification[]; readonly nextCursor: string | undefined }> {
  const list = ['verifications', tenantId];
  const [before] = cursor === undefined ? [null] : decodeCursor(cursor, list, place);
  const rows = await database.query<Omit<Verification, 'checked_at'> & { readonly checked_at: Date }>(
    writer,
    listVerifications,
    [tenantId, before, limit + 1],
  );
  const verifications = rows
    .slice(0, limit)
    .map((row) => ({ ...row, checked_at: row.checked_at.toISOString() }));
  const last = verifications.at(-1);
  return {
    verifications,
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor(list, [last.id]) : undefined,
  };
}
