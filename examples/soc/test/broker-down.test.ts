import { type AuditEmitter, createAuditEmitter } from '@tallystick/sdk';
import { afterAll, expect, test } from 'vitest';
import { corpusAlerts } from '../src/corpus/alerts.ts';
import { actionTiers } from '../src/platform/investigation.ts';
import { type SocEmitter, taxonomy } from '../src/platform/recorder.ts';
import type { Topic } from '../src/platform/topics.ts';
import { type Platform, wholePlatform } from './whole-platform.ts';

const emitters: Pick<AuditEmitter, 'close'>[] = [];
afterAll(() => Promise.all(emitters.map((emitter) => emitter.close({ deadlineMs: 1 }))));

/** An emitter whose broker never answers with success. Its faults go nowhere. */
function unreachable(service: string): SocEmitter {
  const emitter = createAuditEmitter({
    service,
    taxonomy,
    onError: () => undefined,
    transport: {
      send: async () => {
        throw Object.assign(new Error('no broker'), { retryable: true });
      },
      close: async () => undefined,
    },
  });
  emitters.push(emitter);
  return emitter as unknown as SocEmitter;
}

/** What is published for attacks until the first action that needs people. */
async function outputs(platform: Platform) {
  const topics: readonly Topic[] = ['alerts.normalized', 'actions.pending'];
  const published = await Promise.all(topics.map((topic) => platform.collect(topic)));
  await platform.soc.start();
  for (const alert of corpusAlerts.slice(0, 20)) await platform.feed.alert(alert);
  await platform.topics.settled();
  const masked = (value: unknown) =>
    JSON.stringify(value)
      .replace(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g, '(id)')
      .replace(/"(traceId|spanId)":"[0-9a-f]+"/g, '"$1":"(id)"');
  return {
    messages: published.map((all) => all.map(masked).toSorted()),
    deadLetters: platform.topics.deadLetterCount,
    done: platform.plant.changes
      .filter(({ kind }) => actionTiers[kind] <= platform.settings.response.automaticUpToTier)
      .map(({ kind, target }) => `${kind} ${target}`),
  };
}

test('with a broker that is down nothing throws, the same is decided and done, and gated actions wait', async () => {
  const down = wholePlatform({ auditOf: unreachable, acknowledgeWithinMs: 50 });
  const without = wholePlatform({ auditOf: () => undefined });
  const withBrokerDown = await outputs(down);
  expect(withBrokerDown).toEqual(await outputs(without));
  expect(withBrokerDown.done.length).toBeGreaterThan(10);

  // The gates give up waiting for their intents. The actions are not done, the desk asks no person, and the plans stay open.
  const { settings, plant, desk, soc } = down;
  await soc.settled();
  expect(soc.responseAgent.openPlans).toBeGreaterThan(0);
  expect(desk.list()).toEqual([]);
  expect(plant.changes.filter(({ kind }) => actionTiers[kind] > settings.response.automaticUpToTier)).toEqual(
    [],
  );
  await soc.stop();
}, 120_000);
