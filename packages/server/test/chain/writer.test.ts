import { describe, expect, test } from 'vitest';
import type { AppendStage } from '../../src/chain/append-batch.ts';
import { Writer } from '../../src/chain/writer.ts';
import { ServerError } from '../../src/errors.ts';
import type { Database } from '../../src/store/database.ts';
import { expectSoundChain } from '../chains.ts';
import { anItem, deadLetterOf, items, logName, newTenant, receiptOf, statuses } from '../events.ts';
import { onEachStore } from '../stores.ts';

/** A store that fails as told, before or after it did what was asked. */
function faulty(database: Database, faults: { before?: unknown[]; after?: unknown[] }) {
  let transactions = 0;
  const transaction: Database['transaction'] = async (access, work) => {
    transactions++;
    const before = faults.before?.shift();
    if (before !== undefined) throw before;
    const result = await database.transaction(access, work);
    const after = faults.after?.shift();
    if (after !== undefined) throw after;
    return result;
  };
  const wrapped: Database = { ...database, kind: database.kind, transaction } as Database;
  return { database: wrapped, transactions: () => transactions };
}

const sqlError = (code: string) => Object.assign(new Error(`SQLSTATE ${code}`), { code });
const gone = () => new ServerError('STORE_UNAVAILABLE', 'no connection');

onEachStore((store) => {
  describe('gathering', () => {
    test('submissions that come together share a transaction, up to the size of a batch', async () => {
      const commits: number[] = [];
      const onCommit = ({ events }: { events: number }) => void commits.push(events);
      const writer = new Writer(store().database, { logName, maxBatch: 10, onCommit });
      const tenant = newTenant();
      await Promise.all(Array.from({ length: 25 }, () => writer.submit([anItem(tenant)])));
      expect(commits).toEqual([10, 10, 5]);
      // A submission is never divided.
      await writer.submit(items(30, tenant));
      expect(commits).toEqual([10, 10, 5, 30]);
      await expectSoundChain(store().database, tenant);
    });

    // The loop had looked at the empty queue and was about to end, when the caller of the last submission submitted again,
    // saw it still running, and waited for ever.
    test('whoever submits again right after an answer is answered again', async () => {
      const writer = new Writer(store().database, { logName });
      const tenant = newTenant();
      const layers = [
        () => writer.submit([anItem(tenant)]),
        async () => await writer.submit([anItem(tenant)]),
        async () => await (async () => await writer.submit([anItem(tenant)]))(),
        async () => await Promise.all([(async () => await writer.submit([anItem(tenant)]))()]),
      ];
      for (const submit of layers) for (let round = 0; round < 3; round++) await submit();
      expect(await expectSoundChain(store().database, tenant)).toHaveLength(13);
    });

    test('nobody is answered before the commit', async () => {
      const tenant = newTenant();
      let release!: () => void;
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      let reached!: () => void;
      const arrived = new Promise<void>((resolve) => {
        reached = resolve;
      });
      const onStage = async (stage: AppendStage) => {
        if (stage !== 'committing') return;
        reached();
        await held;
      };
      const writer = new Writer(store().database, { logName, onStage });
      let answered = false;
      const submitted = writer.submit([anItem(tenant)]).finally(() => {
        answered = true;
      });
      await arrived;
      await new Promise((resolve) => setImmediate(resolve));
      expect(answered).toBe(false);
      release();
      expect(statuses(await submitted)).toEqual(['chained']);
    });

    test('closing settles what was taken and takes nothing more', async () => {
      const writer = new Writer(store().database, { logName, maxBatch: 3 });
      const tenant = newTenant();
      const taken = Array.from({ length: 10 }, () => writer.submit([anItem(tenant)]));
      await writer.close();
      expect(writer.queued).toBe(0);
      expect((await Promise.all(taken)).flat()).toHaveLength(10);
      await expect(writer.submit([anItem(tenant)])).rejects.toMatchObject({ code: 'CLOSING' });
      expect(await writer.submit([]).catch((error) => error.code)).toBe('CLOSING');
    });
  });

  describe('an event that the store can not hold', () => {
    test('is found by halving, kept as a dead letter, and the rest lands in its order', async () => {
      await store().asOwner("alter table audit_records add constraint sober check (actor_id <> 'poison')");
      const tenant = newTenant();
      const poison = () => anItem(tenant, { actor_id: 'poison' });
      const batch = [...items(7, tenant), poison(), ...items(5, tenant), poison(), anItem(tenant)];
      const outcomes = await new Writer(store().database, { logName }).submit(batch);
      const expected = batch.map(({ event }) => (event.actor_id === 'poison' ? 'rejected' : 'chained'));
      expect(statuses(outcomes)).toEqual(expected);
      const letter = deadLetterOf(outcomes[7]);
      expect(letter.violations).toMatchObject([{ code: 'STORE_REFUSED' }]);
      // What the store said may quote the event: only its code is kept.
      expect(letter.violations[0]!.message).toMatch(/23514/);
      const rows = await store().asOwner<{ raw: Uint8Array }>(
        'select raw from audit_dead_letters where id = $1',
        [letter.id],
      );
      expect(Buffer.from(rows[0]!.raw).toString()).toBe(batch[7]!.canonical);
      const records = await expectSoundChain(store().database, tenant);
      expect(records.slice(1).map(({ event }) => event.audit_id)).toEqual(
        batch.filter((_, at) => expected[at] === 'chained').map(({ event }) => event.audit_id),
      );
      await store().asOwner('alter table audit_records drop constraint sober');
    });
  });

  describe('a fault of the store', () => {
    test.each(['40P01', '40001', '55P03', '57P01'])('%s is tried again', async (code) => {
      const tenant = newTenant();
      const retries: string[] = [];
      const { database } = faulty(store().database, { before: [sqlError(code), gone()] });
      const writer = new Writer(database, { logName, onRetry: (reason) => void retries.push(reason) });
      expect(statuses(await writer.submit([anItem(tenant)]))).toEqual(['chained']);
      expect(retries).toEqual([code, 'STORE_UNAVAILABLE']);
    });

    test('a commit whose answer was lost is found again, not made again', async () => {
      const tenant = newTenant();
      await new Writer(store().database, { logName }).submit([anItem(tenant)]);
      const { database } = faulty(store().database, { after: [gone()] });
      const outcomes = await new Writer(database, { logName }).submit(items(3, tenant));
      expect(statuses(outcomes)).toEqual(['duplicate', 'duplicate', 'duplicate']);
      expect(outcomes.map((outcome) => receiptOf(outcome).sequence_number)).toEqual([2, 3, 4]);
      expect(await expectSoundChain(store().database, tenant)).toHaveLength(5);
    });

    // Each of the submissions in a transaction was tried on its own, four times, while the store was away: with a thousand
    // requests waiting, the last one heard of it after many minutes.
    test('a store that is away refuses all who wait at once', async () => {
      const tenant = newTenant();
      const { database, transactions } = faulty(store().database, {
        before: Array.from({ length: 999 }, gone),
      });
      const writer = new Writer(database, { logName, maxRetries: 1 });
      const waiting = Array.from({ length: 50 }, () => writer.submit([anItem(tenant)]));
      const settled = await Promise.allSettled(waiting);
      for (const one of settled) expect(one).toMatchObject({ reason: { code: 'STORE_UNAVAILABLE' } });
      expect(transactions()).toBe(2);
    });

    test("a tenant whose head stays locked is that tenant's own trouble", async () => {
      const [stuck, free] = [newTenant('stuck'), newTenant('free')];
      const locked = (tenantId: string) => {
        if (tenantId === stuck) throw sqlError('55P03');
      };
      const writer = new Writer(store().database, { logName, maxRetries: 0, assertRunning: locked });
      const [first, second] = await Promise.allSettled([
        writer.submit([anItem(stuck)]),
        writer.submit([anItem(free)]),
      ]);
      expect(first).toMatchObject({ status: 'rejected', reason: { code: 'STORE_UNAVAILABLE' } });
      expect(second).toMatchObject({ status: 'fulfilled' });
    });
  });
});
