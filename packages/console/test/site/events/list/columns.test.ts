import { expect, it } from 'vitest';
import { chosenColumns, phoneColumnsOf } from '../../../../src/site/events/list/columns.tsx';

const names = (columns: readonly { readonly name: string }[]) => columns.map(({ name }) => name).join(' ');
const none = new URLSearchParams();
const chosen = new URLSearchParams({ columns: 'severity,event_type,nonsense' });

it('shows as many columns as the list has room for, and those that the reader chose at any width', () => {
  const all = 'timestamp event_type actor target outcome source_service';
  expect(names(chosenColumns(none))).toBe(all);
  expect(names(chosenColumns(none, 60))).toBe(all);
  expect(names(chosenColumns(none, 47))).toBe('timestamp event_type actor target outcome');
  expect(names(chosenColumns(none, 38))).toBe('timestamp event_type actor outcome');
  expect(names(chosenColumns(none, 10))).toBe('timestamp event_type actor');
  expect(names(chosenColumns(chosen, 10))).toBe('event_type severity');
  expect(names(chosenColumns(new URLSearchParams({ columns: 'nonsense' })))).toBe(all);
});

it('adds to the two lines of a phone a line for each other column that the reader chose', () => {
  const two = 'timestamp event_type actor target outcome';
  const first = phoneColumnsOf(none);
  expect([names(first.columns), first.moreLines]).toEqual([two, 0]);
  const more = phoneColumnsOf(chosen);
  expect([names(more.columns), more.moreLines]).toEqual([`${two} severity`, 1]);
});
