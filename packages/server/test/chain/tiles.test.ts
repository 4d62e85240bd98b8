import { proveConsistency, verifyConsistency } from '@tallystick/log';
import { expect, test } from 'vitest';
import { Writer } from '../../src/chain/writer.ts';
import { nodeReader, readTree, rootOf } from '../../src/proofs/tree-reader.ts';
import { writer as asWriter } from '../../src/store/database.ts';
import { expectProvable, expectSoundChain } from '../chains.ts';
import { items, logName, newTenant } from '../events.ts';
import { onEachStore } from '../stores.ts';

onEachStore((store) => {
  const append = async (tenant: string, counts: readonly number[]) => {
    const writer = new Writer(store().database, { logName });
    for (const count of counts) await writer.submit(items(count, tenant));
  };
  const tileCount = async (tenant: string) =>
    (await store().asOwner(`select 1 from audit_tiles where tenant_id = '${tenant}'`)).length;

  // Genesis is a leaf too: 254 events make 255 records.
  test.each([
    { records: 255, batches: [254], tiles: 0 },
    { records: 256, batches: [255], tiles: 1 },
    { records: 257, batches: [256], tiles: 1 },
    { records: 256, batches: [100, 100, 55], tiles: 1 },
    { records: 257, batches: [255, 1], tiles: 1 },
    { records: 513, batches: [512], tiles: 2 },
    { records: 600, batches: [1, 254, 1, 343], tiles: 2 },
  ])('$records records in batches of $batches', async ({ records, batches, tiles }) => {
    const tenant = newTenant();
    await append(tenant, batches);
    expect(await expectSoundChain(store().database, tenant)).toHaveLength(records);
    expect(await tileCount(tenant)).toBe(tiles);
    await expectProvable(store().database, tenant, [0, 1, records >> 1, 254, records - 1]);
  });

  test('a batch that is sealed twice, for a duplicate that the index caught, writes its tile once', async () => {
    const tenant = newTenant();
    const writer = new Writer(store().database, { logName });
    const batch = items(300, tenant);
    await writer.submit([batch[299]!]);
    await writer.submit(batch);
    expect(await expectSoundChain(store().database, tenant)).toHaveLength(301);
    expect(await tileCount(tenant)).toBe(1);
  });

  test('each size of a growing log is consistent with every later one', async () => {
    const tenant = newTenant();
    const roots: { size: number; root: Uint8Array }[] = [];
    for (const count of [1, 253, 1, 1, 200, 300]) {
      await append(tenant, [count]);
      const tree = await store().database.transaction(asWriter, (session) => readTree(session, tenant));
      roots.push({ size: tree!.frontier.size, root: rootOf(tree!) });
    }
    await store().database.transaction(asWriter, async (session) => {
      const tree = (await readTree(session, tenant))!;
      for (const later of roots) {
        const nodes = nodeReader(session, tree, later.size);
        for (const earlier of roots.filter(({ size }) => size <= later.size)) {
          const proof = await proveConsistency(earlier.size, later.size, nodes);
          verifyConsistency(earlier.size, later.size, proof, earlier.root, later.root);
        }
      }
    });
  });
});
