import { type AnyEvent, BlockSummary, fieldTerms, termBlockRecords } from '@tallystick/event';
import { searchTerms } from '@tallystick/event/search';
import pg from 'pg';
import { benchTenant } from './made-events.ts';

const indexes = [
  { table: 'audit_field_blocks', termsOf: fieldTerms },
  { table: 'audit_search_blocks', termsOf: searchTerms },
];
/** Blocks that are read and written at a time. */
const concurrent = 3;

/**
 * Writes the summaries that full blocks lack, as the followers of the indexes of terms would: also those of a store that an earlier version of
 * the benchmark has made.
 */
export async function addSummaries(ownerUrl: string): Promise<void> {
  const pool = new pg.Pool({ connectionString: ownerUrl, max: concurrent });
  const { rows: missing } = await pool.query<{ block: number }>(
    `select b.block::integer as block from audit_chain_state h
      cross join generate_series(0, (h.last_sequence + 1) / ${termBlockRecords} - 1) as b (block)
      where not exists (select from audit_search_blocks s where s.generation = 1 and s.block = b.block)`,
  );
  if (missing.length > 0) {
    for (const { table } of indexes) await pool.query(`drop index if exists ${table}_terms`);
    let at = 0;
    const worker = async () => {
      for (let next = missing[at++]; next !== undefined; next = missing[at++]) {
        await addSummary(pool, next.block);
        if (at % 100 === 0) console.log(`summaries of ${at} blocks of ${missing.length}`);
      }
    };
    await Promise.all(Array.from({ length: concurrent }, worker));
    for (const { table } of indexes) {
      await pool.query(`create index ${table}_terms on ${table} using gin (terms) with (fastupdate = off)`);
      await pool.query(`vacuum analyze ${table}`);
    }
  }
  await pool.end();
}

async function addSummary(pool: pg.Pool, block: number): Promise<void> {
  const first = block * termBlockRecords;
  const { rows } = await pool.query<{ record: string }>(
    `select record from audit_records
      where tenant_id = $1 and epoch = 1 and sequence_number between $2 and $3`,
    [benchTenant, first, first + termBlockRecords - 1],
  );
  const events = rows.map(({ record }) => (JSON.parse(record) as { event: AnyEvent }).event);
  for (const { table, termsOf } of indexes) {
    const summary = new BlockSummary({ tenantId: benchTenant, epoch: 1, block });
    for (const event of events) summary.add(event, termsOf(event));
    const { oldest, newest, terms } = summary.row();
    await pool.query(`insert into ${table} values (1, $1, 1, $2, $3, $4, $5) on conflict do nothing`, [
      benchTenant,
      block,
      oldest,
      newest,
      `{${terms.join(',')}}`,
    ]);
  }
}
