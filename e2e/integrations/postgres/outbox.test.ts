import { drizzleClient } from '@tallystick/sdk/drizzle';
import { createPostgresOutbox, outboxSchema } from '@tallystick/sdk/postgres';
import { drizzle } from 'drizzle-orm/node-postgres';
import { bigint, pgTable, text } from 'drizzle-orm/pg-core';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { inTransaction, type OutboxDatabase, outboxDatabase, refund } from './outbox-database.ts';

let database: OutboxDatabase;
beforeAll(async () => {
  database = await outboxDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.pool.query('truncate orders, tallystick_outbox');
});

const outbox = createPostgresOutbox({ service: 'shop', activeTrace: () => undefined });

async function waiting() {
  const { rows } = await database.pool.query(
    'select audit_id, tenant_id, event_type, event from tallystick_outbox order by position',
  );
  return rows.map((row) => ({ ...row, event: JSON.parse(row.event) }));
}

async function orders() {
  return (await database.pool.query('select id from orders order by id')).rows.map(({ id }) => Number(id));
}

test('the event commits with the business row', async () => {
  const { id } = await inTransaction(database.pool, async (client) => {
    await client.query("insert into orders (id, status) values (1, 'refunded')");
    return outbox.recordInTransaction(client, refund(1));
  });
  expect(await orders()).toEqual([1]);
  expect(await waiting()).toMatchObject([
    {
      audit_id: id,
      tenant_id: 'acme',
      event_type: 'order.refunded',
      event: { audit_id: id, source_service: 'shop', target_id: '1' },
    },
  ]);
});

test('a rollback leaves neither the event nor the row', async () => {
  const work = inTransaction(database.pool, async (client) => {
    await client.query("insert into orders (id, status) values (1, 'refunded')");
    await outbox.recordInTransaction(client, refund(1));
    await client.query('insert into orders (id) values (2)');
  });
  await expect(work).rejects.toThrow('null value');
  expect([await orders(), await waiting()]).toEqual([[], []]);
});

test('an event whose data is invalid is refused before anything is written, and the transaction can be rolled back', async () => {
  const work = inTransaction(database.pool, async (client) => {
    await client.query("insert into orders (id, status) values (1, 'refunded')");
    await outbox.recordInTransaction(client, { ...refund(1), tenantId: 'no tenant' });
  });
  await expect(work).rejects.toMatchObject({ code: 'EVENT_REFUSED' });
  expect([await orders(), await waiting()]).toEqual([[], []]);
});

test('several events of one call keep their order, and a text stays as it is to the byte', async () => {
  const events = [1, 2, 3].map((order) => ({
    ...refund(order),
    metadata: { note: `"ü\\ ${order}`, ['__proto__']: 1, 10: 'a', 9: 'b' },
  }));
  await inTransaction(database.pool, (client) => outbox.recordInTransaction(client, events));
  const { rows } = await database.pool.query('select event from tallystick_outbox order by position');
  expect(rows.map(({ event }) => JSON.parse(event).target_id)).toEqual(['1', '2', '3']);
  expect(rows[0].event).toContain('"metadata":{"9":"b","10":"a","note":"\\"ü\\\\ 1"');
});

test('without a transaction the event is refused: it would commit even if the business statement fails', async () => {
  await expect(outbox.recordInTransaction(database.pool, refund(1))).rejects.toMatchObject({
    code: 'NOT_IN_TRANSACTION',
  });
  const events = [refund(1), refund(2)];
  await expect(outbox.recordInTransaction(database.pool, events)).rejects.toMatchObject({
    code: 'NOT_IN_TRANSACTION',
  });
  expect(await waiting()).toEqual([]);
});

test('secrets do not get into the table', async () => {
  const event = { ...refund(1), context: { password: 'hunter2', note: 'kept' } };
  await inTransaction(database.pool, (client) => outbox.recordInTransaction(client, event));
  expect((await waiting())[0].event.context).toEqual({ password: '[REDACTED]', note: 'kept' });
});

test('in a Drizzle transaction, and in a nested one that is rolled back', async () => {
  const table = pgTable('orders', {
    id: bigint({ mode: 'number' }).primaryKey(),
    status: text().notNull(),
  });
  const db = drizzle(database.pool);
  await db.transaction(async (tx) => {
    await tx.insert(table).values({ id: 1, status: 'refunded' });
    await outbox.recordInTransaction(drizzleClient(tx), refund(1));
    const nested = tx.transaction(async (inner) => {
      await outbox.recordInTransaction(drizzleClient(inner), refund(2));
      inner.rollback();
    });
    await nested.catch(() => undefined);
  });
  const failing = db.transaction(async (tx) => {
    await outbox.recordInTransaction(drizzleClient(tx), refund(3));
    tx.rollback();
  });
  await expect(failing).rejects.toThrow();
  expect((await waiting()).map(({ event }) => event.target_id)).toEqual(['1']);
});

test('the application needs INSERT alone, and the tables may be in a schema of their own', async () => {
  await database.pool.query('create schema "Audit box"');
  await database.pool.query(outboxSchema({ schema: 'Audit box' }));
  await database.pool.query(outboxSchema({ schema: 'Audit box' }));
  const { rows } = await database.pool.query(
    'select count(*)::int as n from "Audit box".tallystick_outbox_lease',
  );
  expect(rows).toEqual([{ n: 1 }]);
  const role = `writer_${database.url.slice(-8)}`;
  await database.pool.query(`create role ${role}; grant usage on schema "Audit box" to ${role};
    grant insert, select (position) on "Audit box".tallystick_outbox to ${role}`);
  const elsewhere = createPostgresOutbox({ service: 'shop', schema: 'Audit box' });
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    await client.query(`set role ${role}`);
    await client.query('begin');
    await elsewhere.recordInTransaction(client, refund(1));
    await client.query('commit');
    await expect(client.query('select event from "Audit box".tallystick_outbox')).rejects.toThrow('denied');
    await client.query('reset role');
  } finally {
    await client.end();
    await database.pool.query(`drop schema "Audit box" cascade; drop role ${role}`);
  }
});
