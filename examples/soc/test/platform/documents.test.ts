import { expect, test } from 'vitest';
import { MemoryDocuments } from '../../src/platform/documents.ts';

test('documents belong to one tenant, keep their order, and are copies', async () => {
  const documents = new MemoryDocuments<{ name: string }>();
  const first = { name: 'first' };
  await documents.put('acme', '1', first);
  await documents.put('acme', '2', { name: 'second' });
  await documents.put('acme', '1', { name: 'changed' });
  first.name = 'changed by the caller';

  expect(await documents.list('acme')).toEqual([{ name: 'changed' }, { name: 'second' }]);
  (await documents.get('acme', '2'))!.name = 'changed by the reader';
  expect(await documents.get('acme', '2')).toEqual({ name: 'second' });
  expect(await documents.get('globex', '1')).toBeUndefined();
  expect(await documents.list('globex')).toEqual([]);
});

test('the latest documents come in the order in which they were first stored', async () => {
  const documents = new MemoryDocuments<number>();
  for (const number of [1, 2, 3]) await documents.put('acme', String(number), number);
  await documents.put('acme', '1', 10);
  expect(await documents.latest('acme', 2)).toEqual([2, 3]);
  expect(await documents.latest('acme', 9)).toEqual([10, 2, 3]);
  expect(await documents.latest('acme', 0)).toEqual([]);
  expect(await documents.latest('globex', 2)).toEqual([]);
});

test('with a limit the oldest document of the tenant makes room, and one that work depends on stays', async () => {
  const documents = new MemoryDocuments<{ id: string; done: boolean }>({
    keep: 2,
    mayDrop: ({ done }) => done,
  });
  const put = (id: string, done: boolean, tenant = 'acme') => documents.put(tenant, id, { id, done });
  const ids = async () => (await documents.list('acme')).map(({ id }) => id);
  await put('open', false);
  await put('a', true);
  await put('of another tenant', true, 'globex');
  await put('b', true);
  expect(await ids()).toEqual(['open', 'b']);
  await put('also open', false);
  await put('and this', false);
  expect(await ids()).toEqual(['open', 'also open', 'and this']);
  await put('open', true);
  expect(await ids()).toEqual(['also open', 'and this']);
  expect(documents.size).toBe(3);
});
