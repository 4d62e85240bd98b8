import { timelineRecord } from '@tallystick/protocol';
import { expect, it } from 'vitest';
import { modelWordsOf, reasonOf, whatOf, whoOf, whyOf } from '../../../src/site/timeline/record-words.ts';

const record = (event: object) => timelineRecord({ audit_id: 'a', event_type: 'x.y', ...event });

it('says what happened, why, who did it and what the model took', () => {
  const decided = record({
    ...{ actor_type: 'agent', actor_id: 'triage', target_type: 'host', target_id: 'line-4' },
    decision: { classification: 'true_positive', confidence: 0.9, reasoning_summary: 'a known beacon' },
    context: { llm_model_id: 'm1', llm_input_tokens: 100, llm_output_tokens: 20, llm_cost_usd: 0.0012 },
    outcome: { action_taken: 'isolate' },
  });
  expect(whatOf(decided, 'i')).toBe('isolate host:line-4, true_positive, confidence 0.9');
  expect(whyOf(decided)).toBe('a known beacon');
  expect(whoOf(decided)).toBe('agent triage');
  expect(modelWordsOf(decided)).toBe('m1 · 120 tokens · $0.0012');
});

it('says changes of state, and nothing where the record says nothing', () => {
  expect(whatOf(record({ outcome: { state_before: 'open', state_after: 'closed' } }), 'i')).toBe(
    'open → closed',
  );
  expect(whatOf(record({ decision: 'text', outcome: ['list'], context: null }), 'i')).toBe('');
  const about = record({ target_type: 'investigation', target_id: 'inv-1', outcome: { action_taken: 'x' } });
  expect(whatOf(about, 'inv-1')).toBe('x');
  expect(whyOf(record({ outcome: { error_code: 'E', error_message: 'broke' } }))).toBe('E: broke');
  expect(modelWordsOf(record({}))).toBeUndefined();
});

it('finds the reason of an action in what led to it, a few causes away', () => {
  const chain = [
    record({ audit_id: 'end', parent_id: 'intent' }),
    record({ audit_id: 'intent', parent_id: 'prepared' }),
    record({
      audit_id: 'prepared',
      parent_id: 'prepared',
      decision: { reasoning_summary: 'the plant is at risk' },
    }),
  ];
  const byId = new Map(chain.map((each) => [each.id, each]));
  expect(reasonOf(chain[0]!, byId)).toBe('the plant is at risk');
  expect(reasonOf(record({ audit_id: 'a', parent_id: 'gone' }), byId)).toBeUndefined();
  const circle = record({ audit_id: 'a', parent_id: 'a' });
  expect(reasonOf(circle, new Map([['a', circle]]))).toBeUndefined();
});
