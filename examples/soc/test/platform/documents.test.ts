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
