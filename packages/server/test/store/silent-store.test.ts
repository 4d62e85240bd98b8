import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { FaultProxy, type Postgres, startPostgres, until } from '@tallystick/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Writer, type WriterOptions } from '../../src/chain/writer.ts';
import { type Database, type Timeouts, writer } from '../../src/store/database.ts';
import { migratePostgres } from '../../src/store/migrate.ts';
import { PostgresDatabase } from '../../src/store/postgres.ts';
import { expectSoundChain } from '../chains.ts';
import { anItem, items, logName, newTenant, receiptOf, statuses } from '../events.ts';
import { createLogin, openPostgres, type PostgresStore } from '../stores.ts';
import { copyRows } from './run-copy.ts';

const timeouts: Partial<Timeouts> = { lockMs: 400, connectMs: 1_000, answerMs: 1_000 };
/** More than any of the time-outs above takes on a loaded machine, ms. A longer wait is a hang. */
const hangMs = 20_000;

const unavailable = { code: 'STORE_UNAVAILABLE' };

/** Expects this error within a bounded time. */
async function expectRefused(asked: Promise<unknown>, error: object = unavailable): Promise<void> {
  const started = performance.now();
  await expect(asked).rejects.toMatchObject(error);
  expect(performance.now() - started).toBeLessThan(hangMs);
}

// A network that drops packets reports no error. The service once waited without end, and held all its locks.
describe('a network that drops packets', () => {
  let store: PostgresStore;
  let proxy: FaultProxy;
  let database: PostgresDatabase;
  beforeAll(async () => {
    store = await openPostgres();
    await store.asOwner(`create table lines (n int primary key, text text);
      grant select, insert on lines to ${store.writerRole};
      create table slow_lines (text text); grant insert on slow_lines to ${store.writerRole};
      create function linger() returns trigger language plpgsql as
        $$ begin perform pg_sleep(0.1); return new; end $$;
      create trigger linger before insert on slow_lines for each row execute function linger()`);
  });
  afterAll(() => store.close());
  beforeEach(async () => {
    const server = new URL(store.serviceUrl);
    proxy = await FaultProxy.start({ target: { host: server.hostname, port: Number(server.port) } });
    database = through(proxy);
  });
  afterEach(async () => {
    await database.close();
    await proxy.close();
  });

  const through = ({ port }: FaultProxy) => {
    const url = new URL(store.serviceUrl);
    url.port = String(port);
    return new PostgresDatabase({ url: url.href, timeouts });
  };
  const answers = async () => expect(await database.query(writer, 'select 1 as one')).toEqual([{ one: 1 }]);

  test('is noticed by a new connection, and by idle ones, once for all of them', async () => {
    await Promise.all(Array.from({ length: 5 }, () => database.query(writer, 'select pg_sleep(0.05)')));
    expect(proxy.connections).toBeGreaterThanOrEqual(5);
    proxy.cut();
    await expectRefused(database.query(writer, 'select 1'));
    // The first idle connection waited for its limit. After that the other idle connections are not used either.
    await expectRefused(database.query(writer, 'select 1'));
    proxy.heal();
    await answers();
    // One connection, and the one that looks at locks.
    await until(() => proxy.connections <= 2);
  });

  test('ends a statement and its connection, not only the wait', async () => {
    const asked = database.transaction(writer, async (session) => {
      await session.query('select 1');
      proxy.cut();
      await session.query('select 1');
    });
    await expectRefused(asked);
    proxy.heal();
    await answers();
    await until(() => proxy.connections <= 2);
    const open = `select 1 from pg_stat_activity
                   where datname = current_database() and state ~ 'in transaction'`;
    await until(async () => (await store.asOwner(open)).length === 0);
  });

  test('ends a COPY, which leaves nothing behind', async () => {
    const rows = function* () {
      for (let n = 0; n < 200; n++) {
        if (n === 20) proxy.cut();
        yield `${n}\t${'x'.repeat(100_000)}\n`;
      }
    };
    await expectRefused(
      database.transaction(writer, (session) => copyRows(session, 'copy lines from stdin', rows())),
    );
    proxy.heal();
    await answers();
    expect(await store.asOwner('select count(*)::int as count from lines')).toEqual([{ count: 0 }]);
  });

  test('is not assumed when a COPY takes long but makes progress', async () => {
    const started = performance.now();
    // At most half of these bytes fit into the buffers of the kernel.
    const rows = function* () {
      for (let n = 0; n < 50; n++) yield `${'x'.repeat(1_000_000)}\n`;
    };
    const patient = store.connect({ timeouts: { answerMs: 3_500 } });
    await patient.transaction(writer, (session) => copyRows(session, 'copy slow_lines from stdin', rows()));
    expect(performance.now() - started).toBeGreaterThan(4_500);
  });

  test('does not block closing the store', async () => {
    const other = through(proxy);
    await other.query(writer, 'select 1');
    let cut = false;
    const running = other.transaction(writer, async (session) => {
      await session.query('select 1');
      proxy.cut();
      cut = true;
      await session.query('select 1');
    });
    running.catch(() => undefined);
    await until(() => cut);
    const started = performance.now();
    await other.close();
    expect(performance.now() - started).toBeLessThan(hangMs);
    await expect(running).rejects.toMatchObject(unavailable);
    proxy.heal();
    await until(() => proxy.connections === 0);
  });

  describe('around a commit', () => {
    /** Chains two events. The network is cut in this direction when only the commit is missing. */
    const cutAtCommit = async (tenant: string, direction: 'from-target' | 'to-target') => {
      await new Writer(store.database, { logName }).submit([anItem(tenant)]);
      const batch = items(2, tenant);
      const options: WriterOptions = {
        logName,
        maxRetries: 0,
        onStage: (stage) => {
          if (stage === 'committing') proxy.cut(direction);
        },
      };
      const submitted = new Writer(database, options).submit(batch);
      await expectRefused(submitted, { ...unavailable, details: { outcome: 'unknown' } });
      return batch;
    };
    const chained = async (tenant: string, expected: string, by: Database, batch = items(2, tenant)) => {
      const outcomes = await new Writer(by, { logName }).submit(batch);
      expect(statuses(outcomes)).toEqual([expected, expected]);
      expect(outcomes.map((outcome) => receiptOf(outcome).sequence_number)).toEqual([2, 3]);
      expect(await expectSoundChain(store.database, tenant)).toHaveLength(4);
    };

    test('whose answer is lost: the events are found when they are sent again', async () => {
      const tenant = newTenant();
      const batch = await cutAtCommit(tenant, 'from-target');
      proxy.heal();
      await chained(tenant, 'duplicate', database, batch);
    });

    test('that is lost: another replica chains the events, and the late commit changes nothing', async () => {
      const tenant = newTenant();
      const batch = await cutAtCommit(tenant, 'to-target');
      await chained(tenant, 'chained', store.connect({ timeouts }), batch);
      proxy.heal();
      await chained(tenant, 'duplicate', database, batch);
    });

    test('that is lost and arrives before the events are sent again: they are chained once', async () => {
      const tenant = newTenant();
      const batch = await cutAtCommit(tenant, 'to-target');
      proxy.heal();
      await until(async () => {
        const rows = await store.asOwner(
          'select 1 from audit_chain_state where tenant_id = $1 and last_sequence = 3',
          [tenant],
        );
        return rows.length === 1;
      });
      await chained(tenant, 'duplicate', database, batch);
    });
  });

  test('that resets connections ends the statement at once', async () => {
    const asked = database.transaction(writer, async (session) => {
      await session.query('select 1');
      proxy.reset();
      await session.query('select 1');
    });
    await expectRefused(asked);
    await answers();
  });
});

// The error arrived in one packet with the end of the start-up, when nothing listened to the connection, and ended the
// process.
test('a server that ends the connection together with its start-up is an unavailable store', async () => {
  const message = (type: string, ...parts: (Buffer | string)[]) => {
    const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
    const head = Buffer.from(`${type}....`);
    head.writeInt32BE(4 + body.length, 1);
    return Buffer.concat([head, body]);
  };
  const welcome = [message('R', Buffer.alloc(4)), message('K', Buffer.alloc(8, 1)), message('Z', 'I')];
  const farewell = message('E', 'SFATAL\0C57P01\0Mterminating connection\0\0');
  await using server = createServer((socket) => {
    socket.once('data', () => socket.end(Buffer.concat([...welcome, farewell])));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const database = new PostgresDatabase({ url: `postgres://nobody@127.0.0.1:${port}/none`, timeouts });
  await expectRefused(database.query(writer, 'select 1'));
  await database.close();
});

test('a transaction whose failure was ignored does not count as committed', async () => {
  const store = await openPostgres();
  const swallowed = store.database.transaction(writer, async (session) => {
    await session.query('select 1 / 0').catch(() => undefined);
  });
  await expect(swallowed).rejects.toThrow('had failed');
  await store.close();
});

describe('a server that is frozen', () => {
  let postgres: Postgres;
  let database: PostgresDatabase;
  beforeAll(async () => {
    postgres = await startPostgres({ durable: false });
    const { url } = await postgres.createDatabase();
    const { login, url: serviceUrl } = await createLogin(postgres, url);
    await migratePostgres(url, login);
    database = new PostgresDatabase({ url: serviceUrl, timeouts });
    await database.query(writer, 'select tally_ensure_partitions()');
  });
  afterAll(async () => {
    await database.close();
    await postgres.stop();
  });

  test('refuses submissions in bounded time, and accepts them when it runs again', async () => {
    const tenant = newTenant();
    await new Writer(database, { logName }).submit([anItem(tenant)]);
    await postgres.kill('SIGSTOP');
    const batch = items(3, tenant);
    const impatient = new Writer(database, { logName, maxRetries: 1 });
    await expectRefused(impatient.submit(batch));
    await postgres.kill('SIGCONT');
    const outcomes = await new Writer(database, { logName }).submit(batch);
    expect(new Set(statuses(outcomes)).size).toBe(1);
    expect(await expectSoundChain(database, tenant)).toHaveLength(5);
  });

  test('can be closed', async () => {
    const other = new PostgresDatabase({ url: postgres.adminUrl, timeouts });
    await postgres.kill('SIGSTOP');
    await expectRefused(other.query(writer, 'select 1'));
    const started = performance.now();
    await other.close();
    expect(performance.now() - started).toBeLessThan(hangMs);
    await postgres.kill('SIGCONT');
  });
});
