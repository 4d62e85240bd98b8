import type { Client } from '@tallystick/client';
import { expect, it } from 'vitest';
import { countFacets, countText } from '../../../../src/site/events/filters/facet-counts.ts';

/** A client that notes what was asked, and counts each field once. */
function clientOf(answer: object = { complete: true }) {
  const asked: { readonly by: readonly string[]; readonly filters: object; readonly q?: string }[] = [];
  const get = async (query: (typeof asked)[number]) => {
    asked.push(query);
    const groups = (field: string) => [
      { values: { [field]: `some ${field}` }, records: 3 },
      { values: { [field]: null }, records: 1 },
    ];
    const groupings = query.by.map((field) => ({ by: [field], groups: groups(field), groups_left_out: 2 }));
    return { records: 4, groupings, sensitive_left_out: false, ...answer };
  };
  return { client: { stats: { get } } as unknown as Client, asked };
}
const { signal } = new AbortController();

it('counts all fields with one request, and a filtered field without its own filter', async () => {
  const { client, asked } = clientOf();
  const filters = { severity: ['critical'], actor_id: ['jane'] } as never;
  const counts = await countFacets(client, { tenant_id: 'acme', filters, q: 'text' }, signal);
  expect(asked.map(({ by, filters }) => [by.join(), Object.keys(filters).join()])).toEqual([
    ['event_type,outcome_status,actor,target_type,source_service', 'severity,actor_id'],
    ['severity', 'actor_id'],
  ]);
  expect(asked.map(({ q }) => q)).toEqual(['text', 'text']);
  expect(counts.facets.map(({ field }) => field).join()).toBe(
    'event_type,outcome_status,severity,actor,target_type,source_service',
  );
  expect(counts.facets[2]).toEqual({
    ...{
      field: 'severity',
      values: [{ value: 'some severity', records: 3 }],
      leftOut: 2,
      exactness: 'exact',
    },
  });
});

it.each([
  [{ complete: true }, 'exact', '1,204', '1,204'],
  [{ complete: true, estimate: true }, 'about', 'about 1,204', '~1,204'],
  [{ complete: false, estimate: true }, 'at_least', 'at least 1,204', '≥1,204'],
] as const)('says how far a count goes: %j', async (answer, exactness, long, short) => {
  const counts = await countFacets(clientOf(answer).client, {}, signal);
  expect(counts.exactness).toBe(exactness);
  expect([countText(1_204, exactness), countText(1_204, exactness, { short: true })]).toEqual([long, short]);
});
