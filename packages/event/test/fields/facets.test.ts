import { describe, expect, it } from 'vitest';
import { facetFields, facetValue, readGrouping, spanStart, timeFacetValue } from '../../src/index.ts';

describe('groupings', () => {
  it('are one or two parts, by the names of fields or of options', () => {
    expect(readGrouping('event_type')).toEqual({ fields: ['event_type'] });
    expect(readGrouping('actor, day')).toEqual({ fields: ['actor'], time: 'day' });
    expect(readGrouping('hour,type')).toEqual({ fields: ['event_type'], time: 'hour' });
    expect(readGrouping('outcome,target-type')).toEqual({ fields: ['outcome_status', 'target_type'] });
    expect(readGrouping('day')).toEqual({ fields: [], time: 'day' });
    for (const { name } of facetFields) expect(readGrouping(name)).toEqual({ fields: [name] });
  });

  it.each([
    '',
    ',',
    'actor,',
    'target_id',
    'day,hour',
    'day,day',
    'type,event_type',
    'actor,type,day',
    '__proto__',
  ])('are not read from %j', (text) => expect(readGrouping(text)).toBeUndefined());
});

describe('the value by which an event counts', () => {
  const event = {
    event_type: 'auth.login',
    actor_type: 'user',
    actor_id: 'ann',
    timestamp: '2026-03-01T23:59:59.999Z',
    outcome: { outcome_status: 'failure' },
  };

  it('is that of the field', () => {
    expect(facetValue(event, 'event_type')).toBe('auth.login');
    expect(facetValue(event, 'actor')).toBe('user:ann');
    expect(facetValue(event, 'outcome_status')).toBe('failure');
    expect(facetValue(event, 'target_type')).toBeNull();
    expect(facetValue(event, 'severity')).toBe('info');
  });

  it('is nothing where a forged event has another kind of value', () => {
    expect(facetValue({ ...event, event_type: 7 }, 'event_type')).toBeNull();
    expect(facetValue({ ...event, outcome: 'failure' }, 'outcome_status')).toBeNull();
    expect(timeFacetValue({ ...event, timestamp: 'yesterday' }, 'day')).toBeNull();
  });

  it('is the begin of the hour or the day in UTC', () => {
    expect(timeFacetValue(event, 'hour')).toBe('2026-03-01T23:00:00Z');
    expect(timeFacetValue(event, 'day')).toBe('2026-03-01T00:00:00Z');
    expect(timeFacetValue({ timestamp: '0001-01-01T00:30:00Z' }, 'hour')).toBe('0001-01-01T00:00:00Z');
    expect(spanStart(-1, 'day')).toBe(-86_400_000);
  });
});
