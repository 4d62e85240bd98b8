import { startPostgres, tempDir } from '@tallystick/testing';
import { verifyStore } from '@tallystick/verify';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildStore, type MadeStore } from '../bench/query/build-store.ts';
import { benchTenant } from '../bench/query/made-events.ts';
import { openStore } from '../bench/store.ts';

/**
 * `npm run bench -- query` makes its stores by COPY, because the writer would take hours for five million records. What it measures is only
 * worth something if the rows are those that the writer and the followers would have stored.
 */
/** Numbers as the service reads them. */
const types = {
  getTypeParser: (oid: number, format?: string) =>
    oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
} as pg.CustomTypesConfig;

const directory = tempDir();
let postgres: Awaited<ReturnType<typeof startPostgres>>;
let store: MadeStore;
let owner: pg.Client;
beforeAll(async () => {
  postgres = await startPostgres({ durable: false, dataDir: directory.path });
  store = await buildStore(postgres, 'made', { rows: 5_000, months: 4 });
  owner = new pg.Client(store.ownerUrl);
  await owner.connect();
}, 120_000);
afterAll(async () => {
  await owner.end();
  await postgres.stop();
  directory.remove();
});

it('has a valid chain, and the columns, tiles, indexes and counts that belong to its records', async () => {
  const report = await verifyStore(
    async (text, values) => (await owner.query({ text, values: values as unknown[], types })).rows,
    { tenantId: benchTenant, logName: 'bench.local', keys: [] },
  );
  expect(report.records).toBe(5_000);
  // Nothing signs it.
  expect(report.findings.map(({ code }) => code)).toEqual(['CHECKPOINT_UNTRUSTED']);
});

it('has indexes and counts of every record, in as many months as it was asked for, and every index of a migrated store', async () => {
  const count = async (sql: string) => Number((await owner.query<{ count: string }>(sql)).rows[0]!.count);
  expect(await count('select count(*) from audit_field_terms')).toBe(5_000);
  expect(await count('select count(*) from audit_search_terms')).toBe(5_000);
  expect(await count('select sum(records) as count from audit_hourly_counts where detailed')).toBe(5_000);
  expect(await count("select count(distinct date_trunc('month', ingested_at)) from audit_records")).toBe(4);
  const indexes = async (url: string) => {
    const client = new pg.Client(url);
    await client.connect();
    const { rows } = await client.query<{ of: string; definition: string }>(
      `select tablename as of, regexp_replace(indexdef, '^CREATE (UNIQUE )?INDEX \\S+ ', '\\1') as definition
         from pg_indexes where tablename not like 'audit\\_records\\_y20__m__' and tablename <> 'bench_made' order by 1, 2`,
    );
    await client.end();
    return rows;
  };
  const migrated = new URL(await openStore(postgres, 'bench', 'migrated'));
  const migratedUrl = Object.assign(new URL(store.ownerUrl), { pathname: migrated.pathname }).href;
  expect(await indexes(store.ownerUrl)).toEqual(await indexes(migratedUrl));
});

it('is used again', async () => {
  await owner.end();
  const again = await buildStore(postgres, 'made', { rows: 5_000, months: 4 });
  expect(again).toEqual(store);
  owner = new pg.Client(store.ownerUrl);
  await owner.connect();
});
