import { ManualClock } from '@tallystick/testing';
import type { Database } from '../src/store/database.ts';
import type { TestStore } from './stores.ts';

/** A store with a clock that a test sets. */
export interface StoreClock {
  /** Milliseconds since the epoch. */
  set(ms: number): Promise<void>;
  advance(ms: number): Promise<void>;
  now(): number;
}

/**
 * Puts a function of the same name before the store's own `clock_timestamp()`, by search path, so that the service's
 * statements run word for word as they do in production. The service sets the search path of its connections itself, so
 * transactions of databases that `store.connect` opens from now on begin with this one.
 */
export async function putClock(store: TestStore): Promise<StoreClock> {
  const clock = new ManualClock(Date.now());
  await store.asOwner(`
    create schema test_clock;
    create table test_clock.reading (at timestamptz not null);
    insert into test_clock.reading values (pg_catalog.clock_timestamp());
    create function test_clock.clock_timestamp() returns timestamptz language sql volatile
      as 'select at from test_clock.reading';
    grant usage on schema test_clock to ${store.writerRole};
    grant select on test_clock.reading to ${store.writerRole}`);
  if (store.kind === 'pglite') await store.asOwner(`set ${path}`);
  else {
    const connect = store.connect.bind(store);
    Object.assign(store, {
      connect: (...options: Parameters<typeof connect>) => withPath(connect(...options)),
    });
  }
  const set = async (ms: number) => {
    clock.advance(ms - clock.now());
    await store.asOwner('update test_clock.reading set at = to_timestamp($1::bigint / 1000.0)', [ms]);
  };
  return { set, advance: (ms) => set(clock.now() + ms), now: () => clock.now() };
}

const path = 'search_path = test_clock, pg_catalog, public';

function withPath(database: Database): Database {
  const transaction: Database['transaction'] = (access, work) =>
    database.transaction(access, async (session) => {
      await session.query(`set local ${path}`);
      return await work(session);
    });
  return {
    kind: database.kind,
    transaction,
    read: (access, ...statements) => transaction(access, (session) => session.pipeline(...statements)),
    query: (access, sql, parameters) => transaction(access, (session) => session.query(sql, parameters)),
    close: () => database.close(),
  };
}
