import { describe, expect, test } from 'vitest';
import { BatchScheduler } from '../../src/batch-scheduler/batch-scheduler.ts';
import type { Reviewed } from '../../src/batch-scheduler/learning.ts';
import { MemoryDocuments } from '../../src/platform/documents.ts';
import type { Investigation } from '../../src/platform/investigation.ts';
import type { FalsePositivePattern } from '../../src/platform/knowledge.ts';
import type { Reasoning } from '../../src/platform/reasoning.ts';
import { newLineage, testParts } from '../platform-parts.ts';

const closed = (at: number, change: Partial<Investigation> = {}): Investigation => ({
  investigation_id: `inv-${at}`,
  tenant_id: 'acme',
  alert_id: `alert-${at}`,
  state: 'closed',
  severity: 'low',
  title: `Scan of port ${at}`,
  source: 'suricata',
  techniques: ['T1046'],
  entity_ids: [`ip:192.0.2.${at}`, 'host:scanner'],
  verdict: 'false_positive',
  summary: `summary ${at % 2}`,
  confidence: 0.9,
  opened_at: '',
  closed_at: '',
  closed_by: 'analysis',
  ...change,
});

async function start({
  audit = true,
  review = {} as Partial<Reasoning>,
  reviewed = new MemoryDocuments<Reviewed>(),
} = {}) {
  const parts = testParts({ audit });
  const patterns = new MemoryDocuments<FalsePositivePattern>();
  const drafts = await parts.collect('playbooks.draft');
  let calls = 0;
  const scheduler = new BatchScheduler({
    ...parts,
    ...{ patterns, reviewed },
    reasoner: {
      reason: async () => {
        calls += 1;
        return {
          status: 'answered',
          techniques: [],
          recommendedActions: [],
          costUsd: 0,
          eventId: 'e',
          ...review,
        };
      },
    },
  });
  await scheduler.start();
  return {
    ...parts,
    scheduler,
    patterns,
    drafts,
    calls: () => calls,
    learn: async (...investigations: Investigation[]) => {
      for (const value of investigations) {
        await parts.topics.publish('investigations', {
          key: 'k',
          lineage: newLineage(value.tenant_id),
          value,
        });
      }
      await parts.topics.settled();
      await scheduler.flush();
    },
    types: () => parts.trail.events.map(({ event_type }) => event_type),
  };
}

test('three investigations of one kind without an attack become a proposed pattern, with what they have in common', async () => {
  const { learn, patterns, trail } = await start();
  await learn(closed(1), closed(2));
  expect(await patterns.list('acme')).toEqual([]);
  await learn(closed(3));
  const [pattern] = await patterns.list('acme');
  expect(pattern).toMatchObject({
    title: 'Scan of port 1',
    source: 'suricata',
    techniques: ['T1046'],
    entity_ids: ['host:scanner'],
    state: 'proposed',
    approved_by: [],
    derived_from: ['inv-1', 'inv-2', 'inv-3'],
  });
  expect(trail.events).toMatchObject([
    {
      event_type: 'fp_pattern.created',
      target_id: pattern!.pattern_id,
      context: { evidence_refs: ['inv-1', 'inv-2', 'inv-3'] },
      decision: { constraints_applied: ['2 people must approve it'] },
      outcome: { outcome_status: 'pending' },
    },
  ]);
  await learn(closed(4));
  expect(trail.events).toHaveLength(1);
});

test.each([
  ['of another source', { source: 'wazuh' as const }],
  ['of another kind', { title: 'Something else' }],
  ['of another tenant', { tenant_id: 'globex' }],
  ['that were attacks', { verdict: 'true_positive' as const, techniques: [] }],
  ['that a pattern closed', { closed_by: 'pattern' as const }],
  ['that are open', { state: 'awaiting_human' as const }],
])('investigations %s do not count', async (_name, change) => {
  const { learn, types } = await start();
  await learn(closed(1), closed(2), closed(3, change));
  expect(types()).toEqual([]);
});

test('nothing is learnt from a verdict that the review doubts', async () => {
  const { learn, types } = await start({ review: { verdict: 'true_positive' } });
  await learn(closed(1), closed(2), closed(3));
  expect(types()).toEqual([]);
});

test('three confirmed attacks with the same techniques become a draft of a playbook', async () => {
  const { learn, drafts, trail } = await start();
  const attacks = [1, 2, 3].map((at) =>
    closed(at, { verdict: 'true_positive', techniques: ['T1110', 'T1078'] }),
  );
  await learn(...attacks);
  await learn(closed(4, { verdict: 'true_positive', techniques: ['T1078', 'T1110'] }));
  expect(drafts.map(({ value }) => value)).toMatchObject([
    {
      techniques: ['T1110', 'T1078'],
      steps: ['summary 1', 'summary 0'],
      derived_from: ['inv-1', 'inv-2', 'inv-3'],
    },
  ]);
  expect(trail.events).toMatchObject([
    { event_type: 'playbook.generated', target_id: drafts[0]!.value.playbook_id },
  ]);
  expect(drafts[0]!.lineage.parentEventId).toBe(trail.events[0]!.audit_id);
});

test('an investigation that arrives twice is reviewed once', async () => {
  const { learn, calls } = await start();
  await learn(closed(1), closed(1));
  await learn(closed(1));
  expect(calls()).toBe(1);
});

test('a review without an answer is asked for again', async () => {
  const { learn, scheduler, calls } = await start({ review: { status: 'failed', reason: 'no provider' } });
  await learn(closed(1));
  expect([calls(), scheduler.waiting]).toEqual([1, 1]);
  await scheduler.flush();
  expect(calls()).toBe(2);
});

describe('people', () => {
  async function proposed() {
    const started = await start();
    await started.learn(closed(1), closed(2), closed(3));
    const [pattern] = await started.patterns.list('acme');
    const approve = (person: string) =>
      started.scheduler.approve('acme', pattern!.pattern_id, person, newLineage());
    return { ...started, id: pattern!.pattern_id, approve };
  }

  test('two different ones make a pattern active; both are recorded', async () => {
    const { approve, patterns, trail, id } = await proposed();
    expect((await approve('mia')).state).toBe('proposed');
    expect((await approve('jo')).state).toBe('active');
    expect(await patterns.get('acme', id)).toMatchObject({ state: 'active', approved_by: ['mia', 'jo'] });
    expect(trail.events.slice(1)).toMatchObject([
      {
        event_type: 'fp_pattern.approved',
        actor_type: 'user',
        actor_id: 'mia',
        outcome: { state_after: 'proposed' },
      },
      { event_type: 'fp_pattern.approved', actor_id: 'jo', outcome: { state_after: 'active' } },
      {
        event_type: 'fp_pattern.activated',
        parent_id: trail.events[2]!.audit_id,
        context: { pattern_approved_by: ['mia', 'jo'] },
      },
    ]);
  });

  test('one person can not approve twice, nor what is active, revoked or of another tenant', async () => {
    const { approve, scheduler, id, types } = await proposed();
    await approve('mia');
    await expect(approve('mia')).rejects.toMatchObject({ code: 'ALREADY_APPROVED' });
    await approve('jo');
    await expect(approve('kim')).rejects.toMatchObject({ code: 'NOT_PROPOSED' });
    await expect(scheduler.approve('globex', id, 'eve', newLineage('globex'))).rejects.toMatchObject({
      code: 'PATTERN_UNKNOWN',
    });
    expect(types().filter((type) => type === 'fp_pattern.approved')).toHaveLength(2);
  });

  test('one person can revoke it, once, and it never comes back', async () => {
    const { approve, scheduler, id, trail, learn, patterns } = await proposed();
    const revoke = () => scheduler.revoke('acme', id, 'mia', 'it hid an attack', newLineage());
    await revoke();
    await expect(revoke()).rejects.toMatchObject({ code: 'ALREADY_REVOKED' });
    await expect(approve('mia')).rejects.toMatchObject({ code: 'NOT_PROPOSED' });
    await learn(closed(9));
    expect(await patterns.get('acme', id)).toMatchObject({ state: 'revoked' });
    expect(trail.events.at(-1)).toMatchObject({
      event_type: 'fp_pattern.revoked',
      actor_id: 'mia',
      decision: { reasoning_summary: 'it hid an attack' },
      outcome: { state_before: 'proposed', state_after: 'revoked' },
    });
  });
});

test('without an emitter the results are the same, byte for byte', async () => {
  const results = async (audit: boolean) => {
    const { learn, patterns, drafts } = await start({ audit });
    await learn(closed(1), closed(2), closed(3));
    await learn(...[4, 5, 6].map((at) => closed(at, { verdict: 'true_positive' })));
    return JSON.stringify([await patterns.list('acme'), drafts]);
  };
  expect(await results(false)).toBe(await results(true));
});

// A process that was killed lost the list of what waited, and these investigations were never reviewed.
test('what waits for its review is reviewed after a restart, once', async () => {
  const reviewed = new MemoryDocuments<Reviewed>();
  const first = await start({ reviewed });
  await first.learn(closed(1));
  for (const value of [closed(2), closed(3)]) {
    await first.topics.publish('investigations', { key: 'k', lineage: newLineage('acme'), value });
  }
  await first.topics.settled();
  expect([first.scheduler.waiting, first.calls()]).toEqual([2, 1]);
  const second = await start({ reviewed });
  expect(second.scheduler.waiting).toBe(2);
  await second.scheduler.flush();
  expect(second.calls()).toBe(2);
  const third = await start({ reviewed });
  expect(third.scheduler.waiting).toBe(0);
});
