import { uuidv7 } from '@tallystick/event';
import { beforeAll, describe, expect, test } from 'vitest';
import { Writer } from '../../src/chain/writer.ts';
import { writer } from '../../src/store/database.ts';
import { partitionOf } from '../../src/store/partitions.ts';
import { findStrays } from '../../src/store/strays.ts';
import { expectSoundChain } from '../chains.ts';
import { anItem, items, logName, newTenant, statuses } from '../events.ts';
import { type Planting, plant, plantSql } from '../plant.ts';
import { onEachStore } from '../stores.ts';

const refused = { code: '42501' };

// The service's login may insert records. It once could plant rows outside of the chains: they were served by reads, they made
// genuine events duplicates, and no check reported them.
onEachStore((store) => {
  const append = (tenant: string, count: number) =>
    new Writer(store().database, { logName }).submit(items(count, tenant));
  const month = partitionOf(Date.now());
  const asService = (sql: string) => store().database.query(writer, sql);

  describe("the service's login", () => {
    const tenant = newTenant();
    beforeAll(() => append(tenant, 300));

    test.each<[string, Omit<Planting, 'tenant'>]>([
      ['right after the head', { sequence: 301 }],
      ['far beyond the head', { sequence: 5_000 }],
      ['before the first record', { sequence: -1 }],
      ['at a position that the chain has, in another month', { sequence: 5, shift: '-31 days' }],
      ['in a later epoch', { epoch: 9, sequence: 0 }],
      ['in an epoch before the first', { epoch: 0, sequence: 0 }],
      ['in a later epoch, in mid-chain', { epoch: 2, sequence: 7 }],
    ])('can not plant a row %s', async (_, where) => {
      const planting = { tenant, ...where };
      const into = where.shift === undefined ? month : partitionOf(Date.now() - 31 * 86_400_000);
      await expect(asService(plantSql(planting, into))).rejects.toMatchObject(refused);
      await expect(asService(plantSql(planting))).rejects.toMatchObject(refused);
    });

    test('can not plant a row for a tenant without a chain', async () => {
      const sql = plantSql({ tenant, sequence: 0 }, month).replace(
        'select tenant_id',
        `select '${newTenant()}'`,
      );
      await expect(asService(sql)).rejects.toMatchObject(refused);
    });

    test('can not move a head and put it back, in one transaction or in two', async () => {
      const forward = `update audit_chain_state set last_sequence = last_sequence + 1 where tenant_id = '${tenant}'`;
      const back = `update audit_chain_state set last_sequence = last_sequence - 1 where tenant_id = '${tenant}'`;
      const attack = (statements: readonly string[]) =>
        store().database.transaction(writer, async (session) => {
          for (const sql of statements) await session.query(sql, []);
        });
      const row = plantSql({ tenant, sequence: 301 }, month);
      const reset = `update audit_chain_state set appended_to = -1, appended_epoch = 0 where tenant_id = '${tenant}'`;
      await expect(attack([row, reset])).rejects.toMatchObject(refused);
      await expect(attack([row, forward, 'set constraints all immediate', back])).rejects.toMatchObject(
        refused,
      );
      await expect(attack([back])).rejects.toMatchObject(refused);
    });

    test.each([
      ['of the next records', 0, 1],
      ['that exists on another level', 1, 0],
      ['far away', 0, 9_000],
    ])('can not plant a tile %s', async (_, level, index) => {
      const sql = `insert into audit_tiles select tenant_id, epoch, ${level}, ${index}, root, hashes
                     from audit_tiles where tenant_id = '${tenant}' and level = 0 and index = 0`;
      await expect(asService(sql)).rejects.toMatchObject(refused);
    });

    test('extends the chain as before, also over a full tile', async () => {
      await append(tenant, 300);
      expect(await expectSoundChain(store().database, tenant)).toHaveLength(601);
      expect(await findStrays(ownerSession(), tenant, 10)).toEqual([]);
    });
  });

  const ownerSession = () => ({
    query: <R extends object>(sql: string, parameters?: readonly unknown[]) =>
      store().asOwner<R>(sql, parameters as unknown[] | undefined),
  });

  test('every row outside of a chain is found', async () => {
    const tenant = newTenant();
    await append(tenant, 2);
    const places = [
      { epoch: 1, sequence: 3 },
      { epoch: 1, sequence: 900 },
      { epoch: 1, sequence: -4 },
      { epoch: 0, sequence: 1 },
      { epoch: 2, sequence: 1 },
      { epoch: 2_147_483_647, sequence: 1 },
      { epoch: -2_147_483_648, sequence: 1 },
    ];
    for (const place of places) await plant(store(), { tenant, ...place });
    await store().asOwner(`insert into audit_tiles (tenant_id, epoch, level, index, root, hashes)
      values ('${tenant}', 1, 0, 0, '', ''), ('${tenant}', 3, 1, 2, '', ''), ('${tenant}', 1, -1, 5, '', '')`);
    const found = await findStrays(ownerSession(), tenant, 100);
    const key = (at: { epoch: number; sequence: number }) => `${at.epoch}/${at.sequence}`;
    expect(
      found
        .map((stray) =>
          stray.kind === 'record'
            ? key({ epoch: stray.epoch, sequence: stray.sequence_number })
            : stray.kind === 'tile' && `tile ${stray.epoch}/${stray.level}/${stray.index}`,
        )
        .sort(),
    ).toEqual([...places.map(key), 'tile 1/0/0', 'tile 3/1/2', 'tile 1/-1/5'].sort());
    expect(await findStrays(ownerSession(), tenant, 3)).toHaveLength(3);
  });

  test('a planted row does not make a genuine event its duplicate', async () => {
    const tenant = newTenant();
    await append(tenant, 1);
    const auditId = uuidv7(Date.now() - 40 * 86_400_000);
    await plant(store(), { tenant, sequence: 77, auditId, shift: '-31 days' });
    const outcomes = await new Writer(store().database, { logName }).submit([
      anItem(tenant, { audit_id: auditId }),
    ]);
    expect(statuses(outcomes)).toEqual(['chained']);
  });

  type Where = (tenant: string, auditId: string) => Planting;
  test.each<[string, Where]>([
    ['has the next position', (tenant) => ({ tenant, sequence: 2 })],
    ['has the id of a new event', (tenant, auditId) => ({ tenant, epoch: 9, sequence: 2, auditId })],
  ])('a planted row that %s stops the chain of its tenant, and no other', async (_, where) => {
    const [tenant, other] = [newTenant(), newTenant('other')];
    await append(tenant, 1);
    const event = anItem(tenant);
    await plant(store(), where(tenant, event.event.audit_id));
    const stopped: [string, string][] = [];
    const options = { logName, stop: (...args: [string, string]) => void stopped.push(args) };
    const submitting = new Writer(store().database, options);
    await expect(submitting.submit([event])).rejects.toMatchObject({
      code: 'CHAIN_STOPPED',
      details: { tenant_id: tenant },
    });
    expect(stopped).toEqual([[tenant, expect.stringMatching(/record 2 of epoch \d .*tally strays/)]]);
    const both = await Promise.allSettled([submitting.submit([event]), submitting.submit(items(3, other))]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(await expectSoundChain(store().database, other)).toHaveLength(4);
  });
});
