import type { Stats } from '@tallystick/protocol';
import { expect, test } from 'vitest';
import { createClient } from '../../src/index.ts';

const page = (groups: Stats['groupings'][number]['groups'], more: Partial<Stats> = {}): Stats => ({
  tenant_id: 'acme',
  records: groups.reduce((sum, { records }) => sum + records, 0),
  groupings: [{ by: ['actor', 'day'], groups, groups_left_out: 0, records_left_out: 0 }],
  complete: true,
  reads_left_out: true,
  sensitive_left_out: false,
  time_zone: 'UTC',
  ...more,
});
const group = (actor: string | null, day: number, records: number) => ({
  values: { actor, day: `2026-03-0${day}T00:00:00Z` },
  records,
});

test('the counts of all parts are added, and are in the order of the service', async () => {
  const asked: string[] = [];
  const pages = [
    page([group('user:b', 2, 5), group('user:a', 3, 2)], {
      complete: false,
      next_cursor: 'x',
      estimate: true,
    }),
    page([group('user:a', 1, 4), group('user:a', 3, 1), group(null, 1, 1)]),
  ];
  const client = createClient({
    url: 'http://audit.example',
    fetch: async (url) => {
      asked.push(url.search);
      return Response.json(pages[asked.length - 1]);
    },
  });
  const query = { filters: { event_type: 'auth.*', not: { severity: 'info' } }, by: ['actor,day'] };
  const sum = await client.stats.getAll(query);
  expect(asked).toEqual([
    '?event_type=auth.*&not.severity=info&by=actor%2Cday',
    '?event_type=auth.*&not.severity=info&by=actor%2Cday&cursor=x',
  ]);
  expect(sum).toEqual({
    ...page([]),
    records: 13,
    estimate: true,
    groupings: [
      {
        by: ['actor', 'day'],
        groups: [group('user:a', 1, 4), group('user:a', 3, 3), group('user:b', 2, 5), group(null, 1, 1)],
        groups_left_out: 0,
        records_left_out: 0,
      },
    ],
  });
});

test('a sum of which newer records are missing is not complete', async () => {
  const pages = [
    page([group('a', 1, 1)], { complete: false, next_cursor: 'x', counted_to: 7 }),
    page([group('a', 1, 1)]),
  ];
  let at = 0;
  const client = createClient({ url: 'http://audit.example', fetch: async () => Response.json(pages[at++]) });
  expect(await client.stats.getAll()).toMatchObject({ records: 2, complete: false, counted_to: 7 });
});
