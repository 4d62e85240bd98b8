import { tempDir } from '@tallystick/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAuditEmitter } from '../../src/index.ts';
import { MemoryTransport } from '../../src/transport/memory.ts';
import { TransportError } from '../../src/transport/transport.ts';
import { someEvent } from '../support/events.ts';

let directory: ReturnType<typeof tempDir>;
beforeEach(() => {
  directory = tempDir();
});
afterEach(() => directory.remove());

/** An emitter, and a service that accepts events, refuses whole batches, or is away. */
function setUp() {
  const service = { answers: 'all' as 'all' | 'none' | '400' };
  const transport = new MemoryTransport({
    intercept: ({ events }) => {
      if (events.length === 0 || service.answers === 'all') return undefined;
      if (service.answers === 'none') throw new TransportError('down', { retryable: true });
      throw new TransportError('no', { retryable: false, status: 400 });
    },
  });
  const emitter = createAuditEmitter({
    ...{ service: 's', transport, flushIntervalMs: 5, maxRetries: 0, probeIntervalMs: 5, flushOnExit: false },
    spool: { directory: directory.path, mode: 'always', fsyncIntervalMs: 1 },
  });
  return { emitter, transport, service };
}

// Dead letters were in a table that could not be read while the process ran.
test('events refused with a 4xx can be listed and emitted again, and are then removed from the list', async () => {
  const { emitter, transport, service } = setUp();
  service.answers = '400';
  const ids = [1, 2, 3].map((n) => emitter.emit(someEvent({ context: { n, password: 'hunter2!' } })).id);
  await emitter.flush();
  const letters = await emitter.deadLetters.list();
  expect(letters.map(({ id }) => id)).toEqual(ids);
  expect(letters[1]).toMatchObject({
    ...{ tenantId: 'acme', eventType: 'order.refunded', reason: 'status 400' },
    event: { audit_id: ids[1], context: { n: 2, password: '[REDACTED]' } },
  });
  expect(await emitter.deadLetters.list({ after: letters[0]!.place, limit: 1 })).toEqual([letters[1]]);

  expect(await emitter.deadLetters.emitAgain()).toEqual({ delivered: 0, refused: 3, waiting: 0 });
  expect((await emitter.deadLetters.list()).map(({ event }) => event)).toEqual(
    letters.map(({ event }) => event),
  );

  service.answers = 'none';
  expect(await emitter.deadLetters.emitAgain({ deadlineMs: 500 })).toEqual({
    ...{ delivered: 0, refused: 0, waiting: 3 },
  });

  service.answers = 'all';
  expect(await emitter.deadLetters.emitAgain()).toEqual({ delivered: 3, refused: 0, waiting: 0 });
  expect(await emitter.deadLetters.list()).toEqual([]);
  // The events that had no outcome were also delivered, before or after these. Each is in the trail once.
  expect(transport.events.map(({ audit_id }) => audit_id)).toEqual(ids);
  const report = await emitter.close();
  expect(report).toMatchObject({ emitted: 12, rejected: 6, delivered: 6, duplicates: 3 });
  // Each refusal was declared with the sequence numbers of that try.
  expect(transport.gaps.reduce((sum, gap) => sum + gap.to - gap.from + 1, 0)).toBe(6);
  expect(transport.final).toEqual([{ tenant_id: 'acme', final_seq: 12 }]);
});

test('dead letters survive the process, and are deleted by purge()', async () => {
  const first = setUp();
  first.service.answers = '400';
  for (let count = 0; count < 3; count++) first.emitter.emit(someEvent());
  await first.emitter.close();
  const { emitter } = setUp();
  const letters = await emitter.deadLetters.list();
  expect(letters).toHaveLength(3);
  expect(await emitter.deadLetters.purge([letters[1]!])).toBe(1);
  expect(await emitter.deadLetters.list()).toEqual([letters[0], letters[2]]);
  expect(await emitter.deadLetters.purge()).toBe(2);
  expect(await emitter.deadLetters.list()).toEqual([]);
  await emitter.close();
});

test('without a spool there are none; with a spool that can not be used, list() rejects', async () => {
  const without = createAuditEmitter({ service: 's', transport: new MemoryTransport(), flushOnExit: false });
  expect(await without.deadLetters.list()).toEqual([]);
  expect(await without.deadLetters.purge()).toBe(0);
  expect(await without.deadLetters.emitAgain()).toEqual({ delivered: 0, refused: 0, waiting: 0 });
  await without.close();
  const { emitter } = setUp();
  await emitter.close();
  await expect(emitter.deadLetters.list()).rejects.toMatchObject({ code: 'SPOOL_FAILED' });
});
