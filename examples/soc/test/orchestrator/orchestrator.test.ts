import { describe, expect, test } from 'vitest';
import { parseAlert } from '../../src/entity-parser/parse-alert.ts';
import { Orchestrator } from '../../src/orchestrator/orchestrator.ts';
import type { Alert, AlertSource } from '../../src/platform/alert.ts';
import type { Controls } from '../../src/platform/controls.ts';
import { MemoryDocuments } from '../../src/platform/documents.ts';
import {
  investigationIdOf,
  type ResponsePlan,
  type ResponseReport,
} from '../../src/platform/investigation.ts';
import type { FalsePositivePattern } from '../../src/platform/knowledge.ts';
import type { Reasoning, ReasoningRequest } from '../../src/platform/reasoning.ts';
import { openControls } from '../controls.ts';
import { alertOf } from '../entity-parser/alerts.ts';
import { newLineage, testParts } from '../platform-parts.ts';

interface Options {
  readonly audit?: boolean;
  readonly answers?: readonly (Partial<Reasoning> | Error)[];
  readonly patterns?: readonly FalsePositivePattern[];
  readonly controls?: Partial<Controls>;
}

const attack: Partial<Reasoning> = {
  verdict: 'true_positive',
  confidence: 0.8,
  techniques: ['T1110'],
  recommendedActions: ['block_ip'],
};

async function start({ audit = true, answers = [attack], patterns = [], controls = {} }: Options = {}) {
  const parts = testParts({ audit });
  const requests: ReasoningRequest[] = [];
  const reasoner = {
    async reason(request: ReasoningRequest): Promise<Reasoning> {
      const answer = answers[Math.min(requests.length, answers.length - 1)]!;
      requests.push(request);
      if (answer instanceof Error) throw answer;
      return {
        status: 'answered',
        techniques: [],
        recommendedActions: [],
        summary: 'as the test says',
        costUsd: 0,
        eventId: parts.ids.next(),
        ...answer,
      };
    },
  };
  const stored = new MemoryDocuments<FalsePositivePattern>();
  for (const pattern of patterns) await stored.put(pattern.tenant_id, pattern.pattern_id, pattern);
  const investigations = await parts.collect('investigations');
  const plans = await parts.collect('actions.pending');
  const orchestrator = new Orchestrator({
    ...parts,
    reasoner,
    patterns: stored,
    controls: openControls(controls),
  });
  await orchestrator.start();
  return {
    ...parts,
    requests,
    investigations,
    plans,
    investigate: async (source: AlertSource, change: Partial<Alert> = {}, tenantId = 'acme') => {
      const raw = { source, received_at: '', payload: alertOf[source] };
      const alert = { ...parseAlert(tenantId, raw, parts.settings.alerts), ...change };
      const lineage = { ...newLineage(tenantId), parentEventId: undefined };
      await parts.topics.publish('alerts.normalized', { key: alert.alert_id, lineage, value: alert });
      await parts.topics.settled();
      return alert;
    },
    settle: async (plan: ResponsePlan, ...results: ResponseReport['results'][number]['result'][]) => {
      const { plan_id, investigation_id, tenant_id, actions } = plan;
      const value = {
        plan_id,
        investigation_id,
        tenant_id,
        results: actions.map(({ action_id }, at) => ({ action_id, result: results[at] ?? results.at(-1)! })),
      };
      await parts.topics.publish('actions.settled', {
        key: investigation_id,
        lineage: newLineage(tenant_id),
        value,
      });
      await parts.topics.settled();
    },
    /** The states that the trail shows, in order. */
    states: () =>
      parts.trail.events
        .filter(({ event_type }) => event_type === 'investigation.state_changed')
        .map(({ outcome }) => `${outcome!.state_before} → ${outcome!.state_after}`),
    types: () => parts.trail.events.map(({ event_type }) => event_type),
  };
}

const begun = ['none → received', 'received → parsing', 'parsing → enriching', 'enriching → reasoning'];

test('an attack with small actions: they run by themselves, and the investigation closes when they are done', async () => {
  const { investigate, plans, settle, states, types, investigations, trail } = await start();
  const alert = await investigate('wazuh');
  expect(plans[0]!.value).toMatchObject({
    playbook_id: 'pb-credentials',
    severity: 'medium',
    shadow: false,
    actions: [
      { kind: 'tag_host', target: { type: 'host', id: 'web-1' }, tier: 0 },
      { kind: 'block_ip', target: { type: 'ip', id: '192.0.2.44' }, tier: 1 },
    ],
  });
  await settle(plans[0]!.value, 'executed');
  expect(states()).toEqual([...begun, 'reasoning → responding', 'responding → closed']);
  expect(types().filter((type) => type !== 'investigation.state_changed')).toEqual([
    'investigation.enriched',
    'playbook.selected',
  ]);
  expect(investigations.map(({ value }) => [value.state, value.closed_by])).toEqual([
    ['responding', undefined],
    ['closed', 'response'],
  ]);
  for (const event of trail.events) {
    expect(event).toMatchObject({
      tenant_id: 'acme',
      alert_id: alert.alert_id,
      investigation_id: investigationIdOf(alert.alert_id),
      correlation_id: 'correlation-1',
    });
  }
});

test('each event names the event before it, except after a model call, which has a record of its own', async () => {
  const { investigate, trail, plans, settle } = await start();
  await investigate('wazuh');
  await settle(plans[0]!.value, 'executed');
  const ids = trail.events.map(({ audit_id }) => audit_id);
  const parents = trail.events.map(({ parent_id }) => parent_id);
  expect(parents[0]).toBeUndefined();
  const afterModel = trail.events.findIndex(({ event_type }) => event_type === 'playbook.selected');
  for (let at = 1; at < ids.length; at++) {
    if (at !== afterModel) expect(parents[at]).toBe(ids[at - 1]);
  }
  expect(parents[afterModel]).not.toBe(ids[afterModel - 1]);
});

describe('a human decides', () => {
  test('about actions of tier 2', async () => {
    const { investigate, plans, states, trail } = await start({
      answers: [{ ...attack, recommendedActions: ['revoke_sessions'] }],
    });
    await investigate('wazuh');
    expect(states().at(-1)).toBe('reasoning → awaiting_human');
    expect(plans[0]!.value.actions.map(({ kind }) => kind)).toEqual(['tag_host', 'revoke_sessions']);
    expect(trail.events.find(({ event_type }) => event_type === 'alert.escalated')).toMatchObject({
      decision: { reasoning_summary: 'revoke_sessions is an action of tier 2' },
      outcome: { outcome_status: 'pending' },
    });
  });

  test('if the model is not sure about a critical alert, after a second opinion', async () => {
    const { investigate, plans, requests, states } = await start({
      answers: [
        { ...attack, confidence: 0.55 },
        { ...attack, confidence: 0.59 },
      ],
    });
    await investigate('elastic');
    expect(requests.map(({ previousConfidence }) => previousConfidence)).toEqual([undefined, 0.55]);
    expect(states().at(-1)).toBe('reasoning → awaiting_human');
    expect(plans[0]!.value.actions[0]).toMatchObject({
      kind: 'confirm_verdict',
      reason: 'confidence 0.59 is below 0.6 for a critical alert',
    });
  });

  test('not if the second opinion is sure', async () => {
    const { investigate, states } = await start({
      answers: [
        { ...attack, confidence: 0.5 },
        { ...attack, confidence: 0.9 },
      ],
    });
    await investigate('elastic', { entities: [] });
    expect(states().at(-1)).toBe('reasoning → responding');
  });

  test('not if the model is unsure about a medium alert', async () => {
    const { investigate, requests, states } = await start({ answers: [{ ...attack, confidence: 0.3 }] });
    await investigate('wazuh');
    expect(requests).toHaveLength(1);
    expect(states().at(-1)).toBe('reasoning → responding');
  });

  test.each([
    [
      'quarantined',
      { status: 'quarantined', reason: 'alert-1 instructs the model' },
      'no conclusion: alert-1 instructs the model',
    ],
    ['refused', { status: 'refused', reason: 'SPEND_HARD_LIMIT' }, 'no conclusion: SPEND_HARD_LIMIT'],
    ['inconclusive', { verdict: 'inconclusive', confidence: 0.9 }, 'the model could not tell'],
  ] as const)('if the answer is %s', async (_name, answer, reason) => {
    const { investigate, plans, states } = await start({ answers: [answer] });
    await investigate('wazuh');
    expect(states().at(-1)).toBe('reasoning → awaiting_human');
    expect(plans[0]!.value.actions).toMatchObject([{ kind: 'confirm_verdict', reason }]);
  });
});

test('no attack: the alert is closed without a human', async () => {
  const { investigate, plans, states, trail, investigations } = await start({
    answers: [{ verdict: 'benign', confidence: 0.9 }],
  });
  await investigate('wazuh');
  expect(plans).toEqual([]);
  expect(states()).toEqual([...begun, 'reasoning → closed']);
  expect(trail.events.at(-2)).toMatchObject({
    event_type: 'alert.auto_closed',
    decision: { classification: 'benign', confidence: 0.9, confidence_basis: 'stated by the model' },
  });
  expect(investigations.at(-1)!.value).toMatchObject({
    state: 'closed',
    closed_by: 'analysis',
    verdict: 'benign',
  });
});

test('an alert that addresses a model is never closed by the word of a model', async () => {
  const { investigate, plans, states } = await start({ answers: [{ verdict: 'benign', confidence: 0.99 }] });
  const sign = { pattern: 'p', where: '/x', weight: 0.5, encoding: 'plain' as const };
  await investigate('wazuh', { injection: [sign] });
  expect(states().at(-1)).toBe('reasoning → awaiting_human');
  expect(plans[0]!.value.actions).toMatchObject([
    { kind: 'confirm_verdict', reason: 'the alert addresses a model' },
  ]);
});

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

describe('how a plan ends', () => {
  const large = { answers: [{ ...attack, recommendedActions: ['revoke_sessions'] }] };
  test.each([
    [['executed', 'executed'], ['awaiting_human → responding', 'responding → closed'], 'response'],
    [['executed', 'denied'], ['awaiting_human → responding', 'responding → closed'], 'human'],
    [['denied', 'denied'], ['awaiting_human → closed'], 'human'],
    [['timed_out', 'timed_out'], ['awaiting_human → closed'], 'timeout'],
    [['rolled_back', 'failed'], ['awaiting_human → failed'], undefined],
    [['shadowed', 'shadowed'], ['awaiting_human → closed'], 'human'],
  ] as const)('%j', async (results, expected, closedBy) => {
    const { investigate, plans, settle, states, investigations } = await start(large);
    await investigate('wazuh');
    await settle(plans[0]!.value, ...results);
    expect(states().slice(5)).toEqual(expected);
    expect(investigations.at(-1)!.value.closed_by).toBe(closedBy);
  });

  test('a report that arrives twice, or of another tenant, changes nothing', async () => {
    const { investigate, plans, settle, states, topics } = await start(large);
    await investigate('wazuh');
    await settle({ ...plans[0]!.value, tenant_id: 'globex' }, 'executed');
    expect(topics.deadLetters).toMatchObject([{ code: 'INVESTIGATION_UNKNOWN' }]);
    await settle(plans[0]!.value, 'executed');
    await settle(plans[0]!.value, 'failed');
    expect(states().at(-1)).toBe('responding → closed');
  });
});

test('an alert that arrives twice is investigated once', async () => {
  const { investigate, requests, plans } = await start();
  await investigate('wazuh');
  await investigate('wazuh');
  expect([requests.length, plans.length]).toEqual([1, 1]);
});

test('an error ends the investigation as failed, and says why', async () => {
  const { investigate, states, investigations, trail } = await start({
    answers: [new Error('out of memory')],
  });
  await investigate('wazuh');
  expect(states().at(-1)).toBe('reasoning → failed');
  expect(trail.events.at(-1)).toMatchObject({
    decision: { reasoning_summary: 'an error ended the investigation: out of memory' },
    outcome: { outcome_status: 'failure' },
  });
  expect(investigations.at(-1)!.value.state).toBe('failed');
});

test('without an emitter the messages are the same, byte for byte', async () => {
  const messages = async (audit: boolean) => {
    const { investigate, plans, settle, investigations } = await start({ audit });
    await investigate('wazuh');
    await settle(plans[0]!.value, 'executed');
    await investigate('elastic');
    return JSON.stringify([investigations, plans]);
  };
  expect(await messages(false)).toBe(await messages(true));
});
