import {
  type AnyEvent,
  BlockSummary,
  fieldTerms,
  storedTermHashes,
  termBlockRecords,
} from '@tallystick/event';
import { searchTerms, storedSearchHashes } from '@tallystick/event/search';
import { indexedColumns } from '@tallystick/log';
import { copyStatement, renderRow } from '../../src/store/copy-rows.ts';
import type { Session } from '../../src/store/database.ts';
import { monthStart, partitionOf } from '../../src/store/partitions.ts';

/** When the record at a position was chained: one a second since the month began. */
export function chainedAt(at: number): string {
  return new Date(monthStart(Date.now()) + at * 1_000).toISOString();
}

/**
 * Fills the chain of a tenant, its field index and its search index, with their summaries, by COPY: thousands of records in a second. The
 * records hold these events and lack what a verification looks at. The planner knows the tables afterwards.
 *
 * @param asOwner runs work in a transaction with the rights of the owner of the tables
 */
export async function makeTrail(
  asOwner: (work: (session: Session) => Promise<void>) => Promise<void>,
  tenantId: string,
  count: number,
  eventAt: (at: number) => AnyEvent,
): Promise<void> {
  const hash = '00'.repeat(32);
  const recordAt = (at: number) => {
    const event = eventAt(at);
    return renderRow({
      tenantId,
      epoch: 1,
      sequenceNumber: at,
      ingestedAt: chainedAt(at),
      columns: indexedColumns(event),
      previousHash: hash,
      sealed: { text: JSON.stringify({ event }), hash: new Uint8Array(32), hashHex: hash },
    });
  };
  const rowsOf = (hashesOf: typeof storedTermHashes) => (at: number) => {
    const scope = { tenantId, epoch: 1, block: Math.floor(at / termBlockRecords) };
    return `1\t${tenantId}\t1\t${at}\t{${hashesOf(scope, eventAt(at)).join(',')}}\n`;
  };
  const summariesOf = (termsOf: typeof fieldTerms) => (block: number) => {
    const summary = new BlockSummary({ tenantId, epoch: 1, block });
    for (let at = block * termBlockRecords; at < (block + 1) * termBlockRecords; at++) {
      const event = eventAt(at);
      summary.add(event, termsOf(event));
    }
    const { oldest, newest, terms } = summary.row();
    return `1\t${tenantId}\t1\t${block}\t${oldest}\t${newest}\t{${terms.join(',')}}\n`;
  };
  const indexes = [
    {
      name: 'field-index',
      table: 'audit_field_terms',
      rowAt: rowsOf(storedTermHashes),
      summaries: 'audit_field_blocks',
      summaryAt: summariesOf(fieldTerms),
    },
    {
      name: 'search-index',
      table: 'audit_search_terms',
      rowAt: rowsOf(storedSearchHashes),
      summaries: 'audit_search_blocks',
      summaryAt: summariesOf(searchTerms),
    },
  ];
  await asOwner(async (session) => {
    const copy = async (into: string, rowAt: (at: number) => string, rowCount = count) => {
      const target = session.beginCopy(into);
      for (let at = 0; at < rowCount; at += 1_000) {
        const rows = Array.from({ length: Math.min(1_000, rowCount - at) }, (_, nth) => rowAt(at + nth));
        await target.write(rows.join(''));
      }
      await target.finish();
    };
    await copy(copyStatement(partitionOf(Date.now())), recordAt);
    for (const { table, rowAt, summaries, summaryAt } of indexes) {
      await session.query(`drop index ${table}_terms`);
      await copy(`copy ${table} from stdin`, rowAt);
      await session.query(`create index ${table}_terms on ${table} using gin (terms)`);
      await copy(`copy ${summaries} from stdin`, summaryAt, Math.floor(count / termBlockRecords));
    }
    await session.query(
      `insert into audit_chain_state (tenant_id, epoch, last_sequence, last_hash, last_ingested_at, frontier)
       values ($1, 1, $2::bigint, decode($3, 'hex'), $4::timestamptz, '')`,
      [tenantId, count - 1, hash, chainedAt(count - 1)],
    );
    for (const { name } of indexes) {
      await session.query(
        `insert into audit_followers (name, effect) values ($1, 'database') on conflict do nothing`,
        [name],
      );
      await session.query(
        `insert into audit_follower_cursors (follower, generation, tenant_id, epoch, sequence_number, record_hash)
         values ($4, 1, $1, 1, $2::bigint, decode($3, 'hex'))`,
        [tenantId, count - 1, hash, name],
      );
    }
    await session.query('analyze');
  });
}
