import { ManualClock } from '@tallystick/testing';
import type { PostgresStore, TestStore } from './stores.ts';

/** A store with a clock that a test sets. */
export interface StoreClock {
  /** Milliseconds since the epoch. */
  set(ms: number): Promise<void>;
  advance(ms: number): Promise<void>;
  now(): number;
}

/**
 * Puts a function of the same name before the store's own `clock_timestamp()`, by search path, so that the service's
 * statements run word for word as they do in production. Call it before the store's first query: a search path of a
 * role holds from the next connection on.
 */
export async function putClock(store: TestStore): Promise<StoreClock> {
  const clock = new ManualClock(Date.now());
  await store.asOwner(`
    create schema test_clock;
    create table test_clock.reading (at timestamptz not null);
    insert into test_clock.reading values (pg_catalog.clock_timestamp());
    create function test_clock.clock_timestamp() returns timestamptz language sql volatile
      as 'select at from test_clock.reading';
    grant usage on schema test_clock to tally_writer;
    grant select on test_clock.reading to tally_writer`);
  const path = 'search_path = test_clock, pg_catalog, public';
  const setPath =
    store.kind === 'pglite'
      ? `set ${path}`
      : `alter role ${(store as PostgresStore).serviceLogin} set ${path}`;
  await store.asOwner(setPath);
  const set = async (ms: number) => {
    clock.advance(ms - clock.now());
    await store.asOwner('update test_clock.reading set at = to_timestamp($1::bigint / 1000.0)', [ms]);
  };
  return { set, advance: (ms) => set(clock.now() + ms), now: () => clock.now() };
}
