import { until } from '@tallystick/testing';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Writer } from '../../src/chain/writer.ts';
import { type Eviction, sqlState, writer } from '../../src/store/database.ts';
import { partitionOf } from '../../src/store/partitions.ts';
import { expectSoundChain } from '../chains.ts';
import { anItem, logName, newTenant, statuses } from '../events.ts';
import { openPostgres, type PostgresStore } from '../stores.ts';

let store: PostgresStore;
beforeAll(async () => {
  store = await openPostgres();
});
afterAll(() => store.close());

/** A client that has locked a tenant's head and then froze: it has no time-out and sends nothing more. */
async function freeze(tenant: string): Promise<{ client: pg.Client; ended: Promise<unknown> }> {
  const client = new pg.Client({ connectionString: store.serviceUrl });
  const ended = new Promise((resolve) => client.once('error', resolve));
  client.on('error', () => {});
  await client.connect();
  await client.query(
    `begin; set local role ${store.writerRole}; set idle_in_transaction_session_timeout = 0`,
  );
  await client.query('select 1 from audit_chain_state where tenant_id = $1 for update', [tenant]);
  return { client, ended };
}

describe('a client that froze while it held the lock of a head', () => {
  const evictions: Eviction[] = [];
  const impatient = () =>
    store.connect({ timeouts: { lockMs: 500 }, onEviction: (eviction) => evictions.push(eviction) });
  beforeEach(() => {
    evictions.length = 0;
  });

  test('is terminated by the writer that waits for it, and the batch is stored', async () => {
    const tenant = newTenant();
    await new Writer(store.database, { logName }).submit([anItem(tenant)]);
    const { ended } = await freeze(tenant);
    const outcomes = await new Writer(impatient(), { logName }).submit([anItem(tenant)]);
    expect(statuses(outcomes)).toEqual(['chained']);
    await ended;
    // Because it made no progress within `lockMs`, not because it held the lock for too long.
    await until(() => evictions.length > 0);
    expect(evictions).toMatchObject([{ reason: 'frozen' }]);
    expect(await expectSoundChain(store.database, tenant)).toHaveLength(3);
  });

  test('also in the middle of a COPY, where no time-out of the server ends it', async () => {
    const tenant = newTenant();
    await new Writer(store.database, { logName }).submit([anItem(tenant)]);
    const { client, ended } = await freeze(tenant);
    await client.query('set statement_timeout = 300');
    await new Promise<void>((resolve) => {
      const text = `copy ${partitionOf(Date.now())} from stdin`;
      const frozen = {
        submit: (connection: { query(text: string): void }) => connection.query(text),
        handleCopyInResponse: () => resolve(),
        handleError: () => {},
      };
      client.query(frozen as unknown as pg.Submittable);
    });
    expect(statuses(await new Writer(impatient(), { logName }).submit([anItem(tenant)]))).toEqual([
      'chained',
    ]);
    await ended;
    expect(await expectSoundChain(store.database, tenant)).toHaveLength(3);
  });

  test('with several writers waiting behind each other, all of them get through', async () => {
    const tenant = newTenant();
    await new Writer(store.database, { logName }).submit([anItem(tenant)]);
    await freeze(tenant);
    const writers = Array.from({ length: 4 }, () => new Writer(impatient(), { logName, maxRetries: 10 }));
    const outcomes = await Promise.all(writers.map((one) => one.submit([anItem(tenant)])));
    expect(statuses(outcomes.flat())).toEqual(new Array(4).fill('chained'));
    expect(await expectSoundChain(store.database, tenant)).toHaveLength(6);
  });

  test('holds up only its own tenant', async () => {
    const [frozen, other] = [newTenant(), newTenant()];
    await new Writer(store.database, { logName }).submit([anItem(frozen), anItem(other)]);
    const { client } = await freeze(frozen);
    const database = store.connect({ timeouts: { lockMs: 60_000 } });
    expect(statuses(await new Writer(database, { logName }).submit([anItem(other)]))).toEqual(['chained']);
    await client.end();
  });
});

test('a holder that is only slow is not terminated', async () => {
  const tenant = newTenant();
  await new Writer(store.database, { logName }).submit([anItem(tenant)]);
  const { client } = await freeze(tenant);
  let ended = false;
  client.once('error', () => {
    ended = true;
  });
  const waiting = new Writer(store.connect(), { logName }).submit([anItem(tenant)]);
  await until(async () => {
    const rows = await store.asOwner('select 1 from pg_locks where not granted');
    return rows.length > 0;
  });
  await client.query('commit');
  expect(statuses(await waiting)).toEqual(['chained']);
  expect(ended).toBe(false);
  await client.end();
});

describe('errors of the connection are not errors of the statement', () => {
  test('a session that is ended between two statements', async () => {
    const dying = store.database.transaction(writer, async (session) => {
      const [row] = await session.query<{ pid: number }>('select pg_backend_pid() as pid');
      await store.asOwner(`select pg_terminate_backend(${row!.pid}, 5000)`);
      await session.query('select 1');
    });
    await expect(dying).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(await store.database.query(writer, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  // The server had ended the session, and the writer took the error for a fault of the batch.
  test('a session that sat idle in its transaction for too long', async () => {
    const database = store.connect({ timeouts: { idleInTransactionMs: 30 } });
    const idle = database.transaction(writer, async (session) => {
      const [row] = await session.query<{ pid: number }>('select pg_backend_pid() as pid');
      await until(async () => {
        const rows = await store.asOwner(`select 1 from pg_stat_activity where pid = ${row!.pid}`);
        return rows.length === 0;
      });
      await session.query('select 1');
    });
    await expect(idle).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  // EPIPE has five capitals, like a SQLSTATE. So a write on a closed connection was once treated as a fault of the batch.
  test('an error code of the operating system is not a SQLSTATE', () => {
    for (const code of ['EPIPE', 'ECONNRESET', undefined, 23505]) expect(sqlState({ code })).toBeUndefined();
    for (const code of ['23505', '57P01', 'XX000', 'P0001']) expect(sqlState({ code })).toBe(code);
  });

  test('a broken pipe makes the store unavailable', async () => {
    const broken = store.database.transaction(writer, async () => {
      throw Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' });
    });
    await expect(broken).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });
});

test('a bigint beyond 2^53 is an error, not a rounded number', async () => {
  const asked = store.database.query(writer, 'select 9007199254740993::bigint as n');
  await expect(asked).rejects.toThrow(/2\^53/);
  expect(await store.database.query(writer, 'select 9007199254740991::bigint as n')).toEqual([
    { n: Number.MAX_SAFE_INTEGER },
  ]);
});
