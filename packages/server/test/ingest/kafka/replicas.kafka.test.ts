import { until } from '@tallystick/testing';
import { beforeAll, expect, test } from 'vitest';
import type { KafkaIngest } from '../../../src/kafka.ts';
import { expectSoundChain } from '../../chains.ts';
import { anEvent, newTenant } from '../../events.ts';
import { openSite, type Site, sent, warmUp } from './site.ts';

beforeAll(warmUp, 120_000);

/** Produces until `stop()` is called. */
function keepProducing(site: Site, tenants: readonly string[]): { stop(): Promise<Map<string, string[]>> } {
  const acked = new Map(tenants.map((tenant) => [tenant, [] as string[]]));
  let stopped = false;
  const producing = (async () => {
    while (!stopped) {
      const events = tenants.flatMap((tenant) => [anEvent(tenant), anEvent(tenant), anEvent(tenant)]);
      await site.produce(events.map((event) => sent(event)));
      for (const { tenant_id, audit_id } of events) acked.get(tenant_id)!.push(audit_id);
    }
  })();
  return {
    stop: async () => {
      stopped = true;
      await producing;
      return acked;
    },
  };
}

/** Waits until every event is stored, and expects each once, with `inOrder` in the order of its tenant. */
async function expectAllOnce(site: Site, acked: Map<string, string[]>, inOrder = true): Promise<void> {
  const total = [...acked.values()].reduce((sum, ids) => sum + ids.length, 0);
  const count = async () => {
    const [row] = await site.query<{ count: string }>(
      `select count(*) from audit_records where sequence_number > 0`,
    );
    return Number(row!.count);
  };
  await until(async () => (await count()) >= total, {
    timeoutMs: 30_000,
    intervalMs: 50,
    what: `${total} records`,
  });
  for (const [tenant, ids] of acked) {
    const [, ...records] = await expectSoundChain(site.store.database, tenant);
    const stored = records.map(({ event }) => event.audit_id);
    if (inOrder) expect(stored).toEqual(ids);
    else expect(stored.sort()).toEqual([...ids].sort());
  }
}

const owners = (ingests: readonly KafkaIngest[]) =>
  ingests.map((ingest) => ingest.status().partitions.map(({ partition }) => partition));

test('replicas that come and go share the partitions, and every event is chained once, in order', async () => {
  await using site = await openSite({ partitions: 4 });
  const tenants = Array.from({ length: 8 }, () => newTenant());
  const service = await site.openService();
  const first = await site.ingest(service);
  await until(() => first.status().partitions.length === 4, { timeoutMs: 20_000 });
  const traffic = keepProducing(site, tenants);
  const second = await site.ingest(await site.openService());
  const shared = (ingests: KafkaIngest[], shares: number[]) =>
    until(
      () => {
        const all = owners(ingests);
        return new Set(all.flat()).size === 4 && all.every((each, index) => each.length === shares[index]);
      },
      { timeoutMs: 20_000, what: `shares of ${shares}` },
    );
  await shared([first, second], [2, 2]);
  const third = await site.ingest(service);
  await until(() => owners([first, second, third]).every((each) => each.length > 0), { timeoutMs: 20_000 });
  await first.close();
  await shared([second, third], [2, 2]);
  await second.close();
  await shared([third], [4]);
  await expectAllOnce(site, await traffic.stop());
  expect(third.status().notReadyReasons).toEqual([]);
});

test('two members that read the same partition do no harm', async () => {
  await using site = await openSite();
  const tenants = [newTenant(), newTenant()];
  // Each is alone in its own group, so both read everything, like members of which one has missed a rebalance.
  await site.ingest(await site.openService(), { groupId: `${site.groupId}-a` });
  await site.ingest(await site.openService(), { groupId: `${site.groupId}-b` });
  const traffic = keepProducing(site, tenants);
  await until(async () => (await site.query('select 1 from audit_records offset 500 limit 1')).length === 1, {
    timeoutMs: 20_000,
    intervalMs: 20,
  });
  await expectAllOnce(site, await traffic.stop());
});

test('added partitions are read from their start, and tenants that move keep chain and account', async () => {
  await using site = await openSite();
  const ingest = await site.ingest(await site.openService());
  const tenants = Array.from({ length: 6 }, () => newTenant());
  const producer_id = '019cb000-0000-7000-8000-000000000001';
  const acked = new Map(tenants.map((tenant) => [tenant, [] as string[]]));
  let number = 0;
  const produce = async (count: number, partitions: number) => {
    for (let i = 0; i < count; i++) {
      number++;
      const messages = tenants.map((tenant, index) => {
        const event = anEvent(tenant);
        acked.get(tenant)!.push(event.audit_id);
        const headers = { 'tallystick-producer-id': producer_id, 'tallystick-producer-seq': String(number) };
        return { ...sent(event, headers), partition: index % partitions };
      });
      await site.produce(messages);
    }
  };
  await produce(5, 1);
  await site.admin.createPartitions({
    topics: [{ name: site.topic, count: 3 }],
  });
  await until(() => ingest.status().partitions.length === 3, { timeoutMs: 20_000 });
  await produce(5, 3);
  // The events of a tenant that has moved may be read from both partitions at the same time, in any order.
  await expectAllOnce(site, acked, false);
  const accounts = await site.query<{ settled_to: string }>('select settled_to from audit_producers');
  expect(accounts).toEqual(tenants.map(() => ({ settled_to: String(number) })));
});

test('while the store is down, readiness shows it, the member stays in the group, and no event is lost', async () => {
  await using site = await openSite({ partitions: 2 });
  const tenants = [newTenant(), newTenant(), newTenant()];
  const ingest = await site.ingest(await site.openService());
  const traffic = keepProducing(site, tenants);
  await until(
    () =>
      // All three tenants may be in the same partition.
      ingest.status().partitions.some(({ position = 0 }) => position > 0) &&
      ingest.status().partitions.length === 2,
    { timeoutMs: 20_000 },
  );
  const { rebalances } = ingest.status();
  // The service's login can't connect, and its sessions are ended: to the service, the server is down.
  await site.query(`alter role ${site.store.serviceLogin} nologin`);
  await site.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where usename = '${site.store.serviceLogin}'`,
  );
  await until(() => ingest.status().notReadyReasons.some((each) => each.includes("can't be stored")), {
    timeoutMs: 20_000,
  });
  const acked = await traffic.stop();
  await site.query(`alter role ${site.store.serviceLogin} login`);
  await expectAllOnce(site, acked);
  await until(() => ingest.status().notReadyReasons.length === 0, { timeoutMs: 20_000 });
  expect(ingest.status().rebalances).toBe(rebalances);
});
