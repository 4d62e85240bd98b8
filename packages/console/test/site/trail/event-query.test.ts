import { expect, it } from 'vitest';
import {
  conditionsOf,
  eventQueryOf,
  isFilterField,
  listKeyOf,
  timeRangeOf,
} from '../../../src/site/trail/event-query.ts';

const now = Date.parse('2026-11-29T12:00:00Z');

it('turns the address into a query of the API', () => {
  const parameters = new URLSearchParams(
    'event_type=auth.*&event_type=data.read&not.actor_type=system&metadata.platform=web&last=1h&event=7&columns=actor&reads=1',
  );
  expect(eventQueryOf('acme', parameters, now)).toEqual({
    tenant_id: 'acme',
    include_reads: true,
    filters: {
      event_type: ['auth.*', 'data.read'],
      'metadata.platform': ['web'],
      not: { actor_type: ['system'] },
      from: '2026-11-29T11:00:00.000Z',
    },
  });
});

it('takes times in any zone, and ignores what is no time or no range', () => {
  const range = (query: string) => timeRangeOf(new URLSearchParams(query));
  expect(range('from=2026-11-29T13:00:00%2B01:00&to=soon')).toEqual({
    from: '2026-11-29T12:00:00.000Z',
    to: undefined,
  });
  expect(range('last=constructor')).toEqual({ from: undefined, to: undefined });
});

it('knows which parameters are fields', () => {
  expect(['actor_id', 'source_ip', 'metadata.a.b'].every(isFilterField)).toBe(true);
  expect(
    ['metadata', 'metadata.', 'actor_id.x', 'timestamp', 'tenant', '__proto__'].some(isFilterField),
  ).toBe(false);
  expect(conditionsOf(new URLSearchParams('tenant=acme&live=1&event=3'))).toEqual([]);
});

it('leads to another list only when the events differ', () => {
  const key = (query: string) => listKeyOf('acme', new URLSearchParams(query));
  expect(key('actor_id=jane&event=1')).toBe(key('columns=actor&actor_id=jane&live=1'));
  expect(key('actor_id=jane')).not.toBe(key('not.actor_id=jane'));
});
