import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { type AuditEmitter, createAuditEmitter } from '../../src/index.ts';
import { memoryTransport } from '../../src/transport/memory.ts';
import { turns } from '../support/clock.ts';
import { testEmitter } from '../support/emitter.ts';
import { someEvent } from '../support/events.ts';

// With a full buffer, a handler that emits caused its own next call: one lost event became two thousand, until the stack overflowed.
test('onError is not called for events that it emits itself', async () => {
  let calls = 0;
  const { emitter } = testEmitter({
    onError: () => {
      calls++;
      emitter.emit(someEvent({ eventType: 'audit-trail.fault' }));
    },
  });
  await emitter.close();
  emitter.emit(someEvent());
  expect(calls).toBe(1);
  expect(emitter.report()).toMatchObject({ emitted: 2, dropped: 2 });
  emitter.emit(someEvent());
  expect(calls).toBe(2);
});

test('a logger is not called for events that it emits itself', () => {
  let lines = 0;
  const logger = {
    info: () => {
      lines++;
      emitter.emit(someEvent({ eventType: 'log.line' }));
    },
    warn() {},
    error() {},
  };
  const { emitter }: { emitter: AuditEmitter } = testEmitter({ logger });
  emitter.emit(someEvent());
  expect(lines).toBe(1);
  expect(emitter.report()).toMatchObject({ emitted: 2 });
});

// An onError that saved faults to a database ended the process when the database failed.
test('the rejection of an async onError does not end the process', async () => {
  const rejections: unknown[] = [];
  const note = (reason: unknown) => rejections.push(reason);
  process.on('unhandledRejection', note);
  const { emitter } = testEmitter({
    onError: async () => {
      throw new Error('the database is away');
    },
  });
  emitter.emit(someEvent({ tenantId: 'a b' }));
  await turns();
  process.off('unhandledRejection', note);
  expect(rejections).toEqual([]);
});

// The batch was sent in the context of the request that emitted first, and tracing attributed the send to it.
test('batches are sent outside of the requests that emitted their events', async () => {
  const request = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  const transport = memoryTransport({
    intercept: () => {
      seen.push(request.getStore());
      return undefined;
    },
  });
  const emitter = request.run('the one that made it', () =>
    createAuditEmitter({ service: 's', transport, flushIntervalMs: 1, flushOnExit: false }),
  );
  await request.run('one', () => emitter.record(someEvent()));
  request.run('two', () => emitter.emit(someEvent()));
  await expect.poll(() => seen.length).toBe(2);
  expect(seen).toEqual([undefined, undefined]);
  await request.run('three', async () => {
    await emitter.record(someEvent());
    expect(request.getStore()).toBe('three');
  });
  expect(seen).toEqual([undefined, undefined, undefined]);
  await emitter.close();
});
