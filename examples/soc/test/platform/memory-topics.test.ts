import { expect, test } from 'vitest';
import type { RawAlert } from '../../src/platform/alert.ts';
import { MemoryTopics } from '../../src/platform/memory-topics.ts';
import { type Message, RejectedMessage } from '../../src/platform/topics.ts';
import { describeTopicBus } from './topic-bus-contract.ts';

const lineage = { tenantId: 'acme', correlationId: 'c', traceId: 't' };
const message = (key: string): Message<RawAlert> => ({
  key,
  lineage,
  value: { source: 'wazuh', received_at: '2026-11-28T00:00:00Z', payload: { key } },
});

describeTopicBus(async () => {
  const bus = new MemoryTopics();
  return { bus, deadLetters: async () => bus.deadLetters, close: () => bus.settled() };
});

test('every consumer gets every message in order, and settled() waits for what handlers publish', async () => {
  const topics = new MemoryTopics();
  const seen: string[] = [];
  await topics.subscribe('alerts.raw', 'first', async ({ key }) => {
    await Promise.resolve();
    seen.push(`first ${key}`);
    await topics.publish('telemetry.raw', {
      key,
      lineage,
      value: { time: '', kind: 'k', subject: 's', trusted: true, measures: {}, attributes: {} },
    });
  });
  await topics.subscribe('alerts.raw', 'second', async ({ key }) => void seen.push(`second ${key}`));
  await topics.subscribe('telemetry.raw', 'third', async ({ key }) => void seen.push(`third ${key}`));

  await topics.publish('alerts.raw', message('a'));
  await topics.publish('alerts.raw', message('b'));
  await topics.settled();

  for (const consumer of ['first', 'second', 'third']) {
    expect(seen.filter((line) => line.startsWith(consumer))).toEqual([`${consumer} a`, `${consumer} b`]);
  }
});

test('the latest dead letters are kept, and all are counted', async () => {
  const topics = new MemoryTopics(2);
  await topics.subscribe('alerts.raw', 'parser', async () => {
    throw new RejectedMessage('ALERT_MALFORMED', 'no title');
  });
  for (const key of ['a', 'b', 'c']) await topics.publish('alerts.raw', message(key));
  await topics.settled();
  expect(topics.deadLetters.map(({ key }) => key)).toEqual(['b', 'c']);
  expect(topics.deadLetterCount).toBe(3);
});

/**
 * Handlers that wait for nothing but promises kept timers of the process waiting until the last message: emitters did not deliver, and in
 * a burst of thousands of alerts their buffers overflowed.
 */
test('timers of the process run while messages are handled', async () => {
  const topics = new MemoryTopics();
  let handled = 0;
  await topics.subscribe('alerts.raw', 'parser', async ({ key }) => {
    handled += 1;
    if (handled < 100) await topics.publish('alerts.raw', message(key));
  });
  let handledBeforeTurn = -1;
  setImmediate(() => {
    handledBeforeTurn = handled;
  });
  await topics.publish('alerts.raw', message('k'));
  await topics.settled();
  expect(handled).toBe(100);
  expect(handledBeforeTurn).toBeLessThan(100);
  expect(handledBeforeTurn).toBeGreaterThanOrEqual(0);
});
