import { type AnyEvent, storedTermHashes, termBlockRecords } from '@tallystick/event';
import { indexedColumns } from '@tallystick/log';
import { copyStatement, renderRow } from '../../src/store/copy-rows.ts';
import { monthStart, partitionOf } from '../../src/store/partitions.ts';
import type { PgliteDatabase } from '../../src/store/pglite/pglite.ts';

/** When the record at a position was chained: one a second since the month began. */
export function chainedAt(at: number): string {
  return new Date(monthStart(Date.now()) + at * 1_000).toISOString();
}

/**
 * Fills the chain of a tenant and its field index by COPY: thousands of records in a second. The records hold these events and lack what a
 * verification looks at. The planner knows the tables afterwards.
 */
export async function makeTrail(
  database: PgliteDatabase,
  tenantId: string,
  events: readonly AnyEvent[],
): Promise<void> {
  const hash = '00'.repeat(32);
  const records = events.map((event, at) =>
    renderRow({
      tenantId,
      epoch: 1,
      sequenceNumber: at,
      ingestedAt: chainedAt(at),
      columns: indexedColumns(event),
      previousHash: hash,
      sealed: { text: JSON.stringify({ event }), hash: new Uint8Array(32), hashHex: hash },
    }),
  );
  const terms = events.map((event, at) => {
    const scope = { tenantId, epoch: 1, block: Math.floor(at / termBlockRecords) };
    return `1\t${tenantId}\t1\t${at}\t{${storedTermHashes(scope, event).join(',')}}\n`;
  });
  await database.asOwner(async (session) => {
    const copy = async (into: string, rows: readonly string[]) => {
      const target = session.beginCopy(into);
      for (let at = 0; at < rows.length; at += 1_000) await target.write(rows.slice(at, at + 1_000).join(''));
      await target.finish();
    };
    await copy(copyStatement(partitionOf(Date.now())), records);
    await session.query('drop index audit_field_terms_terms');
    await copy('copy audit_field_terms from stdin', terms);
    await session.query('create index audit_field_terms_terms on audit_field_terms using gin (terms)');
    await session.query(
      `insert into audit_chain_state (tenant_id, epoch, last_sequence, last_hash, last_ingested_at, frontier)
       values ($1, 1, $2::bigint, decode($3, 'hex'), $4::timestamptz, '')`,
      [tenantId, events.length - 1, hash, chainedAt(events.length - 1)],
    );
    await session.query(
      `insert into audit_followers (name, effect) values ('field-index', 'database') on conflict do nothing`,
    );
    await session.query(
      `insert into audit_follower_cursors (follower, generation, tenant_id, epoch, sequence_number, record_hash)
       values ('field-index', 1, $1, 1, $2::bigint, decode($3, 'hex'))`,
      [tenantId, events.length - 1, hash],
    );
    await session.query('analyze');
  });
}
