/** What the platform does while the audit service is away. */
import { createAuditEmitter } from '@tallystick/sdk';
import { MemoryTransport } from '@tallystick/sdk/memory';
import { until } from '@tallystick/testing';
import { expect, test } from 'vitest';
import { corpusAlerts } from '../src/corpus/alerts.ts';
import { type SocEmitter, taxonomy } from '../src/platform/recorder.ts';
import { wholePlatform } from './whole-platform.ts';

test('while the audit service is away nothing fails, actions without a gate run, and gated ones wait until it is back', {
  timeout: 120_000,
}, async () => {
  let isAway = true;
  const transport = new MemoryTransport({
    intercept: () => {
      if (isAway) throw new Error('no connection');
      return undefined;
    },
  });
  const created = createAuditEmitter({
    ...{ service: 'soc', taxonomy, transport, flushOnExit: false, onError: () => undefined },
    ...{ flushIntervalMs: 1, retryDelaysMs: [1], probeIntervalMs: 5 },
  });
  const emitter = created as unknown as SocEmitter;
  // Its onError throws, so that an error which no caller gets fails the test, too.
  const platform = wholePlatform({ auditOf: () => emitter });
  const { soc, feed, topics, plant, desk } = platform;
  await soc.start();
  for (const alert of corpusAlerts.filter(({ kind }) => kind === 'attack').slice(0, 12))
    await feed.alert(alert);
  await topics.settled();
  await until(() => plant.changes.length > 0 && transport.batches.length > 0, { what: 'automatic actions' });
  const gated = () => soc.responseAgent.openPlans;
  await until(() => gated() > 0, { what: 'plans with gated actions' });
  expect(topics.deadLetters.filter(({ code }) => code === 'HANDLER_FAILED')).toEqual([]);
  // Without an intent in the trail the desk asks no person, and no gated action runs.
  expect(transport.events).toEqual([]);
  expect(desk.list()).toEqual([]);
  expect(
    plant.changes.every(
      ({ kind }) => !['isolate_host', 'disable_account', 'stop_production_line'].includes(kind),
    ),
  ).toBe(true);

  isAway = false;
  const pending = () => desk.list().filter(({ state }) => state === 'pending').length;
  await until(() => pending() > 0 && pending() === gated(), {
    ...{ what: 'an approval for each plan that waits', timeoutMs: 60_000 },
  });
  await created.flush();
  const types = new Set(transport.events.map(({ event_type }) => event_type));
  for (const type of ['alert.classified', 'response.executed', 'agent.action.intended']) {
    expect(types).toContain(type);
  }
  await created.close();
});
