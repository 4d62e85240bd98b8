import { summarize, type Timeline } from '@tallystick/protocol';
import { describe, expect, test } from 'vitest';
import { sectionsOf } from '../../src/timeline/sections.ts';
import { recordOf } from './record-of.ts';

type Given = Partial<Omit<Timeline, 'records'>>;

function sections(events: Parameters<typeof recordOf>[0][], given: Given = {}) {
  const timeline: Timeline = {
    tenantId: 'acme',
    subject: { investigation_id: 'inv-1' },
    records: events.map(recordOf),
    isCut: false,
    outside: new Map(),
    outsideIsCut: false,
    deliveries: [],
    deliveriesAreCut: false,
    ...given,
  };
  return Object.fromEntries(sectionsOf(timeline, summarize(timeline)));
}

const success = { outcome_status: 'success' };
const intent = {
  audit_id: 'i',
  event_type: 'agent.action.intended',
  context: { action: 'stop_line' },
  target_type: 'host',
  target_id: 'line-4',
};

describe('models', () => {
  const call = {
    llm_provider: 'p',
    llm_model_id: 'm',
    llm_model_tier: '1',
    llm_input_tokens: 10,
    llm_output_tokens: 2,
  };
  test('calls, tokens and cost are added by model, and a call without a cost is named', () => {
    const { Models } = sections([
      { audit_id: 'a', context: { ...call, llm_cost_usd: 0.25 } },
      { audit_id: 'b', context: call },
      {
        audit_id: 'c',
        event_type: 'agent.model.called',
        context: { 'gen_ai.provider.name': 'q', 'gen_ai.request.model': 'n', 'gen_ai.usage.input_tokens': 7 },
        outcome: { cost_usd: 1, duration_ms: 20 },
      },
    ]);
    expect(Models).toEqual([
      'p m tier 1: 2 calls, $0.25, 20 tokens in, 4 out, 0 ms; the cost of 1 call is not on record',
      'q n: 1 call, $1.00, 7 tokens in, 0 out, 20 ms',
      'together 3 calls, $1.25',
    ]);
  });

  test('numbers that are none do not count', () => {
    const { Models } = sections([
      {
        audit_id: 'a',
        context: { ...call, llm_cost_usd: -5, llm_input_tokens: '9', llm_output_tokens: null },
      },
    ]);
    expect(Models).toEqual([
      'p m tier 1: 1 call, $0.00, 0 tokens in, 0 out, 0 ms; the cost of 1 call is not on record',
    ]);
  });
});

test('a decision names the person, the time that it took and the comment', () => {
  const { People } = sections([
    {
      audit_id: 'd',
      event_type: 'approval.denied',
      actor_type: 'user',
      actor_id: 'mia',
      context: { action: 'stop_line' },
      outcome: { approval_received_from: 'mia', approval_latency_ms: 2_000, approval_comment: 'not now' },
    },
  ]);
  expect(People).toEqual(['mia denied stop_line after 2.00 s: not now (#0)']);
});

describe('what was done', () => {
  const executed = {
    audit_id: 'e',
    parent_id: 'i',
    event_type: 'response.executed',
    outcome: { ...success, action_taken: 'stop_line', action_target: 'host:line-4' },
  };
  const completed = {
    audit_id: 'c',
    parent_id: 'i',
    event_type: 'agent.action.completed',
    at: 1,
    outcome: success,
  };

  test('the records of the application and of its gate count once', () => {
    const { Done, Missing } = sections([intent, executed, completed]);
    expect(Done).toEqual(['stop_line host:line-4 (#0, #1)']);
    expect(Missing![0]).toMatch(/^nothing that these 3 records show/);
  });

  test('two records that disagree are shown as such', () => {
    const outcome = { outcome_status: 'timed_out', error_code: 'EFFECT_TIMED_OUT' };
    const { Done, 'Not done': notDone, Missing } = sections([intent, executed, { ...completed, outcome }]);
    expect(Done).toEqual(['nothing']);
    expect(notDone).toEqual(['stop_line host:line-4: success, timed_out (EFFECT_TIMED_OUT) (#0, #1)']);
    expect(Missing).toEqual([
      'the records #0, #1 disagree on how stop_line ended: success, timed_out (EFFECT_TIMED_OUT)',
    ]);
  });

  test('a denial by people, one by the policy, shadow mode and an undone action are not done', () => {
    const { 'Not done': notDone, Undone } = sections([
      { ...intent, audit_id: 'i1' },
      {
        audit_id: 'a1',
        parent_id: 'i1',
        event_type: 'agent.action.abandoned',
        context: { action: 'stop_line' },
        outcome: { outcome_status: 'denied', error_code: 'APPROVAL_DENIED' },
      },
      { ...intent, audit_id: 'i2' },
      {
        audit_id: 'a2',
        parent_id: 'i2',
        event_type: 'agent.action.decided',
        context: { action: 'wipe' },
        decision: { effect: 'deny' },
      },
      {
        audit_id: 's',
        event_type: 'shadow.decision_logged',
        decision: { classification: 'block_ip' },
        outcome: success,
      },
      {
        audit_id: 'u',
        event_type: 'response.rolled_back',
        outcome: { outcome_status: 'rolled_back', action_taken: 'undo block_ip' },
      },
    ]);
    expect(notDone).toEqual([
      'stop_line: denied (APPROVAL_DENIED) (#0)',
      'wipe: denied by the policy (#0)',
      'block_ip: shadow mode (#0)',
    ]);
    expect(Undone).toEqual(['undo block_ip: rolled_back (#0)']);
  });
});

test('what was kept from a model is named, with the reason', () => {
  const { Quarantined } = sections([
    {
      audit_id: 'q',
      event_type: 'injection.quarantined',
      decision: { reasoning_summary: 'alert-1 instructs the model: ignore-previous' },
    },
    {
      audit_id: 'd',
      event_type: 'injection.detected',
      target_type: 'alert',
      target_id: 'alert-1',
      context: { detections: [{ pattern: 'ignore-previous' }, { pattern: 7 }, null] },
    },
  ]);
  expect(Quarantined).toEqual([
    'injection.quarantined: alert-1 instructs the model: ignore-previous (#0)',
    'injection.detected: alert:alert-1: ignore-previous (#0)',
  ]);
});

describe('what is missing', () => {
  const missing = (events: Parameters<typeof recordOf>[0][], given?: Given) =>
    sections(events, given).Missing;

  test('an action without an end, one that waits for people, and one that was only prepared', () => {
    const asked = { audit_id: 'r', event_type: 'approval.requested', parent_id: 'w' };
    expect(
      missing([
        intent,
        { ...intent, audit_id: 'w' },
        asked,
        { audit_id: 'p', event_type: 'response.prepared', outcome: { action_taken: 'block_ip' } },
      ]),
    ).toEqual([
      'stop_line host:line-4 (#0) was declared, and no record says how it ended',
      'stop_line host:line-4 (#0) waits for an approval',
      'block_ip (#0) was prepared, and no record says what became of it',
    ]);
  });

  test('an end that the service missed is no end', () => {
    const unresolved = { audit_id: 'n', parent_id: 'i', event_type: 'agent.action.unresolved' };
    expect(missing([intent, unresolved])).toContain(
      'stop_line host:line-4 (#0) was declared, and no record says how it ended',
    );
  });

  test('a cause that the trail does not have, and not one that it has elsewhere', () => {
    const outside = new Map([
      ['gone', undefined],
      ['elsewhere', { audit_id: 'elsewhere', event_type: 'alert.classified' }],
    ]);
    expect(
      missing(
        [
          { audit_id: 'a', parent_id: 'gone' },
          { audit_id: 'b', parent_id: 'elsewhere' },
        ],
        { outside },
      ),
    ).toEqual(['#0 names a cause that is not in the trail: gone']);
  });

  test('a change of state that begins where no other ended, in whatever order they are', () => {
    const state = (state_before: string, state_after: string, at: number) => ({
      audit_id: `${at}`,
      at,
      event_type: 'investigation.state_changed',
      outcome: { state_before, state_after },
    });
    const first = state('none', 'received', 0);
    const last = state('reasoning', 'closed', 1);
    expect(missing([first, last])).toEqual(['no record says how the state became reasoning before #1']);
    const complete = missing([last, state('received', 'reasoning', 2), first]);
    expect(complete).toEqual([expect.stringMatching(/^nothing that these 3 records show/)]);
  });

  test('losses of its producers, a conflict about its events, and refused events of the tenant', () => {
    const own = { audit_id: 'a', ingest: { producer_id: 'p1' } };
    const told = (event_type: string, target_id: string, metadata = {}) => ({
      event_type,
      target_id,
      metadata,
      sequence_number: 9,
      ingested_at: '2026-03-02T00:00:00.000Z',
    });
    const deliveries = [
      told('delivery.gap', 'p1', { events: 3, service: 'soc' }),
      told('delivery.gap', 'p2', { events: 4 }),
      told('delivery.unclosed', 'p1'),
      told('delivery.conflict', 'a'),
      told('delivery.conflict', 'another'),
      told('delivery.dead_lettered', 'acme', { count: 2 }),
    ];
    expect(missing([own], { deliveries })).toEqual([
      'the producer of soc that wrote records of it lost 3 events, which may belong to it (#9 delivery.gap)',
      'the producer that wrote records of it ended without saying how many events it had, so its last ones may be missing (#9 delivery.unclosed)',
      'another event had the id a, and was refused (#9 delivery.conflict)',
      '2 events of this tenant were refused since its first record, and may belong to it: see the dead letters (tally dlq list)',
    ]);
  });

  test('records that can not be read, and records that are not what they seem', () => {
    expect(
      missing([
        { audit_id: 'r', redacted: true },
        { audit_id: 'd', damaged: true },
        { audit_id: 'c', claimed: true },
      ]),
    ).toEqual([
      "1 sensitive record can't be read with this key: #0",
      "1 record can't be read: #0; the trail was changed",
      '#0: written by a client, though only the service writes such records; do not rely on it',
    ]);
  });

  test('a list that was cut off', () => {
    expect(missing([{ audit_id: 'a' }], { isCut: true, outsideIsCut: true, deliveriesAreCut: true })).toEqual(
      [
        'there are more records than the 1 that were read; a higher limit reads up to 10000',
        'only 0 causes outside of it were looked up',
        'only the newest 0 records about deliveries were read',
      ],
    );
  });
});
