import { describe, expect, test } from 'vitest';
import type { AppendStage } from '../../src/chain/append-batch.ts';
import { Writer } from '../../src/chain/writer.ts';
import { ServerError } from '../../src/errors.ts';
import type { Database } from '../../src/store/database.ts';
import { expectSoundChain } from '../chains.ts';
import { anItem, deadLetterOf, items, logName, newTenant, receiptOf, statuses } from '../events.ts';
import { onEachStore } from '../stores.ts';

/** A store that fails with these errors, before or after it has run a transaction. */
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
  describe('group commit', () => {
    test('submissions that arrive together share a transaction, up to the size of a batch', async () => {
      const commits: number[] = [];
      const onCommit = ({ events }: { events: number }) => void commits.push(events);
      const writer = new Writer(store().database, { logName, maxBatch: 10, onCommit });
      const tenant = newTenant();
      await Promise.all(Array.from({ length: 25 }, () => writer.submit([anItem(tenant)])));
      expect(commits).toEqual([10, 10, 5]);
      // A submission is never split.
      await writer.submit(items(30, tenant));
      expect(commits).toEqual([10, 10, 5, 30]);
      await expectSoundChain(store().database, tenant);
    });

    // The loop had found the queue empty and was about to end. At that moment the caller of the last submission submitted
    // again, saw the loop still running, and waited without end.
    test('a caller that submits again right after an answer is answered again', async () => {
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

    test('no caller is answered before the commit', async () => {
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

    test('closing answers earlier submissions and refuses new ones', async () => {
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

  describe('an event that the store cannot hold', () => {
    test('is found by halving and kept as a dead letter, and the rest is chained in its order', async () => {
      await store().asOwner("alter table audit_records add constraint sober check (actor_id <> 'poison')");
      const tenant = newTenant();
      const poison = () => anItem(tenant, { actor_id: 'poison' });
      const batch = [...items(7, tenant), poison(), ...items(5, tenant), poison(), anItem(tenant)];
      const outcomes = await new Writer(store().database, { logName }).submit(batch);
      const expected = batch.map(({ event }) => (event.actor_id === 'poison' ? 'rejected' : 'chained'));
      expect(statuses(outcomes)).toEqual(expected);
      const deadLetter = deadLetterOf(outcomes[7]);
      expect(deadLetter.violations).toMatchObject([{ code: 'STORE_REFUSED' }]);
      // The store's message may quote the event: only its code is kept.
      expect(deadLetter.violations[0]!.message).toMatch(/23514/);
      const rows = await store().asOwner<{ raw: Uint8Array }>(
        'select raw from audit_dead_letters where id = $1',
        [deadLetter.id],
      );
      expect(Buffer.from(rows[0]!.raw).toString()).toBe(batch[7]!.canonical);
      const records = await expectSoundChain(store().database, tenant);
      const events = records.filter(({ event }) => event.source_service !== 'tallystick');
      expect(events.map(({ event }) => event.audit_id)).toEqual(
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

    test('a commit whose answer was lost is found and not repeated', async () => {
      const tenant = newTenant();
      await new Writer(store().database, { logName }).submit([anItem(tenant)]);
      const { database } = faulty(store().database, { after: [gone()] });
      const outcomes = await new Writer(database, { logName }).submit(items(3, tenant));
      expect(statuses(outcomes)).toEqual(['duplicate', 'duplicate', 'duplicate']);
      expect(outcomes.map((outcome) => receiptOf(outcome).sequence_number)).toEqual([2, 3, 4]);
      expect(await expectSoundChain(store().database, tenant)).toHaveLength(5);
    });

    // While the store was away, each submission of a transaction was tried on its own, four times. With a thousand waiting
    // requests, the last one got its error after many minutes.
    test('a store that is away refuses all waiting submissions at once', async () => {
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

    test('a tenant whose head stays locked does not affect other tenants', async () => {
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
