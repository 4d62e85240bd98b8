import type { AuditService } from '../app.ts';
import { purgeRecord } from '../chain/service-records/purge-record.ts';
import { ServerError } from '../errors.ts';
import { writer } from '../store/database.ts';
import { readSql } from '../store/sql.ts';

const findPurgeable = readSql('find-purgeable');
const countPurgeable = readSql('count-purgeable');
const purgeDeadLetters = readSql('purge-dead-letters');

/** Which letters are meant: those that fit all that is said. */
export interface PurgeRequest {
  /** Tenants whose letters may be purged; every letter, those without a tenant included, where absent. */
  readonly tenants: readonly string[] | undefined;
  readonly ids?: readonly string[] | undefined;
  readonly state?: 'open' | 'retried' | undefined;
  readonly reason?: string | undefined;
  readonly topic?: string | undefined;
  /** Last delivered before this, RFC 3339. */
  readonly before?: string | undefined;
}

/** What a purge deleted, or would delete. */
export interface PurgeResult {
  readonly letters: number;
  readonly byReason: { readonly [reason: string]: number };
}

interface Purgeable {
  readonly id: string;
  readonly tenant_id: string | null;
  readonly reason: string;
  readonly raw_sha256: string;
}

/** Letters of one record. It names each with its hash, and must stay well below the limits of an event. */
const lettersPerRecord = 400;

/** How many letters a purge would mean. */
export async function countDeadLetters(service: AuditService, request: PurgeRequest): Promise<PurgeResult> {
  const rows = await service.database.query<{ reason: string; letters: number }>(
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
 * Gives letters up: their bytes are erased, that they were refused stays. Each tenant's chain gets an
 * `audit.dead_letters_purged` with the hashes of what was erased, in the transaction that erases it: nobody makes evidence
 * of a refusal go away unseen. Letters of no tenant stand in the chain of the service's own.
 *
 * A crash leaves some of the letters purged, with their record; the same call again purges the others.
 *
 * @throws {ServerError} `CHAIN_STOPPED`, `CLOCK_BEHIND_CHAIN`, `STORE_UNAVAILABLE`
 */
export async function purgeLetters(
  service: AuditService,
  request: PurgeRequest & { readonly by: string; readonly now: number },
): Promise<PurgeResult> {
  const byReason: Record<string, number> = {};
  let letters = 0;
  for (;;) {
    const found = await service.database.query<Purgeable>(writer, findPurgeable, [
      ...conditionsOf(request),
      lettersPerRecord,
    ]);
    if (found.length === 0) return { letters, byReason };
    for (const [tenantId, of] of Map.groupBy(found, ({ tenant_id }) => tenant_id ?? service.serviceTenant)) {
      await purgeOf(service, tenantId, of, request);
    }
    letters += found.length;
    for (const { reason } of found) byReason[reason] = (byReason[reason] ?? 0) + 1;
  }
}

async function purgeOf(
  service: AuditService,
  tenantId: string,
  letters: readonly Purgeable[],
  request: PurgeRequest & { readonly by: string; readonly now: number },
): Promise<void> {
  const ids = letters.map(({ id }) => id);
  await service.appendRanges([
    {
      items: [purgeRecord(tenantId, letters, request)],
      closeBooks: async (session) => {
        const purged = await session.query(purgeDeadLetters, [ids, request.by]);
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
