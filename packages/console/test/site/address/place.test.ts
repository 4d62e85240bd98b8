import { expect, it } from 'vitest';
import { splitAddress, withChanges } from '../../../src/site/address/place.ts';

it('finds the page below any path of a proxy', () => {
  const { base, page, parameters } = splitAddress('/audit/console/events?tenant=acme&last=24h#top');
  expect([base, page]).toEqual(['/audit/console/', 'events']);
  expect([...parameters]).toEqual([
    ['tenant', 'acme'],
    ['last', '24h'],
  ]);
  expect(splitAddress('/console/').page).toBe('');
});

it('changes parameters, removes empty ones and keeps the others', () => {
  const before = new URLSearchParams('tenant=acme&event_type=a&event_type=b&event=1');
  const after = withChanges(before, { event_type: ['b', 'c'], event: undefined, last: '' });
  expect(after.toString()).toBe('tenant=acme&event_type=b&event_type=c');
  expect(before.get('event')).toBe('1');
});
