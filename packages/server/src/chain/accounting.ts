import { createHash } from 'node:crypto';
import { uuidv7Time, uuidv8FromDigest } from '@tallystick/event';
import type { Session } from '../store/database.ts';
import type { Batch, EventItem, ProducerStatement } from './batch.ts';
import { serviceEvent } from './conflict.ts';
import { mergeRanges, type Range } from './ranges.ts';

/**
 * Accounting of producers' numbers. Each ends as chained, duplicate, dead-lettered or declared lost; what is none of
 * these is open, and reported until it turns up. The numbers are for accounting only, never for order.
 */

/** The records of declared losses, one for each gap; their ids are derived, so that a retry adds nothing. */
export function gapRecords(statements: readonly ProducerStatement[]): EventItem[] {
  return statements.flatMap(({ submitter, producerId, service, gaps }) =>
    gaps.map(({ tenantId, from, to, reason }) => {
      const identity = `tallystick/gap/v1\0${submitter}\0${producerId}\0${tenantId}\0${from}\0${to}`;
      return serviceEvent({
        audit_id: uuidv8FromDigest(createHash('sha256').update(identity).digest()),
        tenant_id: tenantId,
        // When the producer began: the same whenever it is declared again, so that the event's bytes are the same too.
        // When the loss was learnt is the record's own ingested_at.
        timestamp: new Date(uuidv7Time(producerId) ?? 0).toISOString(),
        event_type: 'delivery.gap',
        severity: 'warning',
        target_type: 'producer',
        target_id: producerId,
        metadata: {
          producer_id: producerId,
          submitter,
          from,
          to,
          events: to - from + 1,
          reason,
          ...(service !== undefined && { service }),
        },
      });
    }),
  );
}

interface Account {
  readonly submitter: string;
  readonly producerId: string;
  readonly tenantId: string;
  service: string | undefined;
  finalSeq: number | undefined;
  settled: Range[];
}

/** Enters what a batch settles into the producers' accounts. Part of the batch's transaction. */
export async function settleProducers(session: Session, batch: Batch): Promise<void> {
  const accounts = collect(batch);
  if (accounts.length === 0) return;
  const keys = JSON.stringify(
    accounts.map(({ submitter, producerId, tenantId }) => ({
      submitter,
      producer_id: producerId,
      tenant_id: tenantId,
    })),
  );
  await session.query(
    `insert into audit_producers (submitter, producer_id, tenant_id)
     select k.submitter, k.producer_id, k.tenant_id
       from jsonb_to_recordset($1::jsonb) as k(submitter text, producer_id uuid, tenant_id text)
      order by 1, 2, 3 on conflict do nothing`,
    [keys],
  );
  const books = await session.query<{ key: string; settled_to: number; ranges: string }>(
    `select p.submitter || chr(10) || p.producer_id || chr(10) || p.tenant_id as key, p.settled_to,
            coalesce((select json_agg(json_build_array(r.first_seq, r.last_seq) order by r.first_seq)
                        from audit_producer_ranges r
                       where (r.submitter, r.producer_id, r.tenant_id) = (p.submitter, p.producer_id, p.tenant_id)),
                     '[]')::text as ranges
       from audit_producers p
       join jsonb_to_recordset($1::jsonb) as k(submitter text, producer_id uuid, tenant_id text)
         on (p.submitter, p.producer_id, p.tenant_id) = (k.submitter, k.producer_id, k.tenant_id)
      order by p.submitter, p.producer_id, p.tenant_id
        for update of p`,
    [keys],
  );
  const known = new Map(books.map((book) => [book.key, book]));
  const updates = accounts.map((account) => {
    const book = known.get(keyOf(account))!;
    const before = JSON.parse(book.ranges) as Range[];
    const settledBefore: Range[] = book.settled_to > 0 ? [[1, book.settled_to]] : [];
    const all = mergeRanges([...settledBefore, ...before, ...account.settled]);
    const contiguous = all[0]?.[0] === 1 ? all.shift()! : undefined;
    return {
      submitter: account.submitter,
      producer_id: account.producerId,
      tenant_id: account.tenantId,
      service: account.service,
      settled_to: contiguous?.[1] ?? 0,
      highest_seen: all.at(-1)?.[1] ?? contiguous?.[1] ?? 0,
      final_seq: account.finalSeq ?? null,
      ranges: all,
    };
  });
  await session.query(
    `update audit_producers p
        set settled_to = u.settled_to, highest_seen = greatest(p.highest_seen, u.highest_seen),
            final_seq = coalesce(u.final_seq, p.final_seq), service = coalesce(p.service, u.service),
            last_seen_at = clock_timestamp()
       from jsonb_to_recordset($1::jsonb)
         as u(submitter text, producer_id uuid, tenant_id text, service text, settled_to bigint, highest_seen bigint,
              final_seq bigint)
      where (p.submitter, p.producer_id, p.tenant_id) = (u.submitter, u.producer_id, u.tenant_id)`,
    [JSON.stringify(updates)],
  );
  // Ranges are rare: numbers come in order, but for what another replica or partition still holds.
  if (!updates.some(({ ranges }) => ranges.length > 0) && books.every((book) => book.ranges === '[]')) return;
  await session.query(
    `delete from audit_producer_ranges r
      using jsonb_to_recordset($1::jsonb) as u(submitter text, producer_id uuid, tenant_id text)
      where (r.submitter, r.producer_id, r.tenant_id) = (u.submitter, u.producer_id, u.tenant_id)`,
    [keys],
  );
  await session.query(
    `insert into audit_producer_ranges (submitter, producer_id, tenant_id, first_seq, last_seq)
     select u.submitter, u.producer_id, u.tenant_id, (range ->> 0)::bigint, (range ->> 1)::bigint
       from jsonb_to_recordset($1::jsonb) as u(submitter text, producer_id uuid, tenant_id text, ranges jsonb),
            jsonb_array_elements(u.ranges) as range`,
    [JSON.stringify(updates)],
  );
}

/** One account for each (submitter, producer, tenant) of the batch, in that order. */
function collect(batch: Batch): Account[] {
  const accounts = new Map<string, Account>();
  const open = (submitter: string, producerId: string, tenantId: string): Account => {
    const fresh: Account = {
      submitter,
      producerId,
      tenantId,
      service: undefined,
      finalSeq: undefined,
      settled: [],
    };
    const key = keyOf(fresh);
    const account = accounts.get(key) ?? fresh;
    accounts.set(key, account);
    return account;
  };
  for (const item of batch.items) {
    const tenantId = 'deadLetter' in item ? item.deadLetter.tenantId : item.event.tenant_id;
    const { ingest } = item;
    if (ingest?.producer_id === undefined || ingest.producer_seq === undefined || tenantId === undefined)
      continue;
    const sequence = ingest.producer_seq;
    open(submitterOf(ingest), ingest.producer_id, tenantId).settled.push([sequence, sequence]);
  }
  for (const { submitter, producerId, service, gaps, final } of batch.statements ?? []) {
    for (const { tenantId, from, to } of gaps) open(submitter, producerId, tenantId).settled.push([from, to]);
    for (const { tenantId, finalSeq } of final) open(submitter, producerId, tenantId).finalSeq = finalSeq;
    for (const account of accounts.values()) {
      if (account.submitter === submitter && account.producerId === producerId) account.service ??= service;
    }
  }
  return [...accounts.values()];
}

/** Who vouches for a producer's numbers: the authenticated key, or the source where nobody was authenticated. */
export function submitterOf(ingest: { readonly principal?: string; readonly source: string }): string {
  return ingest.principal ?? ingest.source;
}

function keyOf(account: { submitter: string; producerId: string; tenantId: string }): string {
  return `${account.submitter}\n${account.producerId}\n${account.tenantId}`;
}
