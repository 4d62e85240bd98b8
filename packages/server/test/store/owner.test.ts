import { afterAll, beforeAll, expect, test } from 'vitest';
import { ownerAccess } from '../../src/store/owner.ts';
import { openPostgres, type PostgresStore } from '../stores.ts';

let store: PostgresStore;
beforeAll(async () => {
  store = await openPostgres();
});
afterAll(() => store.close());

test('a wrong password of the owner is named', async () => {
  const url = Object.assign(new URL(store.ownerUrl), { password: 'wrong' }).href;
  const asOwner = ownerAccess(store.database, url);
  await expect(asOwner((session) => session.query('select 1'))).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    details: { connectionFault: { kind: 'password' } },
  });
});

// The owner's search path found tables of the same names in another schema, or none.
test("the owner's session finds the tables of the store, whatever its settings", async () => {
  const name = new URL(store.ownerUrl).pathname.slice(1);
  await store.asOwner(`alter database ${name} set search_path = 'elsewhere'`);
  const asOwner = ownerAccess(store.database, store.ownerUrl);
  const rows = await asOwner((session) => session.query('select count(*)::int from audit_chain_state'));
  expect(rows).toEqual([{ count: 0 }]);
});
