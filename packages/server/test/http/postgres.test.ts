import { readFilters } from '@tallystick/event';
import { sharedPostgres } from '@tallystick/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Session, Statement } from '../../src/store/database.ts';
import { migratePostgres } from '../../src/store/migrate.ts';
import { partitionOf } from '../../src/store/partitions.ts';
import { anyTime, ChainMonths } from '../../src/trail/chain-months.ts';
import { columnPage } from '../../src/trail/column-page.ts';
import { listRows } from '../../src/trail/list-rows.ts';
import { orderedColumns } from '../../src/trail/ordered-columns.ts';
import { event, Harness } from './harness.ts';

let http: Harness;
let owner: pg.Client;
beforeAll(async () => {
  const shared = await sharedPostgres();
  const database = await shared.createDatabase();
  owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  const login = `login_${database.name}`;
  await owner.query(`create role ${login} login password 'service'`);
  await migratePostgres(database.url, login);
  const url = new URL(database.url);
  url.username = login;
  url.password = 'service';
  http = await Harness.open({ store: { databaseUrl: url.href }, auditReads: true });
});
afterAll(async () => {
  await http[Symbol.asyncDispose]();
  await owner.end();
});

describe('on PostgreSQL, as a login that owns nothing', () => {
  it('serves every kind of read beside concurrent writers', async () => {
    const key = await http.key(['acme']);
    const other = await http.key(['globex']);
    await Promise.all(
      Array.from({ length: 20 }, async (_, at) => {
        const [tenant_id, own] = at % 2 === 0 ? ['acme', key] : ['globex', other];
        await http.ingest(
          Array.from({ length: 20 }, () => event({ tenant_id })),
          own,
        );
        expect((await http.get('/v1/audit/events', own)).status).toBe(200);
      }),
    );
    for (const [tenant, own] of [
      ['acme', key],
      ['globex', other],
    ] as const) {
      expect((await http.get('/v1/audit/verify?fresh=true', own)).json).toMatchObject({
        verdict: 'verified',
      });
      const { events } = (await http.get('/v1/audit/events?event_type=content.*&limit=1000', own)).json;
      expect(events).toHaveLength(200);
      expect(new Set(events.map((one: { tenant_id: string }) => one.tenant_id))).toEqual(new Set([tenant]));
      const [{ audit_id }] = events;
      expect((await http.get(`/v1/logs/${tenant}/receipt/${audit_id}`, own)).status).toBe(200);
      const bundle = await http.get(`/v1/logs/${tenant}/bundle?first=3&last=9`, own);
      expect(bundle.text.match(/^\{"proof"/gm)).toHaveLength(7);
    }
    expect((await http.get('/ready')).json.status).toBe('ready');
    expect((await http.get('/v1/tenants')).json.tenants).toMatchObject([
      { tenant_id: 'acme' },
      { tenant_id: 'globex' },
      { tenant_id: 'tallystick' },
    ]);
    expect((await http.get('/metrics')).text).toContain('tallystick_logs_unsigned');
    const refused = await http.call('POST', '/v1/audit/events', { key, body: '{"tenant_id":"acme"}' });
    expect((await http.get(`/v1/dead-letters/${refused.json.dead_letter_id}`, key)).status).toBe(200);
  });

  it('keeps readers in their tenant by row-level security, whatever a statement forgets', async () => {
    const { database } = http.service;
    const count = async (tenants: string[]) => {
      const [row] = await database.query<{ count: number }>(
        { role: 'reader', tenants },
        'select count(distinct tenant_id) as count from audit_records',
        [],
      );
      return row!.count;
    };
    expect(await count([])).toBe(0);
    expect(await count(['acme'])).toBe(1);
    expect(await count(['acme', 'globex'])).toBe(2);
    const asReader = (sql: string) => database.query({ role: 'reader', tenants: ['acme'] }, sql, []);
    await expect(asReader("insert into audit_checkpoints values ('acme', 1, 1, '', '')")).rejects.toThrow(
      /permission/,
    );
    await expect(asReader('select * from audit_dead_letters')).rejects.toThrow(/permission/);
  });

  // The headers of list-events.sql and column-page.sql promise an index; a plan with values must be able to use it.
  it.each(['epoch', ...orderedColumns] as const)('finds with the index of %s', async (column) => {
    await fill();
    let rows: { 'QUERY PLAN': string }[] = [];
    const access = { role: 'reader', tenants: ['big'] } as const;
    const { database } = http.service;
    const explained = (statement: Statement) =>
      statement.text.includes('set_config')
        ? statement
        : { text: `explain (costs off) ${statement.text}`, values: statement.values ?? [] };
    const explaining = {
      async query<R>(text: string, values: unknown[]): Promise<R[]> {
        rows = await database.query(access, explained({ text, values }).text, values);
        return [];
      },
      async pipeline(...statements: Statement[]): Promise<object[][]> {
        const answers = await database.transaction(access, (session) =>
          session.pipeline(...statements.map(explained)),
        );
        rows = answers[statements.findIndex(({ text }) => !text.includes('set_config'))] as typeof rows;
        return statements.map(() => []);
      },
    } as unknown as Session;
    const filters = { severity: 'critical', not: { actor_type: 'user' } } as const;
    const view = { sensitive: true };
    const request = { epoch: 1, from: 15_000, to: 15_511, order: 'desc', limit: 51 } as const;
    if (column === 'epoch') {
      const conditions = readFilters(filters);
      const range = { ...request, chained: anyTime, view, conditions, looksAtContent: true };
      await listRows(explaining, 'big', range);
    } else {
      const range = { low: request.from, high: request.to };
      const page = { ...request, filters, view, months: new ChainMonths(1, []), leaveOutReads: false };
      const place = { column, value: 'x', most: 2_000, wanted: 51 };
      // The answer is a plan, and no page.
      await columnPage(explaining, 'big', page, range, place).catch(() => {});
    }
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    // The other months are empty, and read as a whole.
    const month = partitionOf(Date.now());
    expect(plan).toMatch(new RegExp(`(?:using|on) ${month}_tenant_id_${column}`));
    expect(plan).not.toContain(`Seq Scan on ${month}`);
  });
});

let filled: Promise<void> | undefined;

/** Enough rows with enough different values, so that the planner chooses as in production. */
function fill(): Promise<void> {
  filled ??= (async () => {
    await owner.query(`
      insert into audit_records
      select 'big', 1, n, gen_random_uuid(), clock_timestamp(), clock_timestamp() - n * interval '1 minute',
             't.' || n % 500, null, null, 'user', 'actor' || n % 500, 'file', 'target' || n % 500,
             'investigation' || n % 500, null, 'correlation' || n % 500, null, null, 'bulk', false,
             sha256(n::text::bytea), sha256(n::text::bytea), '{}'
        from generate_series(0, 20000) as n`);
    await owner.query('analyze audit_records');
  })();
  return filled;
}
