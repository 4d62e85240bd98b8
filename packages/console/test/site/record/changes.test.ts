import { expect, it } from 'vitest';
import { changesIn, differencesOf } from '../../../src/site/record/changes.ts';

it('finds states before and after, wherever they are', () => {
  const data = {
    payload: { before: { role: 'reader', name: 'Jane' }, after: { role: 'admin', name: 'Jane' } },
    outcome: { state_before: 'open', state_after: 'closed' },
    deleted: { before: { id: 1 } },
    words: { old: 'news' },
  };
  expect(changesIn(data, ['event_data'])).toEqual([
    { at: 'event_data.payload', ...data.payload },
    { at: 'event_data.outcome', before: 'open', after: 'closed' },
    { at: 'event_data.deleted', before: { id: 1 }, after: undefined },
  ]);
});

it('compares members by their paths', () => {
  const before = { role: 'reader', name: 'Jane', tags: ['a', 'b'], limits: { day: 1 } };
  const after = { role: 'admin', name: 'Jane', tags: ['a'], limits: { day: 1, hour: null } };
  expect(differencesOf({ before, after })).toEqual({
    differences: [
      { path: 'role', before: 'reader', after: 'admin' },
      { path: 'tags.1', before: 'b', after: undefined },
      { path: 'limits.hour', before: undefined, after: 'null' },
    ],
    same: 3,
  });
  expect(differencesOf({ before: 'open', after: 'closed' })).toEqual({
    differences: [{ path: '', before: 'open', after: 'closed' }],
    same: 0,
  });
});

it('gives up on what is nested too deeply, and on what is no object', () => {
  let deep: unknown = { before: 1, after: 2 };
  for (let level = 0; level < 50; level++) deep = { deep };
  expect([changesIn(deep), changesIn(null), changesIn('before')]).toEqual([[], [], []]);
});
