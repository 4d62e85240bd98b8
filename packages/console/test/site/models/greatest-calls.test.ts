import type { Client, TopQuery } from '@tallystick/client';
import type { TopEvents } from '@tallystick/protocol';
import { expect, it } from 'vitest';
import { greatestCalls, measureOf } from '../../../src/site/models/greatest-calls.ts';

const signal = new AbortController().signal;
const cost = measureOf(new URLSearchParams('by=cost'));

/** A service that answers with these values by path and cursor. */
function clientOf(answers: {
  readonly [key: string]: { values: readonly [string, unknown][]; next?: string };
}) {
  const asked: (TopQuery & { cursor?: string | undefined })[] = [];
  const top = async (query: (typeof asked)[number]) => {
    asked.push(query);
    const { values, next } = answers[[query.by, query.cursor ?? ''].join(' ').trim()]!;
    const events = values.map(([audit_id, value]) => ({ value, event: { audit_id } }));
    const answer = { records: values.length, events, complete: next === undefined, sensitive_left_out: true };
    return { ...answer, ...(next !== undefined && { next_cursor: next }) } as unknown as TopEvents;
  };
  return { client: { events: { top } } as unknown as Client, asked };
}
const idsOf = ({ calls }: Awaited<ReturnType<typeof greatestCalls>>) =>
  calls.map(({ value, event }) => `${String(event.audit_id)}:${value}`);

it('ranks the calls of both taxonomies together, each once, and goes on with older ones', async () => {
  const { client, asked } = clientOf({
    'context.llm_cost_usd': {
      values: [
        ['a', 3],
        ['b', 1],
      ],
      next: 'older',
    },
    'outcome.cost_usd': {
      values: [
        ['c', 2],
        ['a', 4],
        ['d', 'much'],
      ],
    },
    'context.llm_cost_usd older': { values: [['e', 9]] },
  });
  const query = { tenant_id: 'acme', filters: { actor_id: ['bot'] }, q: 'text', include: 'record' } as const;
  const first = await greatestCalls(client, query, cost, undefined, signal);
  expect(idsOf(first)).toEqual(['a:4', 'c:2', 'b:1']);
  expect([first.records, first.sensitiveLeftOut, first.next]).toEqual([5, true, ['older', undefined]]);
  const second = await greatestCalls(client, query, cost, first, signal);
  expect(idsOf(second)).toEqual(['e:9', 'a:4', 'c:2', 'b:1']);
  expect([second.records, second.sensitiveLeftOut, second.next]).toEqual([6, true, [undefined, undefined]]);
  const common = { tenant_id: 'acme', q: 'text', limit: 25 };
  expect(asked).toEqual([
    { ...common, by: 'context.llm_cost_usd', filters: { actor_id: ['bot'] }, cursor: undefined },
    {
      ...common,
      by: 'outcome.cost_usd',
      filters: { actor_id: ['bot'], event_type: ['agent.model.called'] },
      cursor: undefined,
    },
    { ...common, by: 'context.llm_cost_usd', filters: { actor_id: ['bot'] }, cursor: 'older' },
  ]);
});

it.each([
  [['agent.*'], 2],
  [['auth.login', 'agent.model.called'], 2],
  [['agents.*'], 1],
  [['routing.tier_selected'], 1],
])('does not widen a filter by type: %j', async (event_type, requests) => {
  const { client, asked } = clientOf({
    'context.llm_cost_usd': { values: [] },
    'outcome.cost_usd': { values: [] },
  });
  const { calls, next } = await greatestCalls(client, { filters: { event_type } }, cost, undefined, signal);
  expect([asked.length, calls.length, next]).toEqual([requests, 0, [undefined, undefined]]);
});

it('ranks by cost where the address names no measure that exists', () => {
  expect(measureOf(new URLSearchParams('by=constructor'))).toBe(cost);
});
