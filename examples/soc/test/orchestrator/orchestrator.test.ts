import { describe, expect, test } from 'vitest';
import { investigationIdOf } from '../../src/platform/investigation.ts';

import { attack, start } from './started-orchestrator.ts';

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
