/** Commits 20 orders with their events, begins one more, and is killed before its commit. */
import { createPostgresOutbox } from '@tallystick/sdk/postgres';
import pg from 'pg';
import { refund } from './outbox-database.ts';

const client = new pg.Client({ connectionString: process.argv[2] });
await client.connect();
const outbox = createPostgresOutbox({ service: 'shop' });
for (let order = 1; order <= 21; order++) {
  await client.query('begin');
  await client.query('insert into orders (id, status) values ($1, $2)', [order, 'refunded']);
  await outbox.recordInTransaction(client, refund(order));
  if (order === 21) process.kill(process.pid, 'SIGKILL');
  await client.query('commit');
}
