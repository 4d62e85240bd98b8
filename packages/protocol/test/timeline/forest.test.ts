import fc from 'fast-check';
import { expect, test } from 'vitest';
import { forestOf } from '../../src/timeline/forest.ts';
import { recordOf } from './record-of.ts';

const draw = (...events: Parameters<typeof recordOf>[0][]) =>
  forestOf(events.map(recordOf)).map(({ record, head }) => `${head}${record.id}`);

test('the child that ends last continues the line, and the others branch off before it', () => {
  expect(
    draw(
      { audit_id: 'alert', at: 0 },
      { audit_id: 'model', parent_id: 'alert', at: 1 },
      { audit_id: 'answer', parent_id: 'model', at: 2 },
      { audit_id: 'state', parent_id: 'alert', at: 1 },
      { audit_id: 'closed', parent_id: 'state', at: 9 },
    ),
  ).toEqual(['● alert', '├─● model', '│ ● answer', '● state', '● closed']);
});

test('siblings come in the order of time, and then of their numbers', () => {
  expect(
    draw(
      { audit_id: 'a', at: 0, sequence_number: 3 },
      { audit_id: 'late', parent_id: 'a', at: 2, sequence_number: 0 },
      { audit_id: 'second', parent_id: 'a', at: 1, sequence_number: 2 },
      { audit_id: 'first', parent_id: 'a', at: 1, sequence_number: 1 },
    ),
  ).toEqual(['● a', '├─● first', '├─● second', '● late']);
});

test('a record whose cause is not there begins a line, and so does the earliest of a cycle', () => {
  expect(
    draw(
      { audit_id: 'x', parent_id: 'y', at: 1 },
      { audit_id: 'y', parent_id: 'x', at: 2 },
      { audit_id: 'self', parent_id: 'self', at: 3 },
      { audit_id: 'orphan', parent_id: 'gone', at: 4 },
    ),
  ).toEqual(['● x', '● y', '● self', '● orphan']);
});

test('each record has one row, whatever the causes are, and no line is pushed off the screen', () => {
  const id = fc.integer({ min: 0, max: 30 }).map(String);
  const event = fc.record({ audit_id: id, parent_id: id, at: fc.integer({ min: 0, max: 5 }) });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const records = events.map(recordOf);
      const rows = forestOf(records);
      expect(new Set(rows.map(({ record }) => record))).toEqual(new Set(records));
      expect(rows).toHaveLength(records.length);
    }),
  );
});

test('a chain of ten thousand records, and as many branches below branches, stay narrow', () => {
  const chain = Array.from({ length: 10_000 }, (_, at) => ({
    audit_id: `${at}`,
    parent_id: `${at - 1}`,
    at,
  }));
  expect(forestOf(chain.map(recordOf)).every(({ head }) => head === '● ')).toBe(true);
  // Each record also has a child that ends later than all that follow.
  const nested = chain.flatMap((event) => [
    { ...event, at: 0 },
    { audit_id: `end${event.audit_id}`, parent_id: event.audit_id, at: 20_000 - event.at },
  ]);
  const rows = forestOf(nested.map(recordOf));
  expect(rows).toHaveLength(20_000);
  expect(Math.max(...rows.map(({ head }) => head.length))).toBeLessThan(25);
});
