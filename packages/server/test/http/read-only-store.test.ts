import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startPostgres, tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migratePostgres } from '../../src/store/migrate.ts';
import { createLogin, openPostgres, type PostgresStore, runSql } from '../stores.ts';
import { event, Harness } from './harness.ts';

// A database was read-only for a minute. Under a steady load the service answered 500 then, and went on doing so when the
// database was writable again: its connections kept the setting that they had begun with, and the load kept them in use.

const count = (tenant: string) => `select count(*)::int from audit_records where tenant_id = '${tenant}'`;

async function expectUnavailable(http: Harness, body: object): Promise<void> {
  const { status, json, headers } = await http.call('POST', '/v1/audit/events', { key: http.admin, body });
  expect({ status, code: json.code, detail: json.detail }).toEqual({
    status: 503,
    code: 'STORE_UNAVAILABLE',
    detail: 'the store is read-only',
  });
  expect(headers.get('retry-after')).toBe('1');
}

describe('a database that its operator makes read-only', () => {
  let store: PostgresStore;
  let http: Harness;
  beforeAll(async () => {
    store = await openPostgres();
    http = await Harness.open({ store: { databaseUrl: store.serviceUrl } });
  });
  afterAll(async () => {
    await http[Symbol.asyncDispose]();
    await store.close();
  });

  test('answers 503 with Retry-After, and takes the first event after it is writable', async () => {
    const name = new URL(store.ownerUrl).pathname.slice(1);
    const stored = event({ tenant_id: 'acme' });
    await http.ingest([stored], http.admin);
    await store.asOwner(`alter database ${name} set default_transaction_read_only = on`);
    await store.asOwner(
      `select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = '${store.serviceLogin}'`,
    );
    const waiting = [1, 2, 3].map(() => event({ tenant_id: 'acme' }));
    for (const body of waiting) await expectUnavailable(http, body);
    // Reads go on.
    expect((await http.call('GET', '/v1/audit/events?tenant_id=acme', { key: http.admin })).status).toBe(200);
    expect((await http.call('GET', '/ready')).status).toBe(503);
    // Several connections are in use when the setting changes back: none of them may be used for a write again.
    await Promise.all(waiting.map((body) => expectUnavailable(http, body)));
    await store.asOwner(`alter database ${name} reset default_transaction_read_only`);
    for (const body of waiting) {
      const { status } = await http.call('POST', '/v1/audit/events', { key: http.admin, body });
      expect(status).toBe(201);
    }
    const letters = await http.call('GET', '/v1/dead-letters', { key: http.admin });
    expect(letters.json.dead_letters).toEqual([]);
    expect(await store.asOwner(`${count('acme')} and event_type <> 'audit.read'`)).toEqual([{ count: 5 }]);
  });
});

test('a failover to a standby and its promotion lose nothing', async () => {
  using dir = tempDir();
  const dataDir = join(dir.path, 'pg');
  await using postgres = await startPostgres({ dataDir, durable: false });
  const { url: ownerUrl } = await postgres.createDatabase();
  const { login, url } = await createLogin(postgres, ownerUrl);
  await migratePostgres(ownerUrl, login);
  await using http = await Harness.open({ store: { databaseUrl: url } });
  await http.ingest([event({ tenant_id: 'acme' })], http.admin);
  // The address leads to a standby: the same server, in recovery.
  await postgres.stop();
  writeFileSync(join(dataDir, 'data', 'standby.signal'), '');
  await postgres.restart();
  const waiting = event({ tenant_id: 'acme' });
  await expectUnavailable(http, waiting);
  expect((await http.call('GET', '/v1/audit/events?tenant_id=acme', { key: http.admin })).status).toBe(200);
  await runSql(postgres.adminUrl, 'select pg_promote()');
  const { status } = await http.call('POST', '/v1/audit/events', { key: http.admin, body: waiting });
  expect(status).toBe(201);
  expect(await runSql(ownerUrl, count('acme'))).toEqual([{ count: 3 }]);
  expect(await runSql(ownerUrl, 'select * from audit_dead_letters')).toEqual([]);
});
