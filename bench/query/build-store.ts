import type { AnyEvent } from '@tallystick/event';
import type { AuditRecord } from '@tallystick/log';
import type { Postgres } from '@tallystick/testing';
import pg from 'pg';
import { fieldIndex } from '../../packages/server/src/followers/field-index/field-index.ts';
import { hourlyCounts } from '../../packages/server/src/followers/hourly-counts/hourly-counts.ts';
import { searchIndex } from '../../packages/server/src/followers/search-index/search-index.ts';
import { visit } from '../../packages/server/src/followers/visit.ts';
import { copyStatement } from '../../packages/server/src/store/copy-rows.ts';
import { writer } from '../../packages/server/src/store/database.ts';
import { migratePostgres } from '../../packages/server/src/store/migrate.ts';
import { partitionOf } from '../../packages/server/src/store/partitions.ts';
import { PostgresDatabase } from '../../packages/server/src/store/postgres.ts';
import { openStore } from '../store.ts';
import { addSummaries } from './block-summaries.ts';
import { BulkCopy } from './bulk-copy.ts';
import { batchRecords, ChainRows } from './chain-rows.ts';
import { CountRows, copyCounts, copyFields, copyTexts, termRows } from './derived-rows.ts';
import { benchTenant, madeEvent } from './made-events.ts';

/** A store that is made to be searched. */
export interface MadeStore {
  readonly rows: number;
  readonly months: number;
  /** With the login of the service. */
  readonly url: string;
  readonly ownerUrl: string;
}

/** One event in so many was sent some days after it happened, as from a laptop that was offline. */
const lateEvery = 2_000;
const lateMs = 3 * 24 * 3_600_000;
const lastSeconds = 60;

/**
 * Makes a store with one chain of so many records, spread over months up to now, and what followers derive from it. The rows are those that
 * the writer and the followers would store; they come by COPY, and the indexes are built afterwards.
 *
 * @param name of the database. A store that was made completely is used again
 */
export async function buildStore(
  postgres: Postgres,
  name: string,
  {
    rows,
    months,
    now = Date.now(),
  }: { readonly rows: number; readonly months: number; readonly now?: number },
): Promise<MadeStore> {
  const ownerUrl = withPath(postgres.adminUrl, name);
  const url = withPath(`postgres://bench:bench@127.0.0.1:${postgres.port}`, name);
  const made = { rows, months, url, ownerUrl };
  if (await isMade(postgres, name)) {
    await migratePostgres(ownerUrl, 'bench');
    await addSummaries(ownerUrl);
    await catchUp(url);
    return made;
  }
  await openStore(postgres, 'bench', name);
  const owner = new pg.Client(ownerUrl);
  await owner.connect();
  try {
    const first = new Date(now);
    const start = Date.UTC(first.getUTCFullYear(), first.getUTCMonth() - months + 1, 1);
    await makePartitions(owner, start, months);
    const indexes = await dropIndexes(owner);
    const late = await copyChain(ownerUrl, rows, start, now);
    for (const [at, statement] of indexes.entries()) {
      console.log(`${name}: index ${at + 1} of ${indexes.length}`);
      await owner.query(statement);
    }
    await addLate(url, late);
    await addSummaries(ownerUrl);
    await owner.query('vacuum (analyze) ');
    await owner.query('create table bench_made as select 1 as one');
  } finally {
    await owner.end();
  }
  return made;
}

async function isMade(postgres: Postgres, name: string): Promise<boolean> {
  const admin = new pg.Client(postgres.adminUrl);
  await admin.connect();
  const { rowCount } = await admin.query('select from pg_database where datname = $1', [name]);
  if (rowCount === 0) {
    await admin.end();
    return false;
  }
  const owner = new pg.Client(withPath(postgres.adminUrl, name));
  await owner.connect();
  const { rows } = await owner.query<{ made: boolean }>(
    "select to_regclass('bench_made') is not null as made",
  );
  await owner.end();
  // What was left half made is made anew.
  if (!rows[0]!.made) await admin.query(`drop database ${pg.escapeIdentifier(name)}`);
  await admin.end();
  return rows[0]!.made;
}

/** Past months get their partitions from the function that makes those of coming months, with another clock. */
async function makePartitions(owner: pg.Client, start: number, months: number): Promise<void> {
  const { rows } = await owner.query<{ definition: string }>(
    "select pg_get_functiondef('tally_ensure_partitions(integer)'::regprocedure) as definition",
  );
  const definition = rows[0]!.definition
    .replace('public.tally_ensure_partitions', 'pg_temp.past_partitions')
    .replace(
      'clock_timestamp()',
      () => "(current_setting('bench.month')::timestamptz + interval '1 month 1 day')",
    );
  await owner.query(definition);
  for (let month = 0; month < months; month++) {
    const date = new Date(start);
    date.setUTCMonth(date.getUTCMonth() + month);
    await owner.query("select set_config('bench.month', $1, false), pg_temp.past_partitions(0)", [
      date.toISOString(),
    ]);
  }
}

/** @returns the statements that make the indexes again */
async function dropIndexes(owner: pg.Client): Promise<string[]> {
  const { rows } = await owner.query<{
    name: string;
    definition: string;
    constraint: string | null;
    of: string;
  }>(
    `select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as definition, c.conname as constraint,
            i.indrelid::regclass::text as of, i.indrelid = 'audit_records'::regclass as is_parent
       from pg_index i
       join pg_class r on r.oid = i.indrelid
       left join pg_constraint c on c.conindid = i.indexrelid
      where r.relkind in ('r', 'p')
        and (i.indrelid in ('audit_field_terms'::regclass, 'audit_search_terms'::regclass, 'audit_hourly_counts'::regclass)
             or i.indrelid = 'audit_records'::regclass
             or i.indrelid in (select inhrelid from pg_inherits where inhparent = 'audit_records'::regclass)
                and not exists (select from pg_inherits h where h.inhrelid = i.indexrelid))
      order by i.indrelid, i.indexrelid`,
  );
  const again: string[] = [];
  for (const { name, definition, constraint, of } of rows) {
    if (constraint === null) {
      again.push(definition.replace(' ON ONLY ', ' ON '));
      await owner.query(`drop index ${name}`);
    } else {
      const columns = /\((.*)\)$/.exec(definition)![1];
      again.push(
        `alter table ${of} add constraint ${pg.escapeIdentifier(constraint)} primary key (${columns})`,
      );
      await owner.query(`alter table ${of} drop constraint ${pg.escapeIdentifier(constraint)}`);
    }
  }
  return again;
}

/** @returns events that came late: their hours are counted already */
async function copyChain(ownerUrl: string, rows: number, start: number, now: number): Promise<AnyEvent[]> {
  const [records, fields, texts, counts, tiles] = (await Promise.all(
    Array.from({ length: 5 }, () => BulkCopy.connect(ownerUrl)),
  )) as [BulkCopy, BulkCopy, BulkCopy, BulkCopy, BulkCopy];
  const chain = new ChainRows();
  const counted = new CountRows();
  const began = performance.now();
  for (let batch = 0; chain.size < rows; batch++) {
    // The first record of the chain is that of its genesis.
    const first = Math.max(1, chain.size);
    const end = Math.min(rows, (batch + 1) * batchRecords);
    const chainedAt = Math.floor(start + ((now - start) * end) / rows) - 1;
    const events = Array.from({ length: end - first }, (_, at) => {
      const place = first + at;
      const late = place % lateEvery === 0 ? lateMs : 0;
      const before = Math.floor((lastSeconds * 1_000 * (end - place)) / batchRecords);
      return madeEvent(place, rows, chainedAt - before - late);
    });
    const hadGenesis = chain.size > 0;
    const sealed = chain.seal(events, chainedAt);
    await records.write(copyStatement(partitionOf(chainedAt)), sealed.records);
    await tiles.write('copy audit_tiles from stdin', sealed.tiles);
    const all: [number, AnyEvent][] = events.map(({ event }, at) => [first + at, event as AnyEvent]);
    if (!hadGenesis)
      all.unshift([0, (JSON.parse(recordIn(sealed.records)) as AuditRecord).event as AnyEvent]);
    let [ofFields, ofTexts, ofCounts] = ['', '', ''];
    for (const [sequence, event] of all) {
      const row = termRows(sequence, event);
      ofFields += row.fields;
      ofTexts += row.texts;
      ofCounts += counted.add(event);
    }
    await fields.write(copyFields, ofFields);
    await texts.write(copyTexts, ofTexts);
    await counts.write(copyCounts, ofCounts);
    if (batch % 400 === 399) {
      const rate = Math.round((chain.size * 1_000) / (performance.now() - began));
      console.log(`made ${chain.size} of ${rows} records, ${rate} per second`);
    }
  }
  await counts.write(copyCounts, counted.finish());
  await tiles.write(
    'copy audit_chain_state (tenant_id, epoch, last_sequence, last_hash, last_ingested_at, frontier) from stdin',
    chain.headRow,
  );
  const followers = ['field-index', 'search-index', 'hourly-counts', 'open-intents'];
  await tiles.write(
    'copy audit_followers (name, effect) from stdin',
    followers.map((name) => `${name}\tdatabase\n`).join(''),
  );
  await tiles.write(
    'copy audit_follower_cursors (follower, generation, tenant_id, epoch, sequence_number, record_hash) from stdin',
    followers
      .map((name) => `${name}\t1\t${benchTenant}\t1\t${chain.size - 1}\t\\\\x${chain.lastHash}\n`)
      .join(''),
  );
  await Promise.all([records, fields, texts, counts, tiles].map((copy) => copy.close()));
  return counted.late;
}

/** The bytes of the first record of some rows for COPY. */
function recordIn(rows: string): string {
  const row = rows.slice(0, rows.indexOf('\n'));
  return row.slice(row.lastIndexOf('\t') + 1).replaceAll('\\\\', '\\');
}

/** Lets the followers of lists and counts read what an earlier run has added to the chain: the records of its own reads. */
async function catchUp(url: string): Promise<void> {
  const database = new PostgresDatabase({ url });
  const { signal } = new AbortController();
  for (const follower of [fieldIndex(), searchIndex(), hourlyCounts()]) {
    const parts = { database, follower, generation: 1, signal };
    while ((await visit(parts, benchTenant)).status === 'moved');
  }
  await database.close();
}

async function addLate(url: string, events: readonly AnyEvent[]): Promise<void> {
  const database = new PostgresDatabase({ url });
  const follower = hourlyCounts();
  for (let at = 0; at < events.length; at += 1_000) {
    const records = events.slice(at, at + 1_000).map((event) => ({ record: { event } }) as never);
    await database.transaction(writer, (session) =>
      follower.apply(session, { tenantId: benchTenant, generation: 1, records }),
    );
  }
  await database.close();
}

function withPath(url: string, name: string): string {
  const result = new URL(url);
  result.pathname = `/${name}`;
  return result.href;
}
