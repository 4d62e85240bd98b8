import { expect, test } from 'vitest';
import { Writer } from '../../src/chain/writer.ts';
import { type Queries, writer } from '../../src/store/database.ts';
import { findStrays } from '../../src/store/strays.ts';
import { anItem, logName, newTenant } from '../events.ts';
import { onEachStore } from '../stores.ts';

// The campaign of faults found that a replica which started while another one wrote could stop a sound chain.
onEachStore((store) => {
  test('records that are committed while the rows are compared with the head are no strays', async () => {
    const database = store().connect();
    const chains = new Writer(database, { logName });
    const tenant = newTenant();
    await chains.submit([anItem(tenant)]);
    let commits = 0;
    const session: Queries = {
      async query(sql, parameters) {
        const rows = await database.query<never>(writer, sql, parameters ?? []);
        if (sql.includes('audit_chain_state') && commits++ < 3) await chains.submit([anItem(tenant)]);
        return rows;
      },
    };
    expect(await findStrays(session, tenant, 10)).toEqual([]);
    expect(commits).toBeGreaterThanOrEqual(3);
  });
});
