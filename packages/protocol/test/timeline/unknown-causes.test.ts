import { expect, test } from 'vitest';
import type { EventView } from '../../src/api/events.ts';
import type { TimelineSource } from '../../src/timeline/read-timeline.ts';
import { readUnknownCauses } from '../../src/timeline/unknown-causes.ts';

const idOf = (at: number) => `019ca97b-f880-7000-8000-${String(at).padStart(12, '0')}`;

/** A trail whose record at a position names the cause that `causeOf` gives it. */
function trailOf(count: number, causeOf: (at: number) => string | undefined) {
  const events = Array.from({ length: count }, (_, at): EventView => {
    const cause = causeOf(at);
    return { audit_id: idOf(at), sequence_number: at, ...(cause !== undefined && { parent_id: cause }) };
  });
  const asked: string[] = [];
  const source: TimelineSource = {
    async list({ limit, cursor = String(count) }) {
      const from = Number(cursor);
      const page = events.slice(Math.max(0, from - limit), from).toReversed();
      const next = from - page.length;
      return { events: page, ...(next > 0 && { next_cursor: String(next) }) };
    },
    async get(id) {
      asked.push(id);
      return events.find(({ audit_id }) => audit_id === id);
    },
  };
  return { source, asked };
}

test('a cause is looked for among the records, then by its id', async () => {
  const causes = new Map([
    [1, idOf(0)],
    [8, idOf(2)],
    [9, idOf(99)],
  ]);
  const { source, asked } = trailOf(10, (at) => causes.get(at));
  const { found, more, read } = await readUnknownCauses(source, { filters: {}, records: 5 });
  expect(found).toEqual([{ cause: idOf(99), audit_id: idOf(9), sequence_number: 9 }]);
  expect([more, read]).toEqual([true, 5]);
  // Record 2 is not among the newest five.
  expect(asked).toEqual([idOf(99), idOf(2)]);
  expect(await readUnknownCauses(source, { filters: {}, records: 10 })).toMatchObject({
    more: false,
    read: 10,
  });
});

test('what is no id is not asked for, and is in no trail', async () => {
  const { source, asked } = trailOf(2, (at) => (at === 1 ? '../admin' : undefined));
  const { found } = await readUnknownCauses(source, { filters: {}, records: 9 });
  expect(found.map(({ cause }) => cause)).toEqual(['../admin']);
  expect(asked).toEqual([]);
});

test('so many ids are asked for, and no more', async () => {
  const { source, asked } = trailOf(60, (at) => idOf(1_000 + at));
  const { found, more } = await readUnknownCauses(source, { filters: {}, records: 100 });
  expect([asked.length, found.length, more]).toEqual([50, 50, true]);
});
