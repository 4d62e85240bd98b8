import { describe, expect, test } from 'vitest';
import { Writer } from '../../src/chain/writer.ts';
import { writer } from '../../src/store/database.ts';
import { ensurePartitions, monthStart, partitionOf } from '../../src/store/partitions.ts';
import { PostgresDatabase } from '../../src/store/postgres.ts';
import { expectSoundChain } from '../chains.ts';
import { anItem, logName, newTenant } from '../events.ts';
import { onEachStore, openPostgres, type TestStore } from '../stores.ts';

const day = 86_400_000;

/** Partitions with their bounds, as the database prints them in UTC. */
async function partitionsOf(store: TestStore) {
  return await store.asOwner<{ name: string; bounds: string }>(
    `select c.relname as name, pg_get_expr(c.relpartbound, c.oid) as bounds
       from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = 'audit_records'::regclass order by 1`,
  );
}

/** Names of the months from `first` to `last`, counted from this one. */
function expected(first: number, last: number): string[] {
  const now = new Date();
  return Array.from({ length: last - first + 1 }, (_, at) =>
    partitionOf(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + first + at, 15)),
  );
}

onEachStore((store) => {
  test('exist from last month to three months ahead, without a gap', async () => {
    const partitions = await partitionsOf(store());
    expect(partitions.map(({ name }) => name)).toEqual(expected(-1, 3));
    const bounds = partitions.map(({ bounds }) => /FROM \('(.*)'\) TO \('(.*)'\)/.exec(bounds)!);
    for (const [at, [, from, to]] of bounds.entries()) {
      expect(from).toMatch(/^\d{4}-\d\d-01 00:00:00\+00$/);
      if (at > 0) expect(from).toBe(bounds[at - 1]![2]);
      expect(partitionOf(Date.parse(from!.replace(' ', 'T').replace('+00', 'Z')))).toBe(partitions[at]!.name);
      expect(Date.parse(to!.replace(' ', 'T').replace('+00', 'Z'))).toBeGreaterThan(0);
    }
  });

  test('eight callers that race create each one once', async () => {
    const call = () =>
      store().connect().query<{ made: number }>(writer, 'select tally_ensure_partitions(7) as made');
    const made = (await Promise.all(Array.from({ length: 8 }, call))).map(([row]) => row!.made);
    expect(made.sort()).toEqual([0, 0, 0, 0, 0, 0, 0, 4]);
    expect((await partitionsOf(store())).map(({ name }) => name)).toEqual(expected(-1, 7));
    expect(await ensurePartitions(store().database)).toBe(0);
  });

  test('each has the two unique indexes that keep a chain without gaps and repeats', async () => {
    const indexes = await store().asOwner<{ table: string; columns: string }>(
      `select i.indrelid::regclass::text as table,
              (select string_agg(a.attname, ',' order by k.n) from unnest(i.indkey) with ordinality as k(attnum, n)
                 join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum) as columns
         from pg_index i join pg_inherits h on h.inhrelid = i.indrelid
        where h.inhparent = 'audit_records'::regclass and i.indisunique order by 1, 2`,
    );
    const tables = (await partitionsOf(store())).map(({ name }) => name);
    expect(indexes).toEqual(
      tables.flatMap((table) => [
        { table, columns: 'tenant_id,audit_id' },
        { table, columns: 'tenant_id,epoch,sequence_number' },
      ]),
    );
  });

  test('no more than two years are created ahead, for any caller', async () => {
    for (const months of [-1, 25, 100_000]) {
      const asked = store().database.query(writer, `select tally_ensure_partitions(${months})`);
      await expect(asked).rejects.toMatchObject({ code: '22023' });
    }
  });
});

describe("the session's time zone", () => {
  // Months depended on the session's time zone: in Kiritimati a month begins 14 hours early.
  test('changes neither the bounds of a partition nor where a record goes', async () => {
    const store = await openPostgres();
    const zone = `set timezone = 'Pacific/Kiritimati'`;
    await store.asOwner(`alter role ${store.serviceLogin} ${zone}`);
    const database = new PostgresDatabase({ url: store.serviceUrl });
    await store.asOwner(`${zone}; select tally_ensure_partitions(5)`);
    await store.asOwner(`set timezone = 'UTC'`);
    const bounds = (await partitionsOf(store)).map((partition) => partition.bounds);
    for (const text of bounds) expect(text).toMatch(/FROM \('\d{4}-\d\d-01 00:00:00\+00'\)/);
    expect((await partitionsOf(store)).map(({ name }) => name)).toEqual(expected(-1, 5));
    const tenant = newTenant();
    await new Writer(database, { logName }).submit([
      anItem(tenant, { timestamp: '2026-01-31T23:59:59.999Z' }),
    ]);
    await expectSoundChain(database, tenant);
    await database.close();
    await store.close();
  });
});

test('months are those of UTC', () => {
  expect(partitionOf(Date.UTC(2026, 11, 31, 23, 59, 59, 999))).toBe('audit_records_y2026m12');
  expect(partitionOf(Date.UTC(2027, 0, 1))).toBe('audit_records_y2027m01');
  expect(monthStart(Date.UTC(2027, 1, 1) - 1)).toBe(Date.UTC(2027, 0, 1));
  expect(monthStart(Date.UTC(2027, 1, 1) + 3 * day)).toBe(Date.UTC(2027, 1, 1));
});
