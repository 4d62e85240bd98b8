import {
  type AnyEvent,
  fieldTerms,
  storedTermHashes,
  type TermScope,
  termBlockRecords,
} from '@tallystick/event';
import { searchTerms, storedSearchHashes } from '@tallystick/event/search';
import { readRecord } from '@tallystick/log';
import type { FindingSink } from '../../report.ts';
import type { Query } from '../read-store.ts';
import { type Summaries, SummaryCheck } from './summary-check.ts';

/** Which part of the indexes is compared with the records. */
export interface TermIndexOptions {
  readonly tenantId: string;
  /** Epoch of the report: findings name only others. */
  readonly epoch: number;
  /** First and last sequence number of this epoch, both included. */
  readonly from: number;
  readonly to: number;
  /** Whether other epochs are compared too, and rows of places that the chain does not have. */
  readonly others: boolean;
}

/** Sequence numbers that are compared at a time. */
const pageRecords = 500;
/** Most rows of other places that are reported. */
const maxStrays = 100;

/** An index of terms beside the records: how filters, or searches, find them. */
interface TermIndex extends Summaries {
  readonly table: string;
  readonly hashesOf: (scope: TermScope, event: AnyEvent) => number[];
  /** Before what is found. */
  readonly label: string;
}

const termIndexes: readonly TermIndex[] = [
  {
    follower: 'field-index',
    table: 'audit_field_terms',
    summaries: 'audit_field_blocks',
    termsOf: fieldTerms,
    hashesOf: storedTermHashes,
    label: '',
  },
  {
    follower: 'search-index',
    table: 'audit_search_terms',
    summaries: 'audit_search_blocks',
    termsOf: searchTerms,
    hashesOf: storedSearchHashes,
    label: 'in the search index: ',
  },
];

/**
 * Compares the field index and the search index with the records: a row that was changed, removed or added hides a record from a filter or
 * a search, or makes searches slow. Only what an index says it has is compared; reads take the rest from the chain. Each page is one
 * statement, so that a service may go on to fill, rebuild or swap the index meanwhile.
 */
export async function checkTermIndexes(
  query: Query,
  options: TermIndexOptions,
  findings: FindingSink,
): Promise<void> {
  for (const index of termIndexes) await checkTermIndex(query, index, options, findings);
}

async function checkTermIndex(
  query: Query,
  index: TermIndex,
  { tenantId, epoch, from, to, others }: TermIndexOptions,
  findings: FindingSink,
): Promise<void> {
  // A store of an earlier version has no such table.
  const [table] = await query(`select to_regclass('${index.table}') is not null as present`, []);
  if (table?.present !== true) return;
  const sql = statementsOf(index);
  const report = (place: { readonly epoch: number; readonly sequence: number }, found: string) =>
    findings.add({
      code: 'INDEX_MISMATCH',
      sequence_number: place.sequence,
      ...(place.epoch !== epoch && { epoch: place.epoch }),
      found: `${index.label}${found}`,
    });
  const [summaries] = await query(`select to_regclass('${index.summaries}') is not null as present`, []);
  const ranges = [{ epoch, from, to }];
  for (const other of others ? await query(otherEpochsSql, [tenantId, epoch]) : [])
    ranges.push({ epoch: Number(other.epoch), from: 0, to: Number(other.last_sequence) });
  for (const range of ranges) {
    const ofSummaries =
      summaries?.present === true
        ? new SummaryCheck(query, index, { tenantId, epoch: range.epoch }, (block, found) =>
            report({ epoch: range.epoch, sequence: block * termBlockRecords }, found),
          )
        : undefined;
    let next = await firstFrom(query, sql.first, tenantId, range.epoch, range.from);
    while (next !== undefined && next <= range.to) {
      const last = Math.min(range.to, next + pageRecords - 1);
      for (const row of await query(sql.page, [tenantId, range.epoch, next, last])) {
        const place = { epoch: range.epoch, sequence: Number(row.sequence_number) };
        const found = difference(index, tenantId, place, row);
        if (found !== undefined) report(place, found);
        if (row.record !== null) await ofSummaries?.add(place.sequence, String(row.record));
      }
      next = await firstFrom(query, sql.first, tenantId, range.epoch, last + 1);
    }
    await ofSummaries?.finish();
  }
  if (!others) return;
  for (const row of await query(sql.strays, [tenantId])) {
    report({ epoch: Number(row.epoch), sequence: Number(row.sequence_number) }, 'a row without a record');
  }
  if (summaries?.present !== true) return;
  for (const row of await query(sql.strayBlocks, [tenantId])) {
    const place = { epoch: Number(row.epoch), sequence: Number(row.block) * termBlockRecords };
    report(place, 'a summary of records that the chain does not have');
  }
}

/** The first record or row of an epoch from here on. The end of a range may be forged: what lies between is not counted through. */
async function firstFrom(
  query: Query,
  firstSql: string,
  tenantId: string,
  epoch: number,
  from: number,
): Promise<number | undefined> {
  const [row] = await query(firstSql, [tenantId, epoch, from]);
  return row?.first == null ? undefined : Number(row.first);
}

function difference(
  { hashesOf }: TermIndex,
  tenantId: string,
  { epoch, sequence }: { readonly epoch: number; readonly sequence: number },
  { record, terms, indexed }: { readonly [column: string]: unknown },
): string | undefined {
  if (record === null) return 'a row without a record';
  if (indexed !== true && terms === null) return undefined;
  let event: { readonly [member: string]: unknown };
  try {
    event = readRecord(String(record)).event;
  } catch {
    // Bytes that are not a record are a finding of the chain's check.
    return undefined;
  }
  const scope = { tenantId, epoch, block: Math.floor(sequence / termBlockRecords) };
  const expected = hashesOf(scope, event);
  if (expected.length === 0) return terms === null ? undefined : 'a row for a record without terms';
  if (terms === null) return 'no row';
  return terms === `{${expected.join(',')}}` ? undefined : 'other terms than those of the record';
}

const otherEpochsSql = `
  select epoch::text as epoch, last_sequence::text as last_sequence
    from audit_chain_ranges where tenant_id = $1 and epoch <> $2::integer order by epoch`;

function statementsOf({ follower, table, summaries }: TermIndex) {
  // The generation that reads use, and the record that it has come to.
  const place = `
  select f.generation, c.epoch, c.sequence_number
    from audit_followers f
    join audit_follower_cursors c on c.follower = f.name and c.generation = f.generation and c.tenant_id = $1
   where f.name = '${follower}'`;

  const page = `
  with place as materialized (${place}),
  records as (
    select r.sequence_number, r.record from audit_records r
     where r.tenant_id = $1 and r.epoch = $2::integer and r.sequence_number between $3::bigint and $4::bigint
  ),
  rows as (
    select i.sequence_number, i.terms::text as terms from ${table} i
     where i.generation = (select generation from place) and i.tenant_id = $1 and i.epoch = $2::integer
       and i.sequence_number between $3::bigint and $4::bigint
  )
  select coalesce(r.sequence_number, i.sequence_number)::text as sequence_number, r.record, i.terms,
         (p.epoch, p.sequence_number) >= ($2::integer, r.sequence_number) as indexed
    from records r
    full join rows i on i.sequence_number = r.sequence_number
    left join place p on true
   order by coalesce(r.sequence_number, i.sequence_number)`;

  const first = `
  select least(
    (select min(r.sequence_number) from audit_records r
      where r.tenant_id = $1 and r.epoch = $2::integer and r.sequence_number >= $3::bigint),
    (select min(i.sequence_number) from ${table} i
      where i.generation = (select generation from (${place}) as place) and i.tenant_id = $1 and i.epoch = $2::integer
        and i.sequence_number >= $3::bigint))::text as first`;

  // The ranges are those of the same snapshot, so that a record that is chained meanwhile is no finding.
  const strays = `
  select i.epoch::text as epoch, i.sequence_number::text as sequence_number
    from ${table} i
    left join audit_chain_ranges g
      on g.tenant_id = i.tenant_id and g.epoch = i.epoch and i.sequence_number between 0 and g.last_sequence
   where i.generation = (select generation from (${place}) as place) and i.tenant_id = $1 and g.epoch is null
   order by i.epoch, i.sequence_number limit ${maxStrays}`;
  const strayBlocks = `
  select s.epoch::text as epoch, s.block::text as block
    from ${summaries} s
    left join audit_chain_ranges g
      on g.tenant_id = s.tenant_id and g.epoch = s.epoch and s.block >= 0 and (s.block + 1) * ${termBlockRecords} - 1 <= g.last_sequence
   where s.generation = (select generation from (${place}) as place) and s.tenant_id = $1 and g.epoch is null
   order by s.epoch, s.block limit ${maxStrays}`;
  return { page, first, strays, strayBlocks };
}
