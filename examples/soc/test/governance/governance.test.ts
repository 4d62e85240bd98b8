import { describe, expect, test } from 'vitest';
import { parseAlert } from '../../src/entity-parser/parse-alert.ts';
import type { Investigation } from '../../src/platform/investigation.ts';
import { alertOf } from '../entity-parser/alerts.ts';
import { newLineage } from '../platform-parts.ts';

import { acme, action, start } from './started-governance.ts';

describe('settings', () => {
  test('a change is recorded with both values', async () => {
    const { governance, settings, trail } = await start();
    await governance.changeSetting('router.breaker.failures', 3, 'mia', 'it reacts too late', acme);
    expect(settings.router.breaker.failures).toBe(3);
    expect(trail.events).toMatchObject([
      {
        event_type: 'config.changed',
        actor_id: 'mia',
        target_id: 'router.breaker.failures',
        context: { value_before: 5, value_after: 3 },
        outcome: { state_before: '5', state_after: '3' },
      },
    ]);
  });

  test.each([
    ['router.breaker.failurs', 3, 'SETTING_UNKNOWN'],
    ['router.breaker', 3, 'SETTING_UNKNOWN'],
    ['router.constructor.name', 'x', 'SETTING_UNKNOWN'],
    ['__proto__.x', 1, 'SETTING_UNKNOWN'],
    ['router.breaker.failures', '3', 'SETTING_INVALID'],
    ['router.breaker.failures', -1, 'SETTING_INVALID'],
    ['router.breaker.failures', Number.NaN, 'SETTING_INVALID'],
    ['router.breaker.failures', 5, 'NO_CHANGE'],
  ])('%s = %j is refused: %s', async (path, value, code) => {
    const { governance, settings, trail } = await start();
    const before = structuredClone(settings);
    await expect(governance.changeSetting(path, value, 'mia', 'r', acme)).rejects.toMatchObject({ code });
    expect(settings).toEqual(before);
    expect(trail.events).toEqual([]);
  });
});

// Settings, canaries and the knowledge base were lost with the process: the trail said what did not hold any more.
describe('after a restart', () => {
  test('a changed setting holds, and is not recorded again', async () => {
    const { governance, restarted, types } = await start();
    await governance.changeSetting('router.breaker.failures', 3, 'mia', 'it reacts too late', acme);
    const next = await restarted();
    expect(next.settings.router.breaker.failures).toBe(3);
    await next.governance.changeSetting('router.breaker.failures', 5, 'mia', 'back', acme);
    expect((await restarted()).settings.router.breaker.failures).toBe(5);
    expect(types()).toEqual(['config.changed', 'config.changed']);
  });

  test('a change that could not be stored does not hold', async () => {
    const { governance, documents, settings, trail } = await start();
    documents.changedSettings.put = () => Promise.reject(new Error('the disk is full'));
    const change = governance.changeSetting('router.breaker.failures', 3, 'mia', 'r', acme);
    await expect(change).rejects.toThrow('the disk is full');
    expect(settings.router.breaker.failures).toBe(5);
    expect(trail.events).toEqual([]);
  });

  test('a canary goes on, and knowledge that did not change is not indexed again', async () => {
    const { governance, restarted, types } = await start();
    const articles = [{ article_id: 'phishing', text: 'How to judge a mail' }];
    const canary = await governance.startCanary('prompt 2', acme);
    await governance.refreshKnowledge(articles, acme);
    const next = await restarted();
    await next.governance.refreshKnowledge(articles, acme);
    for (let state = 'running'; state === 'running'; )
      state = await next.governance.compareCanary(canary, true, acme);
    expect(types()).toEqual(['knowledge.indexed', 'canary.promoted']);
  });
});

describe('shadow mode', () => {
  test('two different people end it', async () => {
    const { governance, trail } = await start();
    const shady = newLineage('shady');
    expect([
      await governance.isShadow('acme'),
      await governance.isShadow('shady'),
      await governance.isShadow('stranger'),
    ]).toEqual([false, true, true]);
    expect(await governance.approveGoLive('mia', 'two good weeks', shady)).toBe(false);
    await expect(governance.approveGoLive('mia', 'again', shady)).rejects.toMatchObject({
      code: 'SAME_PERSON',
    });
    expect(await governance.isShadow('shady')).toBe(true);
    expect(await governance.approveGoLive('jo', 'agreed', shady)).toBe(true);
    expect(await governance.isShadow('shady')).toBe(false);
    await expect(governance.approveGoLive('kim', 'r', shady)).rejects.toMatchObject({
      code: 'NOT_IN_SHADOW',
    });
    expect(trail.events).toMatchObject([
      { event_type: 'shadow.go_live_approved', actor_id: 'mia', outcome: { state_after: 'shadow' } },
      { event_type: 'shadow.go_live_approved', actor_id: 'jo', outcome: { state_after: 'live' } },
    ]);
  });
});

describe('canaries', () => {
  const run = async (agreements: readonly boolean[]) => {
    const { governance, trail } = await start();
    const id = await governance.startCanary('prompt 2', acme);
    let state = 'running';
    for (const agrees of agreements) {
      if (state === 'running') state = await governance.compareCanary(id, agrees, acme);
    }
    return { governance, trail, id, state };
  };
  const of = (agreed: number, disagreed: number) => [
    ...Array<boolean>(disagreed).fill(false),
    ...Array<boolean>(agreed).fill(true),
  ];

  test('one that agrees is promoted after 20 decisions, and judged once', async () => {
    const { governance, trail, id, state } = await run(of(19, 1));
    expect(state).toBe('promoted');
    expect(trail.events).toMatchObject([
      {
        event_type: 'canary.promoted',
        context: { decisions_compared: 20, decisions_agreed: 19 },
        decision: { confidence: 0.95 },
      },
    ]);
    await expect(governance.compareCanary(id, true, acme)).rejects.toMatchObject({ code: 'CANARY_UNKNOWN' });
    await expect(governance.compareCanary(id, true, newLineage('globex'))).rejects.toMatchObject({
      code: 'CANARY_UNKNOWN',
    });
  });

  test.each([
    ['at the end', of(18, 2), 20],
    ['early, once it can not succeed', of(15, 5), 5],
  ])('one that disagrees is rolled back %s', async (_name, agreements, compared) => {
    const { trail, state } = await run(agreements);
    expect(state).toBe('rolled_back');
    expect(trail.events).toMatchObject([
      { event_type: 'canary.rolled_back', context: { decisions_compared: compared } },
    ]);
  });
});

test('indicators that a source knows are recorded, others are not', async () => {
  const { topics, trail, settings } = await start();
  const value = parseAlert(
    'acme',
    { source: 'suricata', received_at: '', payload: alertOf.suricata },
    settings.alerts,
  );
  await topics.publish('alerts.normalized', { key: 'k', lineage: acme, value });
  await topics.settled();
  expect(
    trail.events.map(({ event_type, target_id, alert_id }) => [event_type, target_id, alert_id]),
  ).toEqual([
    ['ioc.enriched', '203.0.113.9', value.alert_id],
    ['ioc.enriched', 'c2.evil.example', value.alert_id],
  ]);
});

test('only new and changed articles are indexed; only changed ones get new vectors', async () => {
  const { governance, trail, types } = await start();
  const articles = [
    { article_id: 'a', text: 'one' },
    { article_id: 'b', text: 'two' },
  ];
  await governance.refreshKnowledge(articles, acme);
  await governance.refreshKnowledge(articles, acme);
  expect(types()).toEqual(['knowledge.indexed']);
  await governance.refreshKnowledge(
    [
      { article_id: 'a', text: 'changed' },
      { article_id: 'c', text: 'new' },
    ],
    acme,
  );
  expect(trail.events.slice(1)).toMatchObject([
    {
      event_type: 'knowledge.indexed',
      context: { articles_added: ['c'], articles_changed: ['a'], articles_removed: ['b'] },
    },
    { event_type: 'embedding.reindexed', context: { articles_changed: ['a'] } },
  ]);
});

test('a closed investigation gets its final report, once', async () => {
  const { topics, trail } = await start();
  const value: Investigation = {
    investigation_id: 'inv-1',
    tenant_id: 'acme',
    alert_id: 'a',
    state: 'closed',
    severity: 'high',
    title: 'Brute force',
    source: 'wazuh',
    techniques: ['T1110'],
    entity_ids: [],
    verdict: 'true_positive',
    confidence: 0.8,
    summary: 'It was one.',
    opened_at: '',
    closed_at: '',
    closed_by: 'response',
  };
  for (const state of ['awaiting_human', 'closed', 'closed'] as const) {
    await topics.publish('investigations', { key: 'k', lineage: acme, value: { ...value, state } });
  }
  await topics.settled();
  expect(trail.events).toMatchObject([
    {
      event_type: 'response.generated',
      target_id: 'inv-1',
      decision: {
        reasoning_summary:
          'wazuh: Brute force. Verdict: true_positive, closed by response. Techniques: T1110. It was one.',
      },
    },
  ]);
});

test('without an emitter everything is decided in the same way', async () => {
  const decided = async (audit: boolean) => {
    const { governance } = await start({ audit });
    const all: unknown[] = [];
    for (let at = 0; at < 22; at++) {
      all.push(await governance.admitAutomatic(acme, { ...action, action_id: `a-${at}` }));
    }
    all.push(
      await governance.approveGoLive('mia', 'r', newLineage('shady')),
      await governance.startCanary('x', acme),
    );
    return JSON.stringify(all);
  };
  expect(await decided(false)).toBe(await decided(true));
});
