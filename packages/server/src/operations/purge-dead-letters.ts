import { purgeRecord } from '../chain/service-records/purge-record.ts';
import { ServerError } from '../errors.ts';
import type { AppendRanges } from '../ingest/append-ranges.ts';
import { type Database, writer } from '../store/database.ts';
import { readSql } from '../store/sql.ts';

const findPurgeable = readSql('find-purgeable');
const countPurgeable = readSql('count-purgeable');
const purgeSql = readSql('purge-dead-letters');

/** What purging needs. An `AuditService` has all of it. */
export interface PurgeTarget {
  readonly database: Database;
  readonly appendRanges: AppendRanges;
  readonly serviceTenant: string;
}

/** Which dead letters to purge: those that match all conditions. */
export interface PurgeRequest {
  /** Only dead letters of these tenants. All where absent, also those without a tenant. */
  readonly tenants: readonly string[] | undefined;
  readonly ids?: readonly string[] | undefined;
  readonly state?: 'open' | 'retried' | undefined;
  readonly reason?: string | undefined;
  readonly topic?: string | undefined;
  /** Only dead letters that were last delivered before this time, RFC 3339. */
  readonly before?: string | undefined;
}

/** What a purge erased, or would erase. */
export interface PurgeResult {
  /** Number of dead letters. */
  readonly letters: number;
  readonly byReason: { readonly [reason: string]: number };
}

interface Purgeable {
  readonly id: string;
  readonly tenant_id: string | null;
  readonly reason: string;
  readonly raw_sha256: string;
  /** Tenant of the chain that has its record; null for a dead letter without one. */
  readonly chain: string | null;
}

/** Dead letters of one record. The record lists each with its hash, and must stay well below the limits of an event. */
const deadLettersPerRecord = 400;

/** What {@link purgeDeadLetters} would purge. Changes nothing. */
export async function countDeadLetters(
  { database }: Pick<PurgeTarget, 'database'>,
  request: PurgeRequest,
): Promise<PurgeResult> {
  const rows = await database.query<{ reason: string; letters: number }>(
    writer,
    countPurgeable,
    conditionsOf(request),
  );
  return {
    letters: rows.reduce((sum, { letters }) => sum + Number(letters), 0),
    byReason: Object.fromEntries(rows.map(({ reason, letters }) => [reason, Number(letters)])),
  };
}

/**
 * Erases the bytes of dead letters. That the events were refused stays on record. In the transaction that erases the
 * bytes, each tenant's chain gets an `audit.dead_letters_purged` record with their hashes, so evidence of a refusal cannot
 * disappear unnoticed. The record is in the chain that has the record of the refusal.
 *
 * A crash leaves some of the dead letters purged, with their record. The same call purges the others.
 *
 * @throws {ServerError} `CHAIN_STOPPED`, `CLOCK_BEHIND_CHAIN`, `STORE_UNAVAILABLE`
 */
export async function purgeDeadLetters(
  target: PurgeTarget,
  request: PurgeRequest & { readonly by: string; readonly now: number },
): Promise<PurgeResult> {
  const byReason: Record<string, number> = {};
  let purged = 0;
  for (;;) {
    const found = await target.database.query<Purgeable>(writer, findPurgeable, [
      ...conditionsOf(request),
      deadLettersPerRecord,
    ]);
    if (found.length === 0) return { letters: purged, byReason };
    const byTenant = Map.groupBy(found, ({ chain }) => chain ?? target.serviceTenant);
    for (const [tenantId, deadLetters] of byTenant) {
      await purgeOf(target, tenantId, deadLetters, request);
    }
    purged += found.length;
    for (const { reason } of found) byReason[reason] = (byReason[reason] ?? 0) + 1;
  }
}

async function purgeOf(
  target: PurgeTarget,
  tenantId: string,
  deadLetters: readonly Purgeable[],
  request: PurgeRequest & { readonly by: string; readonly now: number },
): Promise<void> {
  const ids = deadLetters.map(({ id }) => id);
  await target.appendRanges([
    {
      items: [purgeRecord(tenantId, deadLetters, request)],
      closeBooks: async (session) => {
        const purged = await session.query(purgeSql, [ids, request.by, new Date(request.now).toISOString()]);
        if (purged.length === ids.length) return;
        throw new ServerError(
          'STORE_UNAVAILABLE',
          'another caller settled some of these dead letters just now',
        );
      },
    },
  ]);
}

function conditionsOf({ tenants, ids, state, reason, topic, before }: PurgeRequest): unknown[] {
  return [
    tenants === undefined ? null : [...tenants],
    ids === undefined ? null : [...ids],
    state ?? null,
    reason ?? null,
    topic ?? null,
    before ?? null,
  ];
}
