import { afterAll, beforeAll, expect, test } from 'vitest';
import { appendBatch } from '../../src/chain/append-batch.ts';
import { expectProvable, expectSoundChain } from '../chains.ts';
import { items, logName, newTenant } from '../events.ts';
import { openPostgres, type PostgresStore } from '../stores.ts';

let store: PostgresStore;
beforeAll(async () => {
  store = await openPostgres();
});
afterAll(() => store.close());

// 256 tiles of 256 leaves: the first tile of the level above is complete at 65,536 records.
test('a log that outgrows 65,536 records has a tile on level 1, and proofs through it', {
  timeout: 120_000,
}, async () => {
  const tenant = newTenant();
  const level1 = async () =>
    (await store.asOwner(`select 1 from audit_tiles where tenant_id = '${tenant}' and level = 1`)).length;
  const append = async (count: number) => {
    for (let left = count; left > 0; left -= 5_000) {
      await appendBatch(store.database, { items: items(Math.min(left, 5_000), tenant) }, { logName });
    }
  };
  await append(65_534);
  expect(await level1()).toBe(0);
  await expectProvable(store.database, tenant, [0, 65_534]);
  await append(1);
  expect(await level1()).toBe(1);
  await append(464);
  await expectProvable(store.database, tenant, [0, 1, 255, 256, 40_000, 65_535, 65_536, 65_999]);
  expect(await expectSoundChain(store.database, tenant)).toHaveLength(66_000);
});
