import { outboxSchema, type PostgresOutbox } from '@tallystick/sdk/postgres';
import { sharedPostgres } from '@tallystick/testing';
import pg from 'pg';

/** An application's database with the tables of an outbox and a table of orders. */
export interface OutboxDatabase {
  readonly url: string;
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

export async function outboxDatabase(): Promise<OutboxDatabase> {
  const { url } = await (await sharedPostgres()).createDatabase();
  const pool = new pg.Pool({ connectionString: url, max: 4 });
  await pool.query(outboxSchema());
  await pool.query('create table orders (id bigint primary key, status text not null, total numeric(12, 2))');
  return { url, pool, close: () => pool.end() };
}

/** Runs `work` in a transaction and commits it, or rolls it back if `work` throws. */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

export const refund = (order: number, tenantId = 'acme') => ({
  tenantId,
  eventType: 'order.refunded',
  actorType: 'user' as const,
  actorId: 'u-17',
  targetType: 'order',
  targetId: String(order),
  outcome: 'success' as const,
});

/** Commits orders and their events, each in a transaction of its own. */
export async function commitRefunds(
  { pool }: OutboxDatabase,
  outbox: PostgresOutbox,
  from: number,
  count: number,
): Promise<void> {
  for (let order = from; order < from + count; order++) {
    await inTransaction(pool, async (client) => {
      await client.query('insert into orders (id, status) values ($1, $2)', [order, 'refunded']);
      await outbox.recordInTransaction(client, refund(order));
    });
  }
}
