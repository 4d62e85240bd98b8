import { until } from '@tallystick/testing';
import { beforeAll, expect, test } from 'vitest';
import { appendBatch } from '../../src/chain/append-batch.ts';
import { ServerError } from '../../src/errors.ts';
import type { Follower } from '../../src/followers/follower.ts';
import { RecordRefused } from '../../src/followers/follower.ts';
import type { FollowersOptions } from '../../src/followers/followers.ts';
import { FollowerOperations } from '../../src/followers/operate.ts';
import { recordsOf } from '../chains.ts';
import { items, logName, newTenant } from '../events.ts';
import { onEachStore } from '../stores.ts';
import { manualFollowers, rounds } from './manual-rounds.ts';
import { delivering, effectsOf, effectsSql, noting } from './recording-follower.ts';

let names = 0;
const newName = () => `noting-${++names}`;

onEachStore((store) => {
  const { run: runOn, errors } = manualFollowers({ mayReport: true });
  beforeAll(() => store().asOwner(`${effectsSql.split(';')[0]}`));
  beforeAll(() => store().asOwner(`grant select, insert, delete on test_effects to ${store().writerRole}`));

  const run = (
    followers: readonly Follower[],
    options: FollowersOptions = {},
    database = store().connect(),
  ) => runOn(database, followers, options);
  const append = (tenantId: string, count: number) =>
    appendBatch(store().database, { items: items(count, tenantId) }, { logName });
  const sees =
    (name: string, tenantId: string, count: number, generation = 1) =>
    async () =>
      (await effectsOf(store().database, name, tenantId, generation)).length >= count;
  /** A follower that has read a tenant with this many events after the genesis record. */
  const following = async (events: number) => {
    const [name, tenant] = [newName(), newTenant()];
    const operations = new FollowerOperations(store().database, [noting(name)]);
    const running = run([noting(name)]);
    await append(tenant, events);
    await rounds(running, sees(name, tenant, events + 1));
    return { name, tenant, operations, running };
  };
  const expectEverything = async (name: string, tenantId: string, generation = 1) => {
    const noted = await effectsOf(store().database, name, tenantId, generation);
    const stored = await recordsOf(store().database, tenantId);
    expect(noted.map(({ epoch, sequence_number, hash }) => [epoch, sequence_number, hash])).toEqual(
      stored.map((row) => [row.epoch, row.sequence_number, row.record_hash]),
    );
  };

  test('applies every record of every tenant once, in chain order, also those from before it ran', async () => {
    const [name, a, b] = [newName(), newTenant(), newTenant()];
    await append(a, 20);
    const running = run([noting(name)]);
    await rounds(running, sees(name, a, 21));
    await append(a, 3);
    await append(b, 1);
    running.wake([a, b]);
    await rounds(running, sees(name, b, 2));
    await rounds(running, sees(name, a, 24));
    await expectEverything(name, a);
    await expectEverything(name, b);
    expect(errors).toEqual([]);
  });

  test('finds records of which no wake told it', async () => {
    const [name, tenant] = [newName(), newTenant()];
    const running = run([noting(name)]);
    await running.round();
    await append(tenant, 2);
    await rounds(running, sees(name, tenant, 3));
    await expectEverything(name, tenant);
  });

  test('two replicas share the tenants, and apply each record once', async () => {
    const name = newName();
    const tenants = Array.from({ length: 12 }, () => newTenant());
    const replicas = [run([noting(name)]), run([noting(name)])];
    for (let round = 0; round < 3; round++) {
      for (const tenant of tenants) await append(tenant, 5);
      for (const replica of replicas) replica.wake(tenants);
    }
    for (const tenant of tenants) await rounds(replicas, sees(name, tenant, 16));
    for (const tenant of tenants) await expectEverything(name, tenant);
  });

  test('an owner that another one has overtaken changes nothing', async () => {
    const [name, tenant] = [newName(), newTenant()];
    await append(tenant, 5);
    const fast = run([noting(name)]);
    const { promise: thawed, resolve: thaw } = Promise.withResolvers<void>();
    let frozen = false;
    const { visit } = await import('../../src/followers/visit.ts');
    const parts = { follower: noting(name), generation: 1, signal: new AbortController().signal };
    const slow = visit(
      {
        ...parts,
        database: store().connect(),
        onStage: async (stage) => {
          if (stage !== 'read') return;
          frozen = true;
          await thawed;
        },
      },
      tenant,
    );
    await until(() => frozen, { timeoutMs: 10_000 });
    await rounds(fast, sees(name, tenant, 6));
    thaw();
    expect(await slow).toEqual({ status: 'overtaken' });
    await expectEverything(name, tenant);
  });

  test.each([
    ['database', 'one tenant at a time soon after a commit', 600_000, 1],
    ['database', 'several at a time later', 0, 3],
    ['outside', 'several at a time always: a slow receiver holds up no other tenant', 600_000, 3],
  ] as const)(
    'with an effect in or outside of the database (%s), visits %s',
    async (effect, _, busyMs, most) => {
      const name = newName();
      const tenants = Array.from({ length: 6 }, () => newTenant());
      let holds = false;
      let visits = 0;
      let peak = 0;
      const held: (() => void)[] = [];
      const onStage = async (_follower: string, stage: string) => {
        if (!holds || stage !== 'read') return;
        peak = Math.max(peak, ++visits);
        await new Promise<void>((resolve) => held.push(resolve));
        visits--;
      };
      const follower = effect === 'database' ? noting(name) : delivering(name, []);
      const running = run([follower], { concurrency: 3, busyMs, onStage });
      const operations = new FollowerOperations(store().database, [follower]);
      await rounds(running, async () => (await operations.list())[0]?.records === 0);
      holds = true;
      for (const tenant of tenants) await append(tenant, 1);
      running.wake(tenants);
      for (const _tenant of tenants) {
        await until(() => held.length > 0 && peak === most);
        held.shift()!();
      }
      await until(() => visits === 0);
      expect(peak).toBe(most);
    },
  );

  test('one poison record stops the follower for its tenant only, with its position', async () => {
    const [name, bad, good] = [newName(), newTenant('bad'), newTenant('good')];
    await append(bad, 10);
    await append(good, 10);
    const refusing = noting(name, ({ tenantId, records }) => {
      if (tenantId === bad && records.some(({ sequence }) => sequence === 4)) throw new RecordRefused('no');
    });
    const other = newName();
    const running = run([refusing, noting(other)]);
    const operations = new FollowerOperations(store().database, [refusing]);
    await rounds(running, async () => (await operations.stopped(name, 10)).length > 0);
    expect(await operations.stopped(name, 10)).toMatchObject([
      { tenant_id: bad, code: 'RECORD_REFUSED', epoch: 1, sequence_number: 3 },
    ]);
    expect(await effectsOf(store().database, name, bad)).toHaveLength(4);
    await rounds(running, sees(name, good, 11));
    await rounds(running, sees(other, bad, 11));
    await expectEverything(name, good);
    await expectEverything(other, bad);
    // It gives up its leases: another replica need not wait until they expire.
    await running.close();
    await operations.resume(name, bad);
    await rounds(run([noting(name)]), sees(name, bad, 11));
    await expectEverything(name, bad);
  });

  test('a failure of the store is no reason to stop', async () => {
    const [name, tenant] = [newName(), newTenant()];
    await append(tenant, 5);
    let failures = 6;
    const running = run([
      noting(name, ({ tenantId }) => {
        if (tenantId === tenant && failures-- > 0) throw new ServerError('STORE_UNAVAILABLE', 'away');
      }),
    ]);
    await rounds(running, sees(name, tenant, 6));
    await expectEverything(name, tenant);
  });

  test('delivers outside at least once, with the same keys again', async () => {
    const [name, tenant] = [newName(), newTenant()];
    await append(tenant, 20);
    const delivered: string[] = [];
    let failed = false;
    const running = run([
      delivering(name, delivered, async ({ tenantId, records }) => {
        if (tenantId !== tenant || failed || records[0]!.sequence < 7) return;
        failed = true;
        delivered.push(`${tenantId}/${records[0]!.epoch}/${records[0]!.sequence}/${records[0]!.hash}`);
        throw new Error('the receiver took a part');
      }),
    ]);
    const own = () => delivered.filter((key) => key.startsWith(`${tenant}/`));
    await rounds(running, async () => new Set(own()).size === 21);
    const stored = await recordsOf(store().database, tenant);
    expect([...new Set(own())]).toEqual(
      stored.map((row) => `${tenant}/${row.epoch}/${row.sequence_number}/${row.record_hash}`),
    );
    expect(own()).toHaveLength(22);
  });

  test('a pause holds it, and a resume lets it go on where it was', async () => {
    const { name, tenant, operations, running } = await following(3);
    await operations.pause(name, 'operator');
    await running.round();
    await append(tenant, 3);
    running.wake([tenant]);
    running.mergeSoon();
    await running.round();
    expect(await operations.get(name)).toMatchObject({ paused_by: 'operator' });
    expect((await operations.get(name)).records).toBeGreaterThanOrEqual(3);
    expect(await effectsOf(store().database, name, tenant)).toHaveLength(4);
    await operations.resume(name);
    await rounds(running, sees(name, tenant, 7));
    await expectEverything(name, tenant);
    expect((await operations.get(name)).paused_at).toBeNull();
  });

  test('a reset fills new rows beside the old ones and swaps them', async () => {
    const { name, tenant, operations, running } = await following(9);
    await operations.reset(name);
    expect(await operations.get(name)).toMatchObject({ generation: 1, building: 2 });
    await append(tenant, 2);
    await rounds(running, async () => (await operations.get(name)).generation === 2);
    await append(tenant, 2);
    await rounds(running, sees(name, tenant, 14, 2));
    await expectEverything(name, tenant, 2);
    // The rows of the old generation are deleted.
    await rounds(running, async () => (await effectsOf(store().database, name, tenant, 1)).length === 0);
    expect(await operations.get(name)).toMatchObject({ generation: 2, building: null });
  });

  test('a reset of one tenant reads only this chain again', async () => {
    const { name, tenant, operations, running } = await following(5);
    const other = newTenant();
    await append(other, 5);
    await rounds(running, sees(name, other, 6));
    await operations.reset(name, tenant);
    expect(await effectsOf(store().database, name, tenant)).toHaveLength(0);
    await rounds(running, sees(name, tenant, 6));
    await expectEverything(name, tenant);
    await expectEverything(name, other);
  });

  test('stops for a tenant whose chain has not the record of the cursor any more, and starts again after a reset', async () => {
    const { name, tenant, operations, running } = await following(5);
    const other = newTenant();
    await append(other, 5);
    // As after a restore of the chain alone: at the same position is another record.
    await store().asOwner(
      `update audit_follower_cursors set record_hash = sha256('another record') where follower = $1 and tenant_id = $2`,
      [name, tenant],
    );
    await append(tenant, 1);
    await append(other, 1);
    await rounds(running, async () => (await operations.stopped(name, 10)).length > 0);
    expect(await operations.stopped(name, 10)).toMatchObject([
      { tenant_id: tenant, code: 'CURSOR_NOT_IN_CHAIN', epoch: 1, sequence_number: 5 },
    ]);
    await rounds(running, sees(name, other, 7));
    await operations.reset(name, tenant);
    await rounds(running, sees(name, tenant, 7));
    await expectEverything(name, tenant);
  });

  test('stops for a tenant whose chain ends before the cursor', async () => {
    const { name, tenant, operations, running } = await following(5);
    await store().asOwner(
      'update audit_follower_cursors set sequence_number = 9 where follower = $1 and tenant_id = $2',
      [name, tenant],
    );
    await rounds(running, async () => (await operations.stopped(name, 10)).length > 0);
    expect((await operations.stopped(name, 10))[0]).toMatchObject({ code: 'CURSOR_NOT_IN_CHAIN' });
  });

  test('tells how far it is behind', async () => {
    const [name, tenant] = [newName(), newTenant()];
    await append(tenant, 5);
    const info = await new FollowerOperations(store().database, [noting(name)]).get(name);
    expect(info.records).toBeGreaterThanOrEqual(6);
    expect(info.tenants).toBeGreaterThanOrEqual(1);
    expect(info.seconds).toBeGreaterThan(0);
    const running = run([noting(name)]);
    await rounds(running, sees(name, tenant, 6));
    await rounds(running, async () => running.health()[0]?.records === 0);
    expect(running.health()).toMatchObject([{ name, records: 0, seconds: 0, stopped: 0, paused: false }]);
  });
});
