import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sharedPostgres } from '@tallystick/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Writer } from '../../src/chain/writer.ts';
import { anItem, logName, newTenant } from '../events.ts';
import { createLogin, openPostgres, type PostgresStore, runSql } from '../stores.ts';

const guide = readFileSync(join(import.meta.dirname, '../../../../docs/reports.md'), 'utf8');
const refused = { code: '42501' };
const [mine, theirs] = [newTenant('mine'), newTenant('theirs')];
const view = 'audit_report_events';

let store: PostgresStore;
let report: { readonly login: string; readonly url: string };
let others: { readonly login: string; readonly url: string };
/** One connection of the login, as a tool keeps it. */
let session: pg.Client;
const notices: string[] = [];

beforeAll(async () => {
  store = await openPostgres();
  const today = new Date().toISOString();
  await new Writer(store.database, { logName }).submit([
    ...['ann', 'ann', 'bob'].map((actor_id) =>
      anItem(mine, {
        timestamp: today,
        event_type: 'auth.login',
        actor_id,
        outcome: { outcome_status: 'failure', error_code: 'BAD_PASSWORD' },
      }),
    ),
    anItem(mine, {
      timestamp: today,
      event_type: 'content.update',
      event_category: 'data',
      target_type: 'page',
      target_id: 'p-1',
      outcome: { outcome_status: 'success' },
    }),
    anItem(mine, { timestamp: today, actor_type: 'agent', actor_id: 'bot', context: { llm_cost_usd: 0.25 } }),
    anItem(mine, {
      timestamp: today,
      is_sensitive: true,
      actor_id: 'secret-actor',
      event_type: 'auth.login',
    }),
    anItem(theirs, { timestamp: today, actor_id: 'their-actor' }),
  ]);
  const shared = await sharedPostgres();
  report = await createLogin(shared, store.ownerUrl);
  others = await createLogin(shared, store.ownerUrl);
  await add(report.login, mine);
  await add(others.login, theirs);
  session = new pg.Client({ connectionString: report.url });
  session.on('notice', ({ message }) => notices.push(message ?? ''));
  await session.connect();
});
afterAll(async () => {
  await session?.end();
  await store?.close();
});

const add = (login: string, tenant: string) =>
  store.asOwner('select tally_add_report_login($1, $2)', [login, tenant]);
const actorsSeen = async (url: string) =>
  (
    await runSql<{ actor_id: string }>(
      url,
      `select distinct actor_id from ${view} where not is_bookkeeping order by 1`,
    )
  ).map(({ actor_id }) => actor_id);

describe('a login for reports', () => {
  test('sees the events of its tenant that are not sensitive, and a login of another tenant sees its own', async () => {
    const seen = await actorsSeen(report.url);
    expect(seen).toEqual(expect.arrayContaining(['alice', 'ann', 'bob', 'bot']));
    expect(seen).not.toContain('secret-actor');
    expect(seen).not.toContain('their-actor');
    const theirActors = await actorsSeen(others.url);
    expect(theirActors).toContain('their-actor');
    expect(theirActors).not.toContain('ann');
    const [sensitive] = await runSql(
      report.url,
      `select count(*)::int as count from ${view} where event_type = 'auth.login'`,
    );
    expect(sensitive).toEqual({ count: 3 });
  });

  test('stays at its tenant, whatever it sets', async () => {
    for (const setting of [
      `set tallystick.tenants = '${theirs}'`,
      'set row_security = off',
      `set application_name = '${others.login}'`,
      'set search_path = pg_temp, public',
      'set role none',
    ]) {
      await session.query(setting);
      const { rows } = await session.query(`select distinct tenant_id from public.${view}`);
      expect(rows, setting).toEqual([{ tenant_id: mine }]);
    }
    await session.query('reset all');
    for (const sql of [`set role ${others.login}`, `set session authorization ${others.login}`])
      await expect(session.query(sql), sql).rejects.toMatchObject(refused);
  });

  // A function of the login that is evaluated before the conditions of the view would see every tenant.
  test('sees no row of another tenant through a function or an error of its own', async () => {
    // A plan that reads all rows, so that the order of the conditions decides what the function sees.
    await session.query(
      'set default_transaction_read_only = off; set enable_indexscan = off; set enable_bitmapscan = off',
    );
    await session.query(`create function pg_temp.leak(text, text) returns boolean cost 0.0000001 language plpgsql
      as $$ begin raise notice '% %', $1, $2; return true; end $$`);
    await session.query(`select * from ${view} where pg_temp.leak(tenant_id, actor_id)`);
    expect(notices.some((text) => text.includes('ann'))).toBe(true);
    expect(notices.filter((text) => text.includes(theirs) || text.includes('secret-actor'))).toEqual([]);
    // Divides by zero at the actors of the other tenant and of the sensitive event.
    const probe =
      "1 / (length(actor_id) - length('their-actor')) / (length(actor_id) - length('secret-actor'))";
    await session.query(`select * from ${view} where ${probe} > -5`);
    await session.query('reset all');
  });

  test('reads no table, no other view and no partition, and calls nothing with the rights of the owner', async () => {
    const relations = await store.asOwner<{ name: string }>(
      `select oid::regclass::text as name from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'S') and relname <> '${view}'
          and relname not in ('tally_migrations', 'tally_roles')`,
    );
    expect(relations.length).toBeGreaterThan(30);
    for (const { name } of relations)
      await expect(session.query(`select * from ${name} limit 1`), name).rejects.toMatchObject(refused);
    const functions = await session.query<{ name: string }>(
      `select oid::regprocedure::text as name from pg_proc
        where pronamespace = 'public'::regnamespace and prosecdef and prorettype <> 'trigger'::regtype
          and has_function_privilege(oid, 'execute')`,
    );
    expect(functions.rows).toEqual([]);
    await expect(
      session.query(`select tally_add_report_login('${report.login}', '${theirs}')`),
    ).rejects.toMatchObject(refused);
  });

  test('writes nothing, also after it has left the read-only mode', async () => {
    expect((await session.query('show transaction_read_only')).rows).toEqual([
      { transaction_read_only: 'on' },
    ]);
    await session.query('set default_transaction_read_only = off');
    for (const sql of [
      `insert into ${view} (tenant_id) values ('x')`,
      `update ${view} set actor_id = 'x'`,
      `delete from ${view}`,
      `insert into audit_report_logins values ('${report.login}', '${theirs}')`,
      `update audit_report_logins set tenant_id = '${theirs}'`,
      'truncate audit_records',
      'create table mine (n int)',
      `create or replace view ${view} as select 1`,
    ])
      await expect(session.query(sql), sql).rejects.toSatisfy(({ code }: { code: string }) =>
        // 55000: a view with a join can't be written by anyone.
        ['42501', '55000', '42P16'].includes(code),
      );
    await session.query('reset all');
  });

  test('has a time-out for statements, which cancels one that takes longer', async () => {
    const { rows } = await session.query('show statement_timeout');
    expect(rows).toEqual([{ statement_timeout: '1min' }]);
    await session.query("set statement_timeout = '50ms'");
    await expect(session.query('select pg_sleep(30)')).rejects.toMatchObject({ code: '57014' });
    await session.query('reset all');
  });

  test('is found by the index of its tenant, and reads no record of another one', async () => {
    const { rows } = await session.query(
      `explain (format json) select * from ${view} where "timestamp" >= now() - interval '1 day'`,
    );
    expect(JSON.stringify(rows)).toMatch(/"Index Cond":"[^"]*tenant_id = /);
  });

  test('ends at once when it is removed', async () => {
    const shared = await sharedPostgres();
    const short = await createLogin(shared, store.ownerUrl);
    await add(short.login, mine);
    expect(await actorsSeen(short.url)).toContain('ann');
    await store.asOwner('select tally_remove_report_login($1)', [short.login]);
    await expect(actorsSeen(short.url)).rejects.toMatchObject(refused);
    await store.asOwner(`drop role ${short.login}`);
    await expect(store.asOwner('select tally_remove_report_login($1)', [short.login])).rejects.toMatchObject({
      code: '42704',
    });
  });
});

describe('tally_add_report_login refuses', () => {
  test('the logins of the owner and of the service, and members of powerful roles', async () => {
    const shared = await sharedPostgres();
    const [{ owner }] = (await store.asOwner<{ owner: string }>('select current_user as owner')) as [
      { owner: string },
    ];
    const member = await createLogin(shared, store.ownerUrl);
    await runSql(shared.adminUrl, `grant pg_read_all_data to ${member.login}`);
    const creator = await createLogin(shared, store.ownerUrl, 'createrole');
    for (const login of [owner, store.serviceLogin, member.login, creator.login])
      await expect(add(login, mine), login).rejects.toMatchObject({ code: '0P000' });
  });

  test('a login that does not exist, a tenant that can not exist, and a second tenant', async () => {
    await expect(add('nobody_at_all', mine)).rejects.toMatchObject({ code: '42704' });
    await expect(add(report.login, "x' or true --")).rejects.toMatchObject({ code: '22023' });
    await expect(add(report.login, theirs)).rejects.toMatchObject({ code: '42710' });
    await add(report.login, mine);
    expect(await actorsSeen(report.url)).toContain('ann');
  });
});

describe('docs/reports.md', () => {
  test('lists the columns of the view with their types, in order', async () => {
    const columns = await store.asOwner<{ row: string }>(
      `select format('| \`%s\` | %s |', attname, case atttypid when 'timestamptz'::regtype then 'timestamptz' else format_type(atttypid, null) end) as row
         from pg_attribute where attrelid = '${view}'::regclass and attnum > 0 order by attnum`,
    );
    const written = guide.split('\n').filter((line) => /^\| `\w+` \| \w+ \| /.test(line));
    expect(written.map((line) => `${line.split('|').slice(0, 3).join('|')}|`)).toEqual(
      columns.map(({ row }) => row),
    );
  });

  test('has questions that the login can ask, with answers', async () => {
    const questions = [...guide.split('## Questions')[1]!.matchAll(/```sql\n([^`]+)```/g)].map(
      ([, sql]) => sql!,
    );
    expect(questions).toHaveLength(4);
    const answers: object[][] = [];
    for (const sql of questions) answers.push((await session.query(sql)).rows as object[]);
    expect(answers[0]).toMatchObject([
      { actor_id: 'ann', failures: '2' },
      { actor_id: 'bob', failures: '1' },
    ]);
    expect(answers[1]).toMatchObject([{ actor_id: 'alice', target_type: 'page', target_id: 'p-1' }]);
    expect(answers[2]).toEqual([{ actor_id: 'bot', calls: '1', cost_usd: '0.25' }]);
    expect(answers[3]!.length).toBeGreaterThan(0);
  });

  test('sets a login up and ends it with the commands that it shows', async () => {
    const commands = [...guide.split('## What the login can do')[0]!.matchAll(/```sql\n([^`]+)```/g)].map(
      ([, sql]) => sql!,
    );
    const name = `report_${Math.random().toString(36).slice(2, 10)}`;
    const asWritten = (sql: string) => sql.replaceAll('report_acme', name).replaceAll("'acme'", `'${mine}'`);
    await store.asOwner(asWritten(commands[0]!));
    const url = new URL(store.ownerUrl);
    url.username = name;
    url.password = encodeURIComponent('…');
    expect(await actorsSeen(url.href)).toContain('ann');
    await store.asOwner(asWritten(commands[1]!));
    await expect(actorsSeen(url.href)).rejects.toThrow();
  });
});
