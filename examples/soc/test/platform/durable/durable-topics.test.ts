import { createTestAudit } from '@tallystick/sdk/testing';
import { tempDir, until } from '@tallystick/testing';
import { expect, test } from 'vitest';
import { DurableDocuments } from '../../../src/platform/durable/durable-documents.ts';
import { DurableTopics } from '../../../src/platform/durable/durable-topics.ts';
import { EventJournal } from '../../../src/platform/durable/event-journal.ts';
import { DurableStore } from '../../../src/platform/durable/store.ts';
import { createIds } from '../../../src/platform/ids.ts';
import { Recorder, type SocEmitter, taxonomy } from '../../../src/platform/recorder.ts';
import { RejectedMessage } from '../../../src/platform/topics.ts';
import { independently } from '../../../src/platform/unit-of-work.ts';
import { TestClock } from '../../platform-parts.ts';
import { describeTopicBus, message } from '../topic-bus-contract.ts';

describeTopicBus(async () => {
  const directory = tempDir();
  const store = new DurableStore(directory.path);
  const bus = new DurableTopics(store);
  return {
    bus,
    deadLetters: async () => bus.deadLetters,
    async close() {
      await bus.close();
      store.close();
      directory.remove();
    },
  };
});

/** A process with a service that records. `kill` ends it as a SIGKILL does: nothing more reaches the disk. */
function start(directory: string) {
  const clock = new TestClock();
  const store = new DurableStore(directory);
  const topics = new DurableTopics(store);
  const { emitter } = createTestAudit({ taxonomy });
  const ids = createIds(clock);
  const journal = new EventJournal({
    ...{ service: 'entity-parser', store, ids, clock },
    emitter: emitter as unknown as SocEmitter,
  });
  return {
    store,
    topics,
    ids,
    recorder: new Recorder('entity-parser', ids, journal.emitter),
    documents: new DurableDocuments<{ title: string }>(store, 'alerts'),
    events: () =>
      store
        .query<{ event: string }>('select event from events order by place')
        .map(
          ({ event }) => JSON.parse(event) as { eventType: string; parentEventId?: string; outcome: object },
        ),
    kill: () => store.close(),
  };
}

const record = {
  targetType: 'alert',
  targetId: 'a',
  outcome: { outcome_status: 'success', action_taken: 'published' },
} as const;

test('a kill in the middle of a message leaves nothing of it; the next process handles it as if for the first time', async () => {
  using directory = tempDir();
  const killed = start(directory.path);
  const { lineage } = message('a');
  let calls = 0;
  await killed.topics.subscribe('alerts.raw', 'entity-parser', async () => {
    calls += 1;
    killed.recorder.emit('alert.classified', lineage, record);
    await killed.documents.put('acme', 'a', { title: 'half' });
    await killed.topics.publish('actions.settled', message('a') as never);
    await new Promise(() => undefined);
  });
  await killed.topics.publish('alerts.raw', message('a'));
  await until(() => calls === 1);
  killed.kill();

  const next = start(directory.path);
  expect(await next.documents.get('acme', 'a')).toBeUndefined();
  expect(next.events()).toEqual([]);
  await next.topics.subscribe('alerts.raw', 'entity-parser', async () => {
    next.recorder.emit('alert.classified', lineage, record);
    await next.documents.put('acme', 'a', { title: 'whole' });
    await next.topics.publish('actions.settled', message('a') as never);
  });
  const published: string[] = [];
  await next.topics.subscribe('actions.settled', 'test', async ({ key }) => void published.push(key));
  await next.topics.settled();
  expect(published).toEqual(['a']);
  expect(await next.documents.get('acme', 'a')).toEqual({ title: 'whole' });
  expect(next.events().map(({ eventType }) => eventType)).toEqual(['alert.classified']);
  await next.topics.close();
  next.kill();

  // The message is handled, so a third process does not handle it.
  const third = start(directory.path);
  await third.topics.subscribe('alerts.raw', 'entity-parser', async () => {
    calls += 1;
  });
  await third.topics.settled();
  expect(calls).toBe(1);
  await third.topics.close();
  third.kill();
});

test('an effect outside of the process is recorded as interrupted after a kill, under a parent that exists', async () => {
  using directory = tempDir();
  const killed = start(directory.path);
  const { lineage } = message('a');
  const before = killed.recorder.emit('alert.classified', lineage, record);
  let begun = false;
  await killed.topics.subscribe('alerts.raw', 'entity-parser', async () => {
    const ofMessage = { ...lineage, parentEventId: before };
    const undone = killed.recorder.emit('injection.detected', ofMessage, record);
    const id = killed.ids.next();
    const unknown = { ...record, outcome: { outcome_status: 'failure', error_code: 'INTERRUPTED' } } as const;
    killed.recorder.mark('routing.tier_selected', { ...lineage, parentEventId: undone }, unknown, id);
    begun = true;
    await new Promise(() => undefined);
  });
  await killed.topics.publish('alerts.raw', message('a'));
  await until(() => begun);
  killed.kill();

  const next = start(directory.path);
  expect(next.events()).toMatchObject([
    { eventType: 'alert.classified' },
    { eventType: 'routing.tier_selected', parentEventId: before, outcome: { error_code: 'INTERRUPTED' } },
  ]);
  next.kill();
});

test('a handler that fails leaves only what it did outside of the process; a refusal keeps its record', async () => {
  using directory = tempDir();
  const { topics, recorder, documents, events, store } = start(directory.path);
  const { lineage } = message('a');
  let calls = 0;
  await topics.subscribe('alerts.raw', 'entity-parser', async ({ key }) => {
    calls += 1;
    await documents.put('acme', key, { title: `attempt ${calls}` });
    expect(await documents.list('acme')).toEqual([{ title: `attempt ${calls}` }]);
    const refused = recorder.emit('alert.classified', lineage, record);
    await independently(store, { ...lineage, parentEventId: refused }, async (own) => {
      recorder.emit('circuit_breaker.opened', own, record);
    });
    if (key === 'fails') throw new Error('no connection');
    throw Object.assign(new RejectedMessage('ALERT_MALFORMED', 'no title'), { recordedAs: refused });
  });
  await topics.publish('alerts.raw', message('fails'));
  await topics.settled();
  expect(calls).toBe(3);
  expect(await documents.list('acme')).toEqual([]);
  expect(events().map(({ eventType }) => eventType)).toEqual(Array(3).fill('circuit_breaker.opened'));
  // What led to it never happened, because the handler failed. What happened before did.
  expect(events().map(({ parentEventId }) => parentEventId)).toEqual([undefined, undefined, undefined]);
  await topics.publish('alerts.raw', message('refused'));
  await topics.settled();
  expect(events().slice(3)).toMatchObject([
    { eventType: 'circuit_breaker.opened' },
    { eventType: 'alert.classified' },
  ]);
  expect(topics.deadLetters.map(({ code }) => code)).toEqual(['HANDLER_FAILED', 'ALERT_MALFORMED']);
  await topics.close();
  store.close();
});

// A start once dropped what one consumer had handled, and another one had not yet begun with.
test('a message stays until every consumer has handled it, also one that has handled nothing before the kill', async () => {
  using directory = tempDir();
  const killed = start(directory.path);
  let isSlowBusy = false;
  await killed.topics.subscribe('alerts.raw', 'slow', async () => {
    isSlowBusy = true;
    await new Promise(() => undefined);
  });
  const seen: string[] = [];
  await killed.topics.subscribe('alerts.raw', 'fast', async ({ key }) => void seen.push(key));
  await killed.topics.publish('alerts.raw', message('a'));
  await killed.topics.publish('alerts.raw', message('b'));
  await until(() => isSlowBusy && seen.length === 2);
  killed.kill();

  const next = start(directory.path);
  const handled: string[] = [];
  await next.topics.subscribe('alerts.raw', 'slow', async ({ key }) => void handled.push(key));
  await next.topics.settled();
  expect(handled).toEqual(['a', 'b']);
  await next.topics.close();
  next.kill();
});

test('a second process can not open the store', () => {
  using directory = tempDir();
  const first = new DurableStore(directory.path);
  expect(() => new DurableStore(directory.path)).toThrow(/locked/);
  first.close();
  new DurableStore(directory.path).close();
});
