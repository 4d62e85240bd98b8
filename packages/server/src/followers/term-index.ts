import { termBlockRecords, termHashes } from '@tallystick/event';
import type { Session } from '../store/database.ts';
import type { DatabaseFollower, FollowedPage } from './follower.ts';
import { type FullBlock, type SummaryTable, TermSummaries } from './term-summaries.ts';

/** An index of terms: a table with the hashes of the terms of each record, and one with summaries of blocks of records. */
export interface TermIndex extends SummaryTable {
  /** Key of the cursors; the functions that search the tables have it too. */
  readonly name: string;
  readonly table: 'audit_field_terms' | 'audit_search_terms';
}

/** Rows that one call of `clear` deletes at most. */
const clearedRows = 10_000;

/**
 * How often the pending list of the index is moved into it at most, ms. Each scan of the index reads this list, and a search scans the index once for
 * each of up to a thousand blocks. PostgreSQL moves it at 512 kB, which a trail with few events reaches after days. Moving it with each record would
 * take half as much time again: 147 µs per record with 64 kB, 98 with 512 kB.
 */
const movedEveryMs = 10_000;

/** The clock of a follower. */
export interface TermIndexOptions {
  /** Monotonic, ms. @defaultValue `performance.now` */
  readonly now?: (() => number) | undefined;
}

/**
 * Keeps an index of terms. Reads never depend on it being current: what it has not read yet is read from the chain
 * (`trail/record-source.ts`).
 */
export function termIndexFollower(
  index: TermIndex,
  { now = () => performance.now() }: TermIndexOptions = {},
): DatabaseFollower {
  const { name, table, summaries, termsOf } = index;
  const ofBlocks = new TermSummaries(index);
  /** When the pending list was last moved into the index by this process. Owned by `apply`. */
  let movedAt = Number.NEGATIVE_INFINITY;
  return {
    name,
    effect: 'database',
    async apply(session, { tenantId, generation, records }) {
      const rows: TermRow[] = [];
      const fullBlocks: FullBlock[] = [];
      for (const { epoch, sequence, record } of records) {
        const terms = termsOf(record.event);
        const row = rowOf({ tenantId, epoch, sequence }, terms);
        if (row !== undefined) rows.push(row);
        const full = ofBlocks.collect({ generation, tenantId, epoch, sequence }, record.event, terms);
        if (full !== undefined) fullBlocks.push(full);
      }
      await storeTerms(session, table, { tenantId, generation }, rows);
      await ofBlocks.write(session, fullBlocks);
      if (now() - movedAt < movedEveryMs) return;
      movedAt = now();
      await session.query('select tally_clean_terms($1)', [table]);
      // A crash here loses the records of this page, and they are read again. The list stays moved.
    },
    async clear(session, generation, tenantId) {
      if (tenantId !== undefined) {
        for (const each of [table, summaries]) {
          const ofTenant = `delete from ${each} where generation = $1::integer and tenant_id = $2`;
          await session.query(ofTenant, [generation, tenantId]);
        }
        return false;
      }
      for (const each of [table, summaries]) {
        await session.query(
          `delete from ${each}
            where ctid = any (array(select ctid from ${each} where generation = $1::integer limit ${clearedRows}))`,
          [generation],
        );
      }
      const left = [table, summaries]
        .map((each) => `(select 1 as one from ${each} where generation = $1::integer limit 1)`)
        .join(' union all ');
      return (await session.query(left, [generation])).length > 0;
    },
  };
}

interface TermRow {
  readonly epoch: number;
  readonly sequence: number;
  /** The hashes of the terms, ascending, each once: an array of PostgreSQL. */
  readonly terms: string;
}

/** Undefined for a record without terms. */
function rowOf(
  {
    tenantId,
    epoch,
    sequence,
  }: { readonly tenantId: string; readonly epoch: number; readonly sequence: number },
  terms: readonly string[],
): TermRow | undefined {
  const scope = { tenantId, epoch, block: Math.floor(sequence / termBlockRecords) };
  const hashes = Int32Array.from(new Set(termHashes(scope, terms))).sort();
  return hashes.length === 0 ? undefined : { epoch, sequence, terms: `{${hashes.join(',')}}` };
}

async function storeTerms(
  session: Session,
  table: TermIndex['table'],
  { tenantId, generation }: Pick<FollowedPage, 'tenantId' | 'generation'>,
  stored: readonly TermRow[],
): Promise<void> {
  // Rows that exist already are those of an attempt before the cursor was moved back by hand.
  await session.query(
    `insert into ${table} (generation, tenant_id, epoch, sequence_number, terms)
     select $1::integer, $2, u.epoch, u.sequence_number, u.terms::integer[]
       from unnest($3::integer[], $4::bigint[], $5::text[]) as u(epoch, sequence_number, terms)
         on conflict (generation, tenant_id, epoch, sequence_number) do update set terms = excluded.terms`,
    [
      generation,
      tenantId,
      stored.map(({ epoch }) => epoch),
      stored.map(({ sequence }) => sequence),
      stored.map(({ terms }) => terms),
    ],
  );
}
