import { expect, test } from 'vitest';
import type { RawAlert } from '../../src/platform/alert.ts';
import { MemoryTopics } from '../../src/platform/memory-topics.ts';
import type { Message } from '../../src/platform/topics.ts';
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
