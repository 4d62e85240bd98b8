import { describe, expect, test } from 'vitest';
import { AtlasDetection } from '../../src/atlas-detection/atlas-detection.ts';
import { rules } from '../../src/atlas-detection/rules.ts';
import type { Telemetry } from '../../src/platform/detection.ts';
import { newLineage, testParts } from '../platform-parts.ts';

async function start(options: { audit?: boolean } = {}) {
  const parts = testParts(options);
  const published = await parts.collect('atlas.detections');
  await new AtlasDetection(parts).start();
  const send = async (telemetry: Partial<Telemetry>, tenantId = 'acme') => {
    const value = {
      time: new Date(parts.clock.now()).toISOString(),
      kind: 'training.batch',
      subject: 'model-1',
      trusted: true,
      measures: {},
      attributes: {},
      ...telemetry,
    };
    await parts.topics.publish('telemetry.raw', { key: 'k', lineage: newLineage(tenantId), value });
    await parts.topics.settled();
  };
  return { ...parts, published, send };
}

/** For each rule: telemetry at its threshold, and telemetry just below it. */
const cases: Record<string, { kind: string; fires: Partial<Telemetry>[]; silent: Partial<Telemetry>[] }> = {
  'data-poisoning': {
    kind: 'training.batch',
    fires: [{ measures: { label_flip_ratio: 0.05 } }],
    silent: [{ measures: { label_flip_ratio: 0.049, loss_shift_sigma: 2.9 } }],
  },
  'model-extraction': {
    kind: 'inference.request',
    fires: [
      { measures: { count: 600, distinct_ratio: 0.9 } },
      { measures: { count: 400, distinct_ratio: 0.8 } },
    ],
    silent: [{ measures: { count: 5_000, distinct_ratio: 0.1 } }],
  },
  'prompt-injection': {
    kind: 'llm.prompt',
    fires: [{ measures: { injection_score: 0.7 } }],
    silent: [{ measures: { injection_score: 0.69 } }],
  },
  evasion: {
    kind: 'inference.result',
    fires: [{ measures: { confidence_drop: 0.4 } }],
    silent: [{ measures: { confidence_drop: 0.3 } }],
  },
  'inference-denial-of-service': {
    kind: 'inference.load',
    fires: [{ measures: { latency_ms: 5_000 } }],
    silent: [{ measures: { latency_ms: 4_000, requests_per_second: 499 } }],
  },
  'supply-chain': {
    kind: 'model.artifact',
    fires: [{ attributes: { signature: 'missing' } }],
    silent: [{ attributes: { signature: 'valid', digest: 'match' } }],
  },
  insider: {
    kind: 'model.access',
    fires: [
      { measures: { downloads: 2 }, attributes: { off_hours: 'true' } },
      { measures: { downloads: 1 }, attributes: { off_hours: 'true' } },
    ],
    silent: [{ measures: { downloads: 9 }, attributes: { off_hours: 'false' } }],
  },
  'alert-fatigue': {
    kind: 'analyst.queue',
    fires: [{ measures: { alerts_per_hour: 200, dismissed_ratio: 0.9 } }],
    silent: [{ measures: { alerts_per_hour: 900, dismissed_ratio: 0.5 } }],
  },
  'sensor-spoofing': {
    kind: 'sensor.reading',
    fires: [{ measures: { deviation_sigma: 6, neighbour_deviation_sigma: 0.2 } }],
    silent: [{ measures: { deviation_sigma: 9, neighbour_deviation_sigma: 8 } }],
  },
  'partner-integrity': {
    kind: 'partner.feed',
    fires: [{ attributes: { checksum: 'mismatch' } }],
    silent: [{ attributes: { checksum: 'match' }, measures: { schema_drift_ratio: 0.1 } }],
  },
  'edge-compromise': {
    kind: 'edge.attestation',
    fires: [{ attributes: { attestation: 'failed' } }],
    silent: [{ attributes: { attestation: 'passed' } }],
  },
};

test('every rule has a case', () => {
  expect(Object.keys(cases).toSorted()).toEqual(rules.map(({ name }) => name).toSorted());
});

test.each(rules.map(({ name }) => name))('%s fires at its threshold and is recorded', async (name) => {
  const { kind, fires, silent } = cases[name]!;
  const quiet = await start();
  for (const telemetry of silent) await quiet.send({ kind, ...telemetry });
  expect([quiet.published, quiet.trail.events]).toEqual([[], []]);

  const { published, trail, send } = await start();
  for (const telemetry of fires) await send({ kind, ...telemetry });
  expect(published).toHaveLength(1);
  const { techniques } = rules.find((rule) => rule.name === name)!;
  expect(trail.events).toMatchObject([
    {
      event_type: 'atlas.detection_fired',
      target_id: 'model-1',
      context: { techniques_identified: techniques, detection_id: published[0]!.value.detection_id },
      decision: { classification: name, confidence: published[0]!.value.confidence },
    },
  ]);
  expect(published[0]!.lineage.parentEventId).toBe(trail.events[0]!.audit_id);
});

describe('confidence', () => {
  const confidenceOf = async (telemetry: Partial<Telemetry>) => {
    const { published, send } = await start();
    await send(telemetry);
    return published[0]?.value.confidence;
  };
  const atTwice = { kind: 'training.batch', measures: { label_flip_ratio: 0.1 } };
  const spoofed = { kind: 'sensor.reading', measures: { deviation_sigma: 6 } };

  test('grows with the distance from the threshold', async () => {
    expect(await confidenceOf(atTwice)).toBe(0.95);
    expect(await confidenceOf({ ...atTwice, measures: { label_flip_ratio: 0.05 } })).toBe(0.6);
  });
  test('of untrusted telemetry is 0.7 of it', async () => {
    expect(await confidenceOf({ ...atTwice, trusted: false })).toBe(0.665);
  });
  test('of a rule about safety is at least 0.7', async () => {
    expect(await confidenceOf({ ...spoofed, trusted: false })).toBe(0.7);
  });
});

describe('the look-back', () => {
  const failed = { kind: 'edge.attestation', attributes: { attestation: 'failed' } };

  test('a rule fires once per subject and tenant within it, and again after it', async () => {
    const { published, send, clock } = await start();
    await send(failed);
    await send(failed);
    await send({ ...failed, subject: 'model-2' });
    await send(failed, 'globex');
    clock.advance(3_600_000);
    await send(failed);
    expect(published.map(({ value }) => [value.tenant_id, value.subject])).toEqual([
      ['acme', 'model-1'],
      ['acme', 'model-2'],
      ['globex', 'model-1'],
      ['acme', 'model-1'],
    ]);
  });

  test('telemetry of one tenant, of another subject, or from before it does not count', async () => {
    const { published, send, clock } = await start();
    const some = { kind: 'inference.request', measures: { count: 600, distinct_ratio: 1 } };
    await send(some);
    await send(some, 'globex');
    await send({ ...some, subject: 'client-2' });
    clock.advance(3_600_001);
    await send(some);
    expect(published).toEqual([]);
  });
});

test.each([
  [{ time: 'yesterday' }, 'TELEMETRY_MALFORMED'],
  [{ measures: { count: 'many' } }, 'TELEMETRY_MALFORMED'],
  [{ subject: '' }, 'TELEMETRY_MALFORMED'],
  [{ time: '2099-01-01T00:00:00Z' }, 'TELEMETRY_AHEAD'],
])('telemetry with %o is a dead letter with a record', async (change, code) => {
  const { published, send, trail, topics } = await start();
  await send(change as Partial<Telemetry>);
  expect(published).toEqual([]);
  expect(topics.deadLetters).toMatchObject([{ code }]);
  expect(trail.events).toMatchObject([
    { decision: { classification: 'invalid' }, outcome: { error_code: code } },
  ]);
});

test('without an emitter the messages are the same, byte for byte', async () => {
  const published = async (audit: boolean) => {
    const detection = await start({ audit });
    for (const { kind, fires } of Object.values(cases)) {
      for (const telemetry of fires) await detection.send({ kind, ...telemetry });
    }
    return JSON.stringify(detection.published);
  };
  expect(await published(false)).toBe(await published(true));
});

// A message whose handler fails is handled again. Its telemetry was in the window already, and counted twice.
test('telemetry counts once, however often its handler is called', async () => {
  const { topics, send, published, trail } = await start();
  const publish = topics.publish.bind(topics);
  let failures = 0;
  topics.publish = async (topic, message) => {
    if (topic === 'atlas.detections' && failures++ < 2) throw new Error('the broker is away');
    return publish(topic, message);
  };
  const request = { kind: 'inference.request', measures: { count: 1_000, distinct_ratio: 0.9 } };
  await send(request);
  expect(failures).toBe(3);
  expect(published.map(({ value }) => value.evidence)).toEqual([
    [expect.stringContaining('distinct 1000, threshold 1000')],
  ]);
  expect(trail.events.at(-1)).toMatchObject({ context: { telemetry_considered: 1 } });
});
