import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { listOpenIntents, type OpenIntentQuery } from '../../src/followers/open-intents/list.ts';
import { writer } from '../../src/store/database.ts';
import { type ExplainRow, rowsRead } from '../plans.ts';
import { onEachStore } from '../stores.ts';

/**
 * A page read up to 10,000 rows of each tenant of a key: with a thousand tenants, ten million rows. It reads 10,000 now, says where it
 * ended, and the pages together are the whole list.
 */
const tenants = Array.from({ length: 12 }, (_, index) => `tenant-${index}`);
const rowsOfTenant = 60;
const everything = { sensitive: true, limit: 20 } as const;

onEachStore((store) => {
  beforeAll(async () => {
    // The first tenant has its deadlines before the others, the last one has equal deadlines, and one has sensitive rows.
    await store().asOwner(`
      insert into audit_followers (name, effect) values ('open-intents', 'database') on conflict do nothing;
      insert into audit_open_intents (generation, tenant_id, intent_id, state, audit_id, epoch, sequence_number, ingested_at, event_type,
                                      actor_type, actor_id, action, is_sensitive, duration_ms, deadline, client_deadline, source, submitter)
      select f.generation, 'tenant-' || t, md5(t || '/' || n)::uuid, case n % 10 when 0 then 'unresolved' else 'open' end,
             md5(t || '/' || n)::uuid, 1, n, clock_timestamp(), 'agent.action.intended', 'agent', 'bot-' || n % 3, 'refund',
             t = 3 and n % 2 = 0, 1000, d.deadline, d.deadline, 'http', 'key:x'
        from audit_followers f, generate_series(0, ${tenants.length - 1}) t, generate_series(1, ${rowsOfTenant}) n
       cross join lateral (
         select timestamptz '2026-11-29' + case t when 0 then n when 11 then 5000 else 1000 + (n * 7919 + t * 31) % 401 end * interval '1 s'
           as deadline) d
       where f.name = 'open-intents'`);
  });

  /** Ids in the order of the list, read without pages. */
  const expected = async (where: string, of: readonly string[] | undefined) => {
    const rows = await store().asOwner<{ intent_id: string }>(
      `select intent_id::text as intent_id from audit_open_intents where ${where} and ($1::text[] is null or tenant_id = any($1))
        order by deadline, intent_id, tenant_id`,
      [of === undefined ? null : [...of]],
    );
    return rows.map(({ intent_id }) => intent_id);
  };
  const paged = async (
    query: Omit<OpenIntentQuery, 'cursor'>,
    budget: { readonly rows: number; readonly tenants: number },
  ) => {
    const ids: string[] = [];
    const sizes: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await listOpenIntents(store().database, { ...query, cursor }, budget);
      ids.push(...page.open_intents.map(({ intent_id }) => intent_id));
      sizes.push(page.open_intents.length);
      // A page that is not full and goes on says that it was cut off, and no other page does.
      expect(page.complete).toBe(page.open_intents.length === query.limit || page.next_cursor === undefined);
      cursor = page.next_cursor;
    } while (cursor !== undefined);
    return { ids, sizes };
  };

  test.each([
    ['every tenant', undefined, { rows: 27, tenants: 100 }],
    ['one tenant', ['tenant-11'], { rows: 27, tenants: 100 }],
    ['some tenants', ['tenant-0', 'tenant-5', 'tenant-11'], { rows: 60, tenants: 100 }],
    ['more tenants than are read at once', tenants, { rows: 60, tenants: 3 }],
    ['more tenants than rows', tenants.slice(0, 3), { rows: 2, tenants: 100 }],
    ['a tenant twice, and one without rows', ['tenant-1', 'tenant-1', 'none'], { rows: 27, tenants: 100 }],
  ])('pages of %s are the whole list in its order', async (_, of, budget) => {
    const { ids } = await paged({ ...everything, tenants: of }, budget);
    expect(ids).toEqual(await expected('true', of));
  });

  test('a filter that few rows match ends a page early, and the next pages find them', async () => {
    const query = { ...everything, tenants, state: 'unresolved', actorId: 'bot-1' } as const;
    const { ids, sizes } = await paged(query, { rows: 40, tenants: 4 });
    expect(ids).toEqual(await expected("state = 'unresolved' and actor_id = 'bot-1'", tenants));
    expect(sizes).toContain(0);
  });

  test('sensitive rows are read and not shown', async () => {
    const { ids } = await paged(
      { ...everything, sensitive: false, tenants: ['tenant-3'] },
      { rows: 27, tenants: 100 },
    );
    expect(ids).toEqual(await expected('not is_sensitive', ['tenant-3']));
    expect(ids).toHaveLength(rowsOfTenant / 2);
  });

  test.each([
    ['every tenant', undefined],
    ['some tenants', tenants],
  ])('a page of %s reads no more rows than its budget', async (_, of) => {
    const sql = readFileSync(new URL('../../sql/queries/list-open-intents.sql', import.meta.url), 'utf8');
    const budget = { rows: 40, tenants: 4 };
    const none = '00000000-0000-0000-0000-000000000000';
    const filters = [null, 'no such agent', null, null, true];
    const rows = await store().database.transaction(writer, async (session) => {
      await session.query('set local enable_seqscan = off');
      await session.query('set local enable_bitmapscan = off');
      return await session.query<ExplainRow>(`explain (analyze, timing off, format json) ${sql}`, [
        of ?? null,
        0,
        none,
        '',
        ...filters,
        50,
        budget.rows,
        budget.tenants,
      ]);
    });
    const read = rowsRead(rows, 'audit_open_intents');
    expect(read).toBeGreaterThan(0);
    // An index row of each tenant, and the first group of an incremental sort, which has at least 32 rows.
    expect(read).toBeLessThanOrEqual(budget.rows + (of?.length ?? 0) + 32);
  });
});
