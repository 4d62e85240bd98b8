import { memoryTransport } from '@tallystick/sdk/memory';
import { createOutboxRelay, createPostgresOutbox, type OutboxRelayOptions } from '@tallystick/sdk/postgres';
import { until } from '@tallystick/testing';
import type pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  commitRefunds,
  inTransaction,
  type OutboxDatabase,
  outboxDatabase,
  refund,
} from './outbox-database.ts';

let database: OutboxDatabase;
beforeEach(async () => {
  database = await outboxDatabase();
});
afterEach(() => database.close());

const outbox = createPostgresOutbox({ service: 'shop', activeTrace: () => undefined });
const commit = (count: number, from = 1) => commitRefunds(database, outbox, from, count);

/** A relay that repeats without long pauses. */
function relayOf(transport: OutboxRelayOptions['transport'], options: Partial<OutboxRelayOptions> = {}) {
  return createOutboxRelay({
    db: database.pool,
    transport,
    retryDelaysMs: [1],
    pollIntervalMs: 5,
    onError: () => undefined,
    ...options,
  });
}

const targets = (events: readonly { target_id?: string }[]) =>
  events.map(({ target_id }) => Number(target_id));
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

test('events are delivered in order, deleted, and accounted for', async () => {
  await commit(25);
  const transport = memoryTransport();
  const relay = relayOf(transport, { batchSize: 10 });
  expect(await relay.deliverWaiting()).toMatchObject({ delivered: 25, duplicates: 0, refused: 0 });
  expect(targets(transport.events)).toEqual(upTo(25));
  expect(transport.batches.map(({ events }) => events.length)).toEqual([10, 10, 5]);
  expect(transport.batches.flatMap(({ delivery }) => delivery.sequences)).toEqual(upTo(25));
  expect(await relay.status()).toMatchObject({ waiting: 0, lagSeconds: 0, failing: false });
  await relay.close();
  expect(transport.final).toEqual([{ tenant_id: 'acme', final_seq: 25 }]);
  expect(transport.closed).toBe(true);
});

test('a batch is limited in bytes, so that a backlog of large events does not fill the memory', async () => {
  const large = { ...refund(1), metadata: { note: 'x'.repeat(50_000) } };
  await inTransaction(database.pool, (client) => outbox.recordInTransaction(client, Array(6).fill(large)));
  const transport = memoryTransport();
  const relay = relayOf(transport, { maxBatchBytes: 100_000 });
  await relay.deliverWaiting();
  expect(transport.batches.map(({ events }) => events.length)).toEqual([2, 2, 2]);
  await relay.close();
});

test('while the service is away events wait; afterwards each arrives once, in order', async () => {
  await commit(5);
  let away = true;
  const transport = memoryTransport({
    intercept: () => {
      if (away) throw new Error('connection refused');
      return undefined;
    },
  });
  const errors: string[] = [];
  const relay = relayOf(transport, { onError: ({ code }) => errors.push(code) }).start();
  await until(() => transport.batches.length > 3);
  await commit(5, 6);
  expect(await relay.status()).toMatchObject({ waiting: 10, failing: true, delivered: 0 });
  expect(await relay.exposition()).toContain('audit_outbox_size{service="outbox-relay"} 10\n');
  away = false;
  await until(() => transport.events.length === 10);
  await relay.close();
  expect(targets(transport.events)).toEqual(upTo(10));
  expect(new Set(errors)).toEqual(new Set(['DELIVERY_FAILED']));
});

test('an answer that is lost leads to a repetition that the service recognises', async () => {
  await commit(3);
  const service = memoryTransport();
  let answers = 0;
  const relay = relayOf({
    send: async (batch, signal) => {
      const results = await service.send(batch, signal);
      if (answers++ === 0) throw new Error('the connection was reset');
      return results;
    },
    close: () => service.close(),
  });
  expect(await relay.deliverWaiting()).toMatchObject({ delivered: 3, duplicates: 3, retries: 1 });
  expect(targets(service.events)).toEqual([1, 2, 3]);
  await relay.close();
});

test('a fault of the database after the delivery delivers the events again', async () => {
  await commit(3);
  const transport = memoryTransport();
  let deletions = 0;
  const db = {
    query: (text: string, values: unknown[]): Promise<pg.QueryResult> => {
      if (text.includes('delete from') && deletions++ === 0) throw new Error('the connection was lost');
      return database.pool.query(text, values);
    },
  };
  const relay = relayOf(transport, { db });
  expect(await relay.deliverWaiting()).toMatchObject({ delivered: 3, duplicates: 3 });
  expect(transport.events).toHaveLength(3);
  await relay.close();
  // Both numbers of each event reached the service, so the account is complete.
  expect(transport.final).toEqual([{ tenant_id: 'acme', final_seq: 6 }]);
});

test('two relays deliver each event once and keep the order; the second goes on when the first has closed', async () => {
  await commit(60);
  const transport = memoryTransport();
  const relays = [relayOf(transport, { batchSize: 7 }), relayOf(transport, { batchSize: 7 })];
  for (const relay of relays) relay.start();
  await until(() => transport.events.length === 60);
  await until(async () => (await relays[0]!.status()).waiting === 0);
  const [first, second] = relays.toSorted((a, b) => b.counts().delivered - a.counts().delivered);
  await first!.close();
  await commit(5, 61);
  await until(() => second!.counts().delivered >= 5);
  await second!.close();
  expect(targets(transport.events)).toEqual(upTo(65));
  expect(transport.batches.flatMap(({ events }) => events)).toHaveLength(65);
});

test('a relay that stopped without notice loses its lease, and its late delivery changes nothing', async () => {
  await commit(4);
  const service = memoryTransport();
  let resume = () => {};
  const frozen = new Promise<void>((resolve) => {
    resume = resolve;
  });
  let sends = 0;
  const first = relayOf(
    {
      send: async (batch, signal) => {
        if (sends++ === 0) await frozen;
        return service.send(batch, signal);
      },
      close: async () => {},
    },
    { leaseMs: 1 },
  ).start();
  await until(() => sends === 1);
  const second = relayOf(service, { leaseMs: 1 }).start();
  await until(() => second.counts().delivered === 4);
  await commit(2, 5);
  await until(() => second.counts().delivered === 6);
  resume();
  await until(() => first.counts().duplicates === 4);
  await Promise.all([first.close(), second.close()]);
  expect(targets(service.events)).toEqual(upTo(6));
});

test('a refused event becomes a dead letter with the reason, and the others are delivered in order', async () => {
  await commit(5);
  let poisoned = true;
  const isPoison = (event: string) => poisoned && event.includes('"target_id":"3"');
  const service = memoryTransport();
  const transport = {
    send: async (...[batch, signal]: Parameters<typeof service.send>) => {
      const accepted = batch.events.filter((event) => !isPoison(event));
      const results = [...(await service.send({ ...batch, events: accepted }, signal))];
      return batch.events.map((event) =>
        isPoison(event)
          ? {
              status: 'rejected' as const,
              error: {
                code: 'EVENT_INVALID',
                message: 'm',
                violations: [{ code: 'FIELD_TYPE', pointer: '/actor_id', message: 'm' }],
              },
            }
          : results.shift()!,
      );
    },
    close: () => service.close(),
  };
  const codes: string[] = [];
  const relay = relayOf(transport, { onError: ({ code, tenantId }) => codes.push(`${code} ${tenantId}`) });
  expect(await relay.deliverWaiting()).toMatchObject({ delivered: 4, refused: 1 });
  expect(codes).toEqual(['REJECTED_BY_SERVICE acme']);
  const [letter] = await relay.deadLetters.list();
  expect(letter).toMatchObject({
    tenantId: 'acme',
    eventType: 'order.refunded',
    reason: 'REJECTED: FIELD_TYPE at /actor_id',
    event: { target_id: '3' },
  });
  expect(await relay.status()).toMatchObject({ waiting: 0, deadLetters: 1 });

  poisoned = false;
  expect(await relay.deadLetters.retry([letter!])).toBe(1);
  await relay.deliverWaiting();
  expect(targets(service.events)).toEqual([1, 2, 4, 5, 3]);
  expect(service.events.at(-1)!.audit_id).toBe(letter!.id);
  expect(await relay.deadLetters.purge('all')).toBe(0);
  await relay.close();
});

test('if the service refuses whole batches, halves find the one event that it refuses', async () => {
  await commit(9);
  const service = memoryTransport({
    intercept: ({ events }) => {
      if (events.some((event) => event.includes('"target_id":"7"')))
        throw { retryable: false, status: 422, reason: 'the service refuses the batch' };
      if (events.length > 4) throw { retryable: true, tooLarge: true };
      return undefined;
    },
  });
  const relay = relayOf(service);
  expect(await relay.deliverWaiting()).toMatchObject({ delivered: 8, refused: 1 });
  expect(targets(service.events)).toEqual([1, 2, 3, 4, 5, 6, 8, 9]);
  expect(await relay.deadLetters.list()).toMatchObject([
    { event: { target_id: '7' }, reason: 'the service refuses the batch' },
  ]);
  await relay.close();
  expect(service.gaps).toEqual([{ tenant_id: 'acme', from: 7, to: 7, reason: 'batch_refused' }]);
  expect(service.final).toEqual([{ tenant_id: 'acme', final_seq: 9 }]);
});

test('close() during an outage ends in time, leaves the events, and does not declare an end', async () => {
  await commit(2);
  const transport = memoryTransport({
    intercept: (_batch, signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  });
  const relay = relayOf(transport).start();
  await until(() => transport.batches.length === 1);
  await relay.close({ deadlineMs: 20 });
  expect(transport.batches).toHaveLength(1);
  const next = relayOf(memoryTransport());
  expect(await next.deliverWaiting()).toMatchObject({ delivered: 2 });
  await next.close();
});
