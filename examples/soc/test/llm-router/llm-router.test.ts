import { describe, expect, test } from 'vitest';
import { LlmRouter } from '../../src/llm-router/llm-router.ts';
import type { Standing } from '../../src/llm-router/standing-states.ts';
import type { Usage } from '../../src/llm-router/usage.ts';
import { offlineCatalog } from '../../src/models/catalogs.ts';
import { MemoryDocuments } from '../../src/platform/documents.ts';
import { newLineage, testParts } from '../platform-parts.ts';
import { controlled, modelCall, type ProviderStates } from './calls.ts';

function start(options: { audit?: boolean } = {}) {
  const parts = testParts(options);
  const providers: ProviderStates = {};
  const documents = { usage: new MemoryDocuments<Usage>(), standing: new MemoryDocuments<Standing>() };
  const restarted = () =>
    new LlmRouter({ ...parts, ...documents, catalog: offlineCatalog(controlled(providers)) });
  return {
    ...parts,
    ...{ providers, documents },
    router: restarted(),
    /** The router of the next process. Only what is in documents is left. */
    restarted,
    types: () => parts.trail.events.map(({ event_type }) => event_type),
  };
}

test('a call is answered by the primary provider, and costs what its tokens cost', async () => {
  const { router, trail } = start();
  const answer = await router.complete(modelCall());
  expect(answer).toMatchObject({
    status: 'answered',
    provider: 'offline',
    modelId: 'rules-fast',
    tier: '0',
    attempts: [{ provider: 'offline' }],
  });
  const { inputTokens, outputTokens } = answer.usage;
  expect(answer.costUsd).toBeCloseTo((inputTokens * 1 + outputTokens * 5) / 1e6, 6);
  expect(await router.spentUsd('acme')).toBe(answer.costUsd);
  expect(await router.spentUsd('globex')).toBe(0);
  expect(trail.events).toEqual([]);
});

test('if the primary fails, the fallback answers and the failover is recorded', async () => {
  const { router, trail, providers } = start();
  providers.offline = 'fails';
  expect(await router.complete(modelCall())).toMatchObject({
    status: 'answered',
    provider: 'offline-standby',
    attempts: [{ provider: 'offline', error: 'offline answered 503' }, { provider: 'offline-standby' }],
  });
  expect(trail.events).toMatchObject([
    {
      event_type: 'routing.provider_failover',
      tenant_id: 'acme',
      context: { primary_provider: 'offline', fallback_provider: 'offline-standby' },
      decision: { reasoning_summary: 'offline did not answer: offline answered 503' },
    },
  ]);
});

test('a provider that hangs counts as failed after the time-out', async () => {
  const { router, providers, clock, settings } = start();
  providers.offline = 'hangs';
  const answer = router.complete(modelCall());
  // The call has begun as soon as its timer is set.
  while (clock.pendingTimers === 0) await new Promise((resolve) => setImmediate(resolve));
  clock.advance(settings.router.callTimeoutMs);
  expect(await answer).toMatchObject({
    status: 'answered',
    provider: 'offline-standby',
    attempts: [{ error: 'no answer within 20000 ms' }, {}],
  });
});

test('five failures open the breaker of the provider; after 30 s one probe closes it', async () => {
  const { router, providers, clock, types, trail } = start();
  providers.offline = 'fails';
  for (let call = 0; call < 6; call++) await router.complete(modelCall());
  expect(types().filter((type) => type === 'circuit_breaker.opened')).toHaveLength(1);
  expect(trail.events.at(-1)).toMatchObject({
    event_type: 'routing.provider_failover',
    context: { provider_health: { offline: 'open', 'offline-standby': 'closed' } },
    decision: { reasoning_summary: 'offline did not answer: the circuit breaker is open' },
  });

  providers.offline = 'works';
  clock.advance(30_000);
  expect(await router.complete(modelCall({ lineage: newLineage('globex') }))).toMatchObject({
    provider: 'offline',
  });
  expect(trail.events.at(-1)).toMatchObject({
    event_type: 'circuit_breaker.closed',
    tenant_id: 'globex',
    target_id: 'offline',
    outcome: { state_before: 'half-open', state_after: 'closed' },
  });
});

test('if no provider answers, the platform is degraded until one does', async () => {
  const { router, providers, types } = start();
  providers.offline = providers['offline-standby'] = 'fails';
  const failed = await router.complete(modelCall());
  expect(failed).toMatchObject({ status: 'failed', reason: 'no provider answered' });
  expect(failed.provider).toBeUndefined();
  await router.complete(modelCall());
  providers.offline = 'works';
  await router.complete(modelCall());
  await router.complete(modelCall());
  expect(types().filter((type) => type.startsWith('degradation.'))).toEqual([
    'degradation.entered',
    'degradation.exited',
  ]);
});

// A router that was started again knew nothing of open breakers: the trail had one that opened twice and never closed, and calls of a
// provider whose breaker was open.
describe('after a restart', () => {
  test('an open breaker is open until a probe succeeds, and each change is recorded once', async () => {
    const { router, restarted, providers, clock, trail } = start();
    providers.offline = 'fails';
    for (let call = 0; call < 5; call++) await router.complete(modelCall());
    const second = restarted();
    expect(await second.complete(modelCall())).toMatchObject({
      attempts: [{ error: 'the circuit breaker is open' }, { provider: 'offline-standby' }],
    });
    clock.advance(30_000);
    await second.complete(modelCall());
    clock.advance(30_000);
    providers.offline = 'works';
    const third = restarted();
    expect(await third.complete(modelCall())).toMatchObject({ provider: 'offline' });
    await restarted().complete(modelCall());
    const changes = trail.events.filter(({ event_type }) => event_type.startsWith('circuit_breaker.'));
    expect(changes.map(({ outcome }) => `${outcome!.state_before} → ${outcome!.state_after}`)).toEqual([
      'closed → open',
      'half-open → open',
      'half-open → closed',
    ]);
  });

  test('a change that could not be stored did not happen', async () => {
    const { router, providers, documents, types } = start();
    providers.offline = 'fails';
    for (let call = 0; call < 4; call++) await router.complete(modelCall());
    const { put } = documents.standing;
    documents.standing.put = () => Promise.reject(new Error('the disk is full'));
    await expect(router.complete(modelCall())).rejects.toThrow('the disk is full');
    documents.standing.put = put;
    expect(types()).not.toContain('circuit_breaker.opened');
    // Four failures are stored. The next one is the fifth again.
    await router.complete(modelCall());
    expect(types()).toContain('circuit_breaker.opened');
  });

  // A kill lost the failures of a provider that had not opened its breaker: a provider that fails could be called far more often than allowed.
  test('failures of the process before count, and a success ends them', async () => {
    const { router, restarted, providers, types } = start();
    providers.offline = 'fails';
    for (let call = 0; call < 4; call++) await router.complete(modelCall());
    providers.offline = 'works';
    await restarted().complete(modelCall());
    providers.offline = 'fails';
    for (let call = 0; call < 4; call++) await restarted().complete(modelCall());
    expect(types()).not.toContain('circuit_breaker.opened');
    await restarted().complete(modelCall());
    expect(types()).toContain('circuit_breaker.opened');
  });

  test('degradation begins and ends once, and a limit is told once', async () => {
    const { router, restarted, providers, settings, types } = start();
    providers.offline = providers['offline-standby'] = 'fails';
    await router.complete(modelCall());
    await restarted().complete(modelCall());
    providers.offline = 'works';
    settings.router.spendPerMonthUsd.soft = 0;
    await restarted().complete(modelCall());
    await restarted().complete(modelCall());
    expect(types().filter((type) => type !== 'routing.provider_failover')).toEqual([
      'degradation.entered',
      'degradation.exited',
      'spend.soft_limit',
    ]);
  });

  test('calls at the same time record each change once', async () => {
    const { router, providers, types } = start();
    providers.offline = providers['offline-standby'] = 'fails';
    await Promise.all(Array.from({ length: 12 }, () => router.complete(modelCall())));
    const count = (name: string) => types().filter((type) => type === name).length;
    expect([count('degradation.entered'), count('circuit_breaker.opened')]).toEqual([1, 2]);
  });
});

describe('budgets', () => {
  test('a tenant without calls left in this hour is refused; others are not; the next hour is new', async () => {
    const { router, clock } = start();
    const call = (tenantId: string) =>
      router.complete(modelCall({ tenantTier: 'trial', lineage: newLineage(tenantId) }));
    for (let calls = 0; calls < 20; calls++) await call('acme');
    expect(await call('acme')).toMatchObject({
      status: 'refused',
      reason: 'QUOTA_EXCEEDED: 20 calls in this hour',
    });
    expect(await call('globex')).toMatchObject({ status: 'answered' });
    clock.advance(3_600_000);
    expect(await call('acme')).toMatchObject({ status: 'answered' });
  });

  // Each of many calls at once saw the count from before all of them, so they exceeded the quota, and the counts overwrote each other.
  test('calls at the same time do not exceed the quota, and each is counted and paid', async () => {
    const { router } = start();
    const calls = await Promise.all(
      Array.from({ length: 30 }, () => router.complete(modelCall({ tenantTier: 'trial' }))),
    );
    const answered = calls.filter(({ status }) => status === 'answered');
    expect(answered).toHaveLength(20);
    const paid = answered.reduce((sum, { costUsd }) => sum + costUsd, 0);
    expect(await router.spentUsd('acme')).toBeCloseTo(paid, 9);
    expect(await router.complete(modelCall({ tenantTier: 'trial' }))).toMatchObject({ status: 'refused' });
  });

  test('the soft limit is told once a month, the hard one refuses and is told once', async () => {
    const { router, settings, types, trail, clock } = start();
    const { costUsd } = await router.complete(modelCall());
    settings.router.spendPerMonthUsd = { soft: costUsd * 2, hard: costUsd * 4 };
    const statuses: string[] = [];
    for (let calls = 0; calls < 5; calls++) statuses.push((await router.complete(modelCall())).status);
    expect(statuses).toEqual(['answered', 'answered', 'answered', 'refused', 'refused']);
    expect(types()).toEqual(['spend.soft_limit', 'spend.hard_limit']);
    expect(trail.events[1]).toMatchObject({
      tenant_id: 'acme',
      context: { month: '2026-11' },
      outcome: { outcome_status: 'blocked' },
    });
    clock.advance(30 * 24 * 3_600_000);
    expect(await router.complete(modelCall())).toMatchObject({ status: 'answered' });
  });
});

test('without an emitter the answers are the same', async () => {
  const answers = async (audit: boolean) => {
    const { router, providers } = start({ audit });
    const all = [await router.complete(modelCall())];
    providers.offline = 'fails';
    for (let calls = 0; calls < 7; calls++) all.push(await router.complete(modelCall()));
    return JSON.stringify(all);
  };
  expect(await answers(false)).toBe(await answers(true));
});
