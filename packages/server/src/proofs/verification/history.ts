import type { Verification, VerifyReport } from '@tallystick/protocol';
import * as z from 'zod';
import { type Database, writer } from '../../store/database.ts';
import { readSql } from '../../store/sql.ts';
import { timeText } from '../../store/time-text.ts';
import { decodeCursor, encodeCursor } from '../../trail/cursor.ts';

const keepVerification = readSql('keep-verification');
const pruneVerifications = readSql('prune-verifications');
const listVerifications = readSql('list-verifications');

/** Checks of a tenant that are kept: the newest. A check each hour, in one part, stays for a year. */
export const keptChecks = 10_000;

/** Older checks of a tenant that found something and are kept, the newest: a caller that checks again and again does not remove them soon. */
export const keptFindings = 1_000;

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
  const rows = await database.query<VerificationRow>(writer, listVerifications, [
    tenantId,
    before,
    limit + 1,
  ]);
  const verifications = rows.slice(0, limit).flatMap((row) => toVerification(row) ?? []);
  const last = rows[limit - 1];
  return {
    verifications,
    nextCursor: rows.length > limit ? encodeCursor(list, [last!.id]) : undefined,
  };
}

/**
 * Keeps the result of a check, and deletes the oldest ones of the tenant: a caller that may only check a chain can't fill the disk. A crash
 * between the two leaves some rows more, which the next check deletes.
 *
 * @param by who asked for the check
 * @param reachesEnd whether it has reached the end of the chain
 */
export async function keepReport(
  database: Database,
  report: VerifyReport,
  { by, reachesEnd }: { readonly by: string | undefined; readonly reachesEnd: boolean },
): Promise<void> {
  await database.query(writer, keepVerification, [
    report.tenant_id,
    report.verdict,
    report.covered_to,
    JSON.stringify(report),
    by ?? null,
    report.epoch,
    report.first,
    reachesEnd,
  ]);
  await database.query(writer, pruneVerifications, [report.tenant_id, keptChecks, keptFindings]);
}

interface VerificationRow {
  readonly id: number;
  readonly run_id: number;
  readonly tenant_id: string;
  readonly checked_at: Date;
  readonly checked_by: string | null;
  readonly whole: boolean;
  /** These and all others may have been edited in the database. */
  readonly [member: string]: unknown;
}

const count = z.int().min(0);
const verdict = z.enum(['verified', 'recovered', 'broken', 'not_verifiable']);
const ofReport = z.object({
  verdict,
  epoch: count,
  first: count.nullable(),
  last: count.nullable(),
  records: count,
  unsigned_tail: count,
  findings: count,
  first_finding: z
    .object({
      code: z.string(),
      sequence_number: z.int().nullable(),
      epoch: count.optional(),
      expected: z.string().optional(),
      found: z.string().optional(),
    })
    .nullable(),
});

/** Undefined for a row whose report is none: somebody has edited it. */
function toVerification(row: VerificationRow): Verification | undefined {
  const { data } = ofReport.safeParse(row);
  if (data === undefined) return undefined;
  const { id, run_id, tenant_id, checked_at, checked_by, whole } = row;
  return { id, run_id, tenant_id, checked_at: timeText(checked_at), checked_by, ...data, whole };
}
