import { describe, expect, test } from 'vitest';
import { CtemNormaliser } from '../../src/ctem-normaliser/ctem-normaliser.ts';
import { type FindingSource, findingSources } from '../../src/platform/exposure.ts';
import { newLineage, testParts } from '../platform-parts.ts';
import { artFinding, findingOf, garakFinding, snykFinding, wizFinding } from './findings.ts';

async function start(options: { audit?: boolean } = {}) {
  const parts = testParts(options);
  const published = await parts.collect('ctem.normalized');
  await new CtemNormaliser(parts).start();
  return {
    ...parts,
    published,
    report: async (source: FindingSource, payload: unknown, tenantId = 'acme') => {
      const value = { received_at: '2026-11-20T10:00:00Z', payload };
      await parts.topics.publish(`ctem.raw.${source}`, { key: 'k', lineage: newLineage(tenantId), value });
      await parts.topics.settled();
    },
  };
}

test.each([
  // exploitability, consequence, score, severity, owner, hours until the deadline
  ['wiz', 0.8, 'downtime', 4, 'medium', 'production-it', 336],
  ['snyk', 0.85, 'safety', 8.5, 'critical', 'plant-safety', 24],
  ['garak', 0.7, 'data', 2.1, 'low', 'it-security', 720],
  ['art', 0.75, 'equipment', 6, 'high', 'automation', 72],
] as const)('a finding of %s', async (source, exploitability, consequence, score, severity, owner, hours) => {
  const { published, report, trail, clock } = await start();
  await report(source, findingOf[source]);
  const due_at = new Date(clock.now() + hours * 3_600_000).toISOString();
  expect(published.map(({ value }) => value)).toMatchObject([
    { source, exploitability, consequence, score, severity, owner, due_at, state: 'open', tenant_id: 'acme' },
  ]);
  expect(trail.events).toMatchObject([
    {
      event_type: 'ctem.exposure_scored',
      context: { exploitability, consequence },
      decision: { severity_assigned: severity, classification: consequence },
    },
    {
      event_type: 'ctem.remediation_assigned',
      parent_id: trail.events[0]!.audit_id,
      context: { due_at },
      outcome: { action_taken: 'assigned', action_target: owner },
    },
  ]);
  expect(published[0]!.lineage.parentEventId).toBe(trail.events[1]!.audit_id);
});

test('two scanners that report one weakness of one asset report one exposure; another tenant has its own', async () => {
  const { published, report } = await start();
  await report('snyk', snykFinding);
  await report('wiz', {
    ...wizFinding,
    sourceRule: { id: 'cve-2026-12345', name: 'CVE' },
    entitySnapshot: { name: 'PLC-gateway' },
  });
  await report('snyk', snykFinding, 'globex');
  const keys = published.map(({ value }) => value.exposure_key);
  expect(keys[1]).toBe(keys[0]);
  expect(keys[2]).not.toBe(keys[0]);
});

test('a repeated report is scored again, is not assigned again, and does not move the deadline back', async () => {
  const { published, report, trail, clock } = await start();
  await report('snyk', snykFinding);
  clock.advance(3_600_000);
  await report('snyk', snykFinding);
  expect(trail.events.map(({ event_type }) => event_type)).toEqual([
    'ctem.exposure_scored',
    'ctem.remediation_assigned',
    'ctem.exposure_scored',
  ]);
  expect(published[1]!.value.due_at).toBe(published[0]!.value.due_at);
});

describe('a resolved finding', () => {
  const resolved = { ...snykFinding, attributes: { ...snykFinding.attributes, status: 'resolved' } };

  test('verifies the remediation once, and says whether it was late', async () => {
    const { published, report, trail, clock } = await start();
    await report('snyk', snykFinding);
    clock.advance(25 * 3_600_000);
    await report('snyk', resolved);
    await report('snyk', resolved);
    expect(trail.events.slice(2)).toMatchObject([
      {
        event_type: 'ctem.remediation_verified',
        context: { late: true },
        outcome: { state_before: 'open', state_after: 'remediated' },
      },
    ]);
    expect(published.map(({ value }) => value.state)).toEqual(['open', 'remediated']);
  });

  test('of an unknown exposure changes nothing', async () => {
    const { published, report, trail } = await start();
    await report('snyk', resolved);
    expect([published, trail.events]).toEqual([[], []]);
  });

  test('that is open again is assigned again, with a new deadline', async () => {
    const { published, report, trail, clock } = await start();
    await report('snyk', snykFinding);
    await report('snyk', resolved);
    clock.advance(48 * 3_600_000);
    await report('snyk', snykFinding);
    expect(trail.events.at(-1)).toMatchObject({ outcome: { action_taken: 'assigned_again' } });
    expect(Date.parse(published.at(-1)!.value.due_at)).toBe(clock.now() + 24 * 3_600_000);
  });
});

test.each([
  ['wiz', { ...wizFinding, severity: 'EXTREME' }, '/severity'],
  ['snyk', { ...snykFinding, relationships: {} }, '/relationships/scan_item'],
  ['garak', { ...garakFinding, passed: 101 }, '/passed'],
  ['garak', { ...garakFinding, total_evaluated: 0 }, '/total_evaluated'],
  ['garak', { ...garakFinding, total_evaluated: undefined }, '/total_evaluated'],
  ['art', { ...artFinding, clean_accuracy: 0 }, '/clean_accuracy'],
  ['art', null, '/'],
] as const)('a malformed finding of %s is a dead letter with a record', async (source, payload, where) => {
  const { published, report, trail, topics } = await start();
  await report(source, payload);
  expect(published).toEqual([]);
  expect(topics.deadLetters).toMatchObject([
    { code: 'FINDING_MALFORMED', reason: `the ${source} finding has no valid ${where}` },
  ]);
  expect(trail.events).toMatchObject([
    {
      event_type: 'ctem.exposure_scored',
      outcome: { outcome_status: 'failure', error_code: 'FINDING_MALFORMED' },
    },
  ]);
});

test('without an emitter the messages are the same, byte for byte', async () => {
  const published = async (audit: boolean) => {
    const normaliser = await start({ audit });
    for (const source of findingSources) await normaliser.report(source, findingOf[source]);
    return JSON.stringify(normaliser.published);
  };
  expect(await published(false)).toBe(await published(true));
});
