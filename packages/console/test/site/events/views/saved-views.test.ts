import { expect, it } from 'vitest';
import { SavedViews } from '../../../../src/site/events/views/saved-views.ts';

function storage(stored?: string) {
  const items = new Map(stored === undefined ? [] : [['tallystick.views', stored]]);
  return { getItem: (name: string) => items.get(name) ?? null, setItem: items.set.bind(items), items };
}

it('keeps views with all that the address holds, but for the open record', () => {
  const kept = storage();
  new SavedViews(kept).save(
    ' Denied ',
    new URLSearchParams('tenant=acme&outcome_status=denied&event=17&q=a b'),
  );
  const query = 'tenant=acme&outcome_status=denied&q=a+b';
  expect(new SavedViews(kept).list()).toEqual([{ name: 'Denied', query }]);
  expect(new SavedViews(kept).save('Denied', new URLSearchParams('tenant=acme'))).toEqual([
    { name: 'Denied', query: 'tenant=acme' },
  ]);
  expect(new SavedViews(kept).remove('Denied')).toEqual([]);
});

it('holds fifty views, and short names', () => {
  const views = new SavedViews(storage());
  for (let at = 0; at < 55; at++) views.save(`view ${at}`, new URLSearchParams());
  expect(views.list().map(({ name }) => name)).toEqual(
    Array.from({ length: 50 }, (_, at) => `view ${at + 5}`),
  );
  expect(views.save('x'.repeat(100), new URLSearchParams()).at(-1)?.name).toBe('x'.repeat(60));
  const before = views.list();
  expect(views.save(' ', new URLSearchParams())).toEqual(before);
  expect(views.save('long', new URLSearchParams({ q: 'x'.repeat(5_000) }))).toEqual(before);
});

it.each(['{', '17', 'null', '{"name":"a"}', '[{"name":"a"},{"name":1,"query":""},null]'])(
  'leaves out what is no view: %s',
  (stored) => expect(new SavedViews(storage(stored)).list()).toEqual([]),
);
