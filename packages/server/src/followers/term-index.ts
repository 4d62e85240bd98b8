import { type AnyEvent, type TermScope, termBlockRecords } from '@tallystick/event';
import type { Session } from '../store/database.ts';
import type { DatabaseFollower, FollowedPage } from './follower.ts';

/** An index of terms: a table with the hashes of the terms of each record. */
export interface TermIndex {
  /** Key of the cursors; the functions that search the table have it too. */
  readonly name: string;
  readonly table: 'audit_field_terms' | 'audit_search_terms';
  /** The hashes of an event's terms, ascending, each once. */
  readonly hashesOf: (scope: TermScope, event: AnyEvent) => number[];
}

/** Rows that one call of `clear` deletes at most. */
const clearedRows = 10_000;

/**
 * Keeps an index of terms. Reads never depend on it being current: what it has not read yet is read from the chain
 * (`trail/record-source.ts`).
 */
export function termIndexFollower(index: TermIndex): DatabaseFollower {
  const { name, table } = index;
  return {
    name,
    effect: 'database',
    apply: (session, page) => storeTerms(session, index, page),
    async clear(session, generation, tenantId) {
      if (tenantId !== undefined) {
        const ofTenant = `delete from ${table} where generation = $1::integer and tenant_id = $2`;
        await session.query(ofTenant, [generation, tenantId]);
        return false;
      }
      await session.query(
        `delete from ${table}
          where ctid = any (array(select ctid from ${table} where generation = $1::integer limit ${clearedRows}))`,
        [generation],
      );
      const left = `select 1 as one from ${table} where generation = $1::integer limit 1`;
      return (await session.query(left, [generation])).length > 0;
    },
  };
}

async function storeTerms(
  session: Session,
  { table, hashesOf }: TermIndex,
  { tenantId, generation, records }: FollowedPage,
): Promise<void> {
  const rows = records.map(({ epoch, sequence, record }) => {
    const scope = { tenantId, epoch, block: Math.floor(sequence / termBlockRecords) };
    return { epoch, sequence, terms: hashesOf(scope, record.event) };
  });
  const stored = rows.filter(({ terms }) => terms.length > 0);
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
      stored.map(({ terms }) => `{${terms.join(',')}}`),
    ],
  );
}
