import { beforeAll, expect, test } from 'vitest';
import { Writer } from '../../src/chain/writer.ts';
import { readSql } from '../../src/store/sql.ts';
import { follow } from '../../src/trail/follow.ts';
import { HeadWatch } from '../../src/trail/tail.ts';
import { readerOf, Trail } from '../../src/trail/trail.ts';
import { items, logName, newTenant } from '../events.ts';
import { plant } from '../plant.ts';
import { onEachStore } from '../stores.ts';

const view = { sensitive: true };

// Planted rows were served by every read.
onEachStore((store) => {
  const tenant = newTenant();
  const planted = Array.from({ length: 4 }, (_, n) => `00000000-0000-4000-8000-00000000000${n}`);
  let trail: Trail;
  beforeAll(async () => {
    trail = new Trail(store().database);
    const append = () =>
      new Writer(store().database, { logName }).submit(items(3, tenant, { actor_id: 'mallory' }));
    await append();
    // A recovery closes the first epoch after record 3.
    await store().asOwner(`update audit_chain_state set epoch = 2, last_sequence = -1, frontier = ''
      where tenant_id = '${tenant}'`);
    await append();
    const places = [
      { epoch: 2, sequence: 9 },
      { epoch: 1, sequence: 4 },
      { epoch: 2, sequence: -1 },
      { epoch: 7, sequence: 0 },
    ];
    for (const [n, place] of places.entries()) {
      await plant(store(), { tenant, ...place, auditId: planted[n]! });
    }
  });

  test.each(['asc', 'desc'] as const)('lists show the rows of the chains only, %s', async (order) => {
    const positions = ['1/0', '1/1', '1/2', '1/3', '2/0', '2/1', '2/2', '2/3'];
    const { events, nextCursor } = await trail.list({ tenantId: tenant, order, limit: 100 }, view);
    const found = events.map(({ epoch, sequence_number }) => `${epoch}/${sequence_number}`);
    expect(found).toEqual(order === 'asc' ? positions : positions.reverse());
    expect(nextCursor).toBeUndefined();
    const filters = { actor_id: 'mallory' };
    expect((await trail.list({ tenantId: tenant, order, filters, limit: 100 }, view)).events).toHaveLength(6);
  });

  test('a planted row is found neither by its id nor by its position', async () => {
    for (const id of planted) {
      await expect(trail.get(tenant, id, view)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }
    for (const [sequence, epoch] of [
      [9, 2],
      [4, 1],
      [0, 7],
    ] as const) {
      await expect(trail.getBySequence(tenant, sequence, view, epoch)).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
    }
    const all = { from: -5, to: Number.MAX_SAFE_INTEGER, limit: 100, view };
    expect(await trail.page(tenant, { epoch: 1, ...all })).toHaveLength(4);
    expect(await trail.page(tenant, { epoch: 2, ...all })).toHaveLength(4);
    expect(await trail.page(tenant, { epoch: 7, ...all })).toHaveLength(0);
  });

  test('the SQL view and a span of time leave planted rows out', async () => {
    const reader = readerOf(tenant);
    const [row] = await store().database.query<{ rows: number }>(
      reader,
      'select count(*)::int as rows from audit_events',
    );
    expect(row!.rows).toBe(8);
    const [span] = await store().database.query(reader, readSql('range-by-time'), [tenant, 2, null, null]);
    expect(span).toEqual({ first: 0, last: 3 });
  });

  test('a follower gets the records of the chains only', async () => {
    const stop = new AbortController();
    const seen: string[] = [];
    const query = { tenantId: tenant, after: { epoch: 1, sequence: 1 }, view };
    for await (const { position } of follow(trail, new HeadWatch(store().database, 5), query, stop.signal)) {
      seen.push(`${position.epoch}/${position.sequence}`);
      if (position.epoch === 2 && position.sequence === 3) break;
    }
    stop.abort();
    expect(seen).toEqual(['1/2', '1/3', '2/0', '2/1', '2/2', '2/3']);
  });
});
