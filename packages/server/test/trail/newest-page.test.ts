import { describe, expect, it } from 'vitest';
import { appendBatch } from '../../src/chain/append-batch.ts';
import { type Access, type Database, writer } from '../../src/store/database.ts';
import { partitionOf } from '../../src/store/partitions.ts';
import { decodePosition } from '../../src/trail/cursor.ts';
import { type ListQuery, type RowsPage, Trail } from '../../src/trail/trail.ts';
import { anItem, logName, newTenant } from '../events.ts';
import { onEachStore, type TestStore } from '../stores.ts';

/** Every third record is sensitive, every eleventh is bookkeeping. */
async function fill(database: Database, tenantId: string, count: number): Promise<void> {
  const items = Array.from({ length: count }, (_, at) =>
    anItem(tenantId, {
      ...(at % 3 === 0 && { is_sensitive: true }),
      ...(at % 11 === 0 && { event_type: 'audit.read' }),
      metadata: { at },
    }),
  );
  for (let at = 0; at < count; at += 100)
    await appendBatch(database, { items: items.slice(at, at + 100) }, { logName });
}

/** The same list without the fast way: a filter that every record passes. */
const generally = { sequence_from: 0 };

/** What a client sees of a page: its cursor names the request, so its place is compared. */
function shown(page: RowsPage, { tenantId, order = 'desc', filters = {}, includeReads = true }: ListQuery) {
  const request = [tenantId, order, filters, ...(includeReads ? [] : ['without reads'])];
  const next = page.nextCursor === undefined ? undefined : decodePosition(page.nextCursor, request);
  return { ...page, rows: page.rows.map(contentOf), nextCursor: next };
}

function contentOf(row: RowsPage['rows'][number]) {
  const { epoch, sequence_number, audit_id, ingested_at, is_sensitive, previous_hash, record_hash, record } =
    row;
  return { epoch, sequence_number, audit_id, ingested_at, is_sensitive, previous_hash, record_hash, record };
}

async function bothWays(trail: Trail, query: ListQuery, sensitive: boolean) {
  const general = { ...query, filters: generally };
  return {
    fast: shown(await trail.rows(query, { sensitive }), query),
    general: shown(await trail.rows(general, { sensitive }), general),
  };
}

/** Counts the round trips of readers. */
function counting(database: Database) {
  const counts = { reads: 0, transactions: 0 };
  const counted = Object.assign(Object.create(database) as Database, {
    read: async (access: Access, ...statements: []) => {
      counts.reads++;
      return await database.read(access, ...statements);
    },
    transaction: async (access: Access, work: Parameters<Database['transaction']>[1]) => {
      if (access.role === 'reader') counts.transactions++;
      return await database.transaction(access, work);
    },
  });
  return { counts, counted };
}

onEachStore((store: () => TestStore) => {
  describe('a page of a list without filters', () => {
    it.each([true, false])('is the one that the general way finds, sensitive: %s', async (sensitive) => {
      const tenantId = newTenant();
      await fill(store().database, tenantId, 130);
      const trail = new Trail(store().database);
      for (const includeReads of [true, false])
        for (const limit of [1, 50, 118, 119, 130, 131])
          for (const after of [undefined, 130, 60, 1, 5_000]) {
            const place = after === undefined ? {} : { after: { epoch: 1, sequence: after } };
            const { fast, general } = await bothWays(
              trail,
              { tenantId, limit, includeReads, ...place },
              sensitive,
            );
            expect(fast, `limit ${limit}, after ${after}, includeReads ${includeReads}`).toEqual(general);
          }
    });

    it('takes one round trip, and goes on with its cursor', async () => {
      const tenantId = newTenant();
      await fill(store().database, tenantId, 130);
      const { counts, counted } = counting(store().database);
      const trail = new Trail(counted);
      // The first page of a chain reads its months too.
      await trail.list({ tenantId, limit: 1 }, { sensitive: true });
      Object.assign(counts, { reads: 0, transactions: 0 });
      const first = await trail.list({ tenantId, limit: 50, includeReads: false }, { sensitive: true });
      const second = await trail.list(
        { tenantId, limit: 50, includeReads: false, cursor: first.nextCursor },
        { sensitive: true },
      );
      expect(counts).toEqual({ reads: 2, transactions: 0 });
      const numbers = [...first.events, ...second.events].map(({ sequence_number }) => sequence_number);
      expect(numbers).toHaveLength(100);
      expect(numbers).toEqual([...numbers].sort((a, b) => Number(b) - Number(a)));
    });

    it('is left to the general way for more bytes than a page may have, another order, and another epoch', async () => {
      const tenantId = newTenant();
      const large = Array.from({ length: 3 }, () =>
        anItem(tenantId, { metadata: { text: 'x'.repeat(4_500_000) } }),
      );
      await appendBatch(store().database, { items: large }, { logName });
      const trail = new Trail(store().database);
      const { fast, general } = await bothWays(trail, { tenantId, limit: 50 }, true);
      expect(fast.rows.map(({ sequence_number }) => sequence_number)).toEqual([3, 2]);
      expect(fast).toEqual(general);
      const ascending = await bothWays(trail, { tenantId, limit: 50, order: 'asc' }, true);
      expect(ascending.fast).toEqual(ascending.general);
      const after = { epoch: 2, sequence: 2 };
      const other = await bothWays(trail, { tenantId, limit: 50, after }, true);
      expect(other.fast).toEqual(other.general);
      expect(await trail.rows({ tenantId: newTenant('none') }, { sensitive: true })).toMatchObject({
        rows: [],
        exists: false,
      });
    });

    it('shows the rows that are left where the owner has deleted some', async () => {
      const tenantId = newTenant();
      await fill(store().database, tenantId, 30);
      const partition = partitionOf(Date.now());
      await store().asOwner(`alter table ${partition} disable trigger user`);
      await store().asOwner(
        `delete from ${partition} where tenant_id = '${tenantId}' and sequence_number in (0, 20, 29)`,
      );
      await store().asOwner(`alter table ${partition} enable trigger user`);
      const trail = new Trail(store().database);
      for (const limit of [5, 50]) {
        const { fast, general } = await bothWays(trail, { tenantId, limit }, true);
        expect(fast).toEqual(general);
      }
    });
  });

  describe('statements that only read', () => {
    const read = (access: Access, ...texts: string[]) =>
      store().database.read(access, ...texts.map((text) => ({ text })));
    const reader = { role: 'reader', tenants: ['acme'] } as const;

    it('see what their access allows, and give each its rows', async () => {
      const settings = "select current_setting('tallystick.tenants', true) as tenants";
      expect(await read(reader, settings, 'select 2 as n')).toEqual([[{ tenants: 'acme' }], [{ n: 2 }]]);
      await expect(read(reader, 'delete from audit_tiles')).rejects.toThrow('permission denied');
    });

    it('leave the connection usable, and nothing of the transaction, after a failure', async () => {
      await expect(read(writer, 'select 1 as n', 'select 1 / 0')).rejects.toMatchObject({ code: '22012' });
      for (let round = 0; round < 12; round++)
        expect(await read(reader, 'select pg_current_xact_id_if_assigned()::text as id')).toEqual([
          [{ id: null }],
        ]);
    });
  });
});
