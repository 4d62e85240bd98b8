import { createAuditEmitter } from '@tallystick/sdk';
import { MemoryTransport } from '@tallystick/sdk/memory';
import { tempDir, until } from '@tallystick/testing';
import { expect, test } from 'vitest';
import { EventJournal } from '../../../src/platform/durable/event-journal.ts';
import { EventRelay } from '../../../src/platform/durable/event-relay.ts';
import { DurableStore } from '../../../src/platform/durable/store.ts';
import { createIds } from '../../../src/platform/ids.ts';
import { Recorder, type SocEmitter, taxonomy } from '../../../src/platform/recorder.ts';
import { newLineage, TestClock } from '../../platform-parts.ts';

/** One process: a store, a recorder over it, and a relay to the audit service. */
function start(directory: string, transport: MemoryTransport) {
  const clock = new TestClock();
  const store = new DurableStore(directory);
  const ids = createIds(clock);
  const created = createAuditEmitter({
    ...{ service: 'entity-parser', taxonomy, transport },
    ...{
      flushIntervalMs: 1,
      retryDelaysMs: [1],
      probeIntervalMs: 5,
      flushOnExit: false,
      onError: () => undefined,
    },
  });
  const emitter = created as unknown as SocEmitter;
  const errors: unknown[] = [];
  const relay = new EventRelay(
    store,
    () => emitter,
    (error) => errors.push(error),
  );
  const journal = new EventJournal({ service: 'entity-parser', store, ids, clock, emitter });
  const recorder = new Recorder('entity-parser', ids, journal.emitter);
  return {
    relay,
    errors,
    record: (targetId: string, more: object = {}) =>
      recorder.emit('alert.classified', newLineage(), {
        targetType: 'alert',
        targetId,
        outcome: { outcome_status: 'success' },
        ...more,
      }),
    async end() {
      relay.close();
      store.close();
      await created.close({ deadlineMs: 0 });
    },
  };
}

test('while the audit service is away records wait in the store, and the next process delivers each once, in order', async () => {
  using directory = tempDir();
  let isAway = true;
  const transport = new MemoryTransport({
    intercept: () => {
      if (isAway) throw new Error('no connection');
      return undefined;
    },
  });
  const first = start(directory.path, transport);
  const ids = [first.record('a'), first.record('b')];
  await until(() => transport.batches.length > 0, { what: 'an attempt to deliver' });
  expect(first.relay.waiting).toBe(2);
  await first.end();

  isAway = false;
  const second = start(directory.path, transport);
  ids.push(second.record('c'));
  await second.relay.idle();
  expect(transport.events.map(({ audit_id }) => audit_id)).toEqual(ids);
  await second.end();

  const third = start(directory.path, transport);
  expect(third.relay.waiting).toBe(0);
  await third.end();
});

test('a record whose acknowledgement was lost is sent again with the same bytes, and is in the trail once', async () => {
  using directory = tempDir();
  let losesAnswers = true;
  const transport = new MemoryTransport();
  const send = transport.send.bind(transport);
  transport.send = async (batch, signal) => {
    const results = await send(batch, signal);
    if (losesAnswers) throw new Error('the connection broke');
    return results;
  };
  const first = start(directory.path, transport);
  first.record('a');
  await until(() => transport.events.length === 1, { what: 'the record in the trail' });
  await first.end();

  losesAnswers = false;
  const second = start(directory.path, transport);
  await second.relay.idle();
  expect(second.errors).toEqual([]);
  expect(transport.events).toHaveLength(1);
  expect(new Set(transport.batches.flatMap(({ events }) => events)).size).toBe(1);
  await second.end();
});

test('a record whose content does not fit is delivered without it', async () => {
  using directory = tempDir();
  const transport = new MemoryTransport();
  const process = start(directory.path, transport);
  const id = process.record('x'.repeat(10_000));
  await process.relay.idle();
  expect(transport.events).toMatchObject([{ audit_id: id, outcome: { error_code: 'CONTENT_REFUSED' } }]);
  await process.end();
});
