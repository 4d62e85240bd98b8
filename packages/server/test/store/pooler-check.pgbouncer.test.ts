import { startPgBouncer } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Writer } from '../../src/chain/writer.ts';
import { PostgresDatabase } from '../../src/store/postgres.ts';
import { checkStore } from '../../src/store/startup-checks.ts';
import { expectSoundChain } from '../chains.ts';
import { anItem, logName, newTenant, statuses } from '../events.ts';
import { openPostgres, type PostgresStore } from '../stores.ts';

// Behind PgBouncer in its transaction mode, the service started. Under load its prepared statements were missing, and it
// looked for stuck sessions by process ids that PgBouncer had invented.

let store: PostgresStore;
beforeAll(async () => {
  store = await openPostgres();
});
afterAll(() => store.close());

test.each(['transaction', 'statement'] as const)(
  'a pooler in its %s mode is refused at start, with the reason',
  async (mode) => {
    await using pooler = await startPgBouncer(store.serviceUrl, mode);
    const database = new PostgresDatabase({ url: pooler.url });
    await expect(checkStore(database)).rejects.toMatchObject({
      code: 'STORE_UNSUITABLE',
      message: expect.stringContaining('a connection pooler shares the sessions of PostgreSQL'),
    });
    await database.close();
  },
);

test('a pooler in its session mode works, and a frozen holder of a lock behind it is found and ended', async () => {
  await using pooler = await startPgBouncer(store.serviceUrl, 'session');
  const evictions: unknown[] = [];
  const open = () =>
    new PostgresDatabase({
      url: pooler.url,
      timeouts: { lockMs: 500 },
      onEviction: (eviction) => evictions.push(eviction),
    });
  const [healthy, frozen] = [open(), open()];
  await checkStore(healthy);
  const tenant = newTenant();
  await new Writer(healthy, { logName }).submit([anItem(tenant)]);
  const locked = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const stuck = frozen.transaction({ role: 'writer' }, async (session) => {
    await session.query('set local idle_in_transaction_session_timeout = 0');
    await session.query('select 1 from audit_chain_state where tenant_id = $1 for update', [tenant]);
    locked.resolve();
    await released.promise;
    await session.query('select 1');
  });
  await locked.promise;
  const ended = expect(stuck).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  expect(statuses(await new Writer(healthy, { logName }).submit([anItem(tenant)]))).toEqual(['chained']);
  released.resolve();
  await ended;
  expect(evictions).toMatchObject([{ reason: 'frozen' }]);
  await expectSoundChain(healthy, tenant);
  await Promise.all([healthy.close(), frozen.close()]);
});
