import { describe, expect, test } from 'vitest';
import type { Controls } from '../../src/platform/controls.ts';
import { investigationIdOf } from '../../src/platform/investigation.ts';
import type { FalsePositivePattern } from '../../src/platform/knowledge.ts';
import { newLineage } from '../platform-parts.ts';

import { start } from './started-orchestrator.ts';

/** What the orchestrator looks up before it asks a model. */

describe('a known false positive', () => {
  const pattern: FalsePositivePattern = {
    pattern_id: 'fp-1',
    tenant_id: 'acme',
    title: 'sshd: brute force trying to get access to the system',
    source: 'wazuh',
    techniques: ['T1110'],
    entity_ids: ['ip:192.0.2.44'],
    state: 'active',
    approved_by: ['mia', 'jo'],
    derived_from: [],
  };

  test('is closed without a model, and both records name the pattern', async () => {
    const { investigate, requests, states, trail, investigations } = await start({ patterns: [pattern] });
    await investigate('wazuh');
    expect(requests).toEqual([]);
    expect(states()).toEqual(['none → received', 'received → parsing', 'parsing → closed']);
    expect(trail.events.slice(2, 4)).toMatchObject([
      {
        event_type: 'alert.short_circuited',
        context: { fp_patterns_checked: 1, fp_pattern_matched: 'fp-1', pattern_approved_by: ['mia', 'jo'] },
        decision: { confidence: 1 },
      },
      { event_type: 'alert.auto_closed', context: { fp_pattern_matched: 'fp-1' } },
    ]);
    expect(investigations.at(-1)!.value).toMatchObject({ closed_by: 'pattern', verdict: 'false_positive' });
  });

  test.each([
    ['the pattern is not active', { patterns: [{ ...pattern, state: 'proposed' as const }] }, {}],
    ['the pattern is of another tenant', { patterns: [{ ...pattern, tenant_id: 'globex' }] }, {}],
    [
      'the alert fits less than 0.9',
      {
        patterns: [
          {
            ...pattern,
            techniques: ['T1110', 'T1003', 'T1078'],
            entity_ids: ['ip:192.0.2.44', 'host:other'],
          },
        ],
      },
      {},
    ],
    ['the tenant is in shadow mode', { patterns: [pattern], controls: { isShadow: async () => true } }, {}],
    ['a kill switch stops it', { patterns: [pattern], controls: { isKilled: async () => true } }, {}],
    [
      'the alert has signs of injection',
      { patterns: [pattern] },
      { injection: [{ pattern: 'p', where: '/x', weight: 0.5, encoding: 'plain' as const }] },
    ],
  ])('is analysed if %s', async (_name, options, change) => {
    const { investigate, requests } = await start(options);
    await investigate('wazuh', change);
    expect(requests).toHaveLength(1);
  });

  test('the kill switch is asked about tenant, pattern, source and techniques', async () => {
    const asked: unknown[] = [];
    const isKilled: Controls['isKilled'] = async (...all) => asked.push(all) === 0;
    const { investigate } = await start({ patterns: [pattern], controls: { isKilled } });
    await investigate('wazuh');
    expect(asked).toEqual([
      [
        'acme',
        [
          { kind: 'tenant', value: 'acme' },
          { kind: 'pattern', value: 'fp-1' },
          { kind: 'source', value: 'wazuh' },
          { kind: 'technique', value: 'T1110' },
        ],
      ],
    ]);
  });
});

describe('evidence', () => {
  test('exposures, detections and earlier investigations of the tenant are found, and of no other', async () => {
    const { investigate, topics, requests, trail, clock } = await start({
      answers: [{ verdict: 'benign', confidence: 0.9 }],
    });
    for (const tenant_id of ['acme', 'globex']) {
      await topics.publish('ctem.normalized', {
        key: 'e',
        lineage: newLineage(tenant_id),
        value: {
          exposure_id: `exposure-${tenant_id}`,
          exposure_key: 'e',
          tenant_id,
          source: 'wiz',
          title: 'Open port',
          weakness: 'w',
          asset: 'WEB-1',
          exploitability: 1,
          consequence: 'data',
          score: 3,
          severity: 'medium',
          owner: 'it',
          due_at: '',
          state: 'open',
          found_at: '',
        },
      });
      await topics.publish('atlas.detections', {
        key: 'd',
        lineage: newLineage(tenant_id),
        value: {
          detection_id: `detection-${tenant_id}`,
          tenant_id,
          rule: 'insider',
          techniques: ['T1078'],
          subject: 'web-1',
          confidence: 1,
          time: new Date(clock.now()).toISOString(),
          evidence: ['downloads'],
        },
      });
    }
    await topics.settled();
    const first = await investigate('wazuh', { alert_id: 'alert-a' });
    await investigate('wazuh', { alert_id: 'alert-b' });
    await investigate('wazuh', { alert_id: 'alert-c' }, 'globex');
    expect(requests[1]!.evidence.map(({ ref }) => ref)).toEqual([
      'alert-b',
      'detection-acme',
      'exposure-acme',
      investigationIdOf(first.alert_id),
    ]);
    expect(requests[2]!.evidence.map(({ ref }) => ref)).toEqual([
      'alert-c',
      'detection-globex',
      'exposure-globex',
    ]);
    expect(trail.events.filter(({ event_type }) => event_type === 'investigation.enriched')[1]).toMatchObject(
      {
        context: { similar_incidents_found: 1, ctem_exposures_matched: 1, atlas_detections_matched: 1 },
      },
    );
  });

  test('an old detection and a remediated exposure do not count', async () => {
    const { investigate, topics, requests, clock } = await start();
    await topics.publish('atlas.detections', {
      key: 'd',
      lineage: newLineage(),
      value: {
        detection_id: 'd',
        tenant_id: 'acme',
        rule: 'r',
        techniques: [],
        subject: 'web-1',
        confidence: 1,
        time: new Date(clock.now() - 25 * 3_600_000).toISOString(),
        evidence: [],
      },
    });
    await topics.settled();
    await investigate('wazuh');
    expect(requests[0]!.evidence).toHaveLength(1);
  });
});
