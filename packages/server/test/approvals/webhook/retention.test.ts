import { uuidv7 } from '@tallystick/event';
import { beforeEach, expect, test } from 'vitest';
import {
  deleteDelivered,
  enqueueMessages,
  listDeliveries,
  retryDelivery,
  storeFailure,
  takeDue,
} from '../../../src/approvals/webhook/delivery-rows.ts';
import { retireMessages } from '../../../src/approvals/webhook/retention.ts';
import { ServiceMetrics } from '../../../src/metrics/service-metrics.ts';
import { type Database, writer } from '../../../src/store/database.ts';
import { onEachStore } from '../../stores.ts';

/** Messages that were given up, and those of removed endpoints, stayed in the table permanently. */
const day = 86_400_000;

onEachStore((store) => {
  beforeEach(async () => {
    await store().asOwner('delete from audit_webhook_deliveries');
  });

  const enqueue = async (endpoint: string): Promise<string> => {
    const message = { endpoint, id: uuidv7(), tenantId: 'acme', eventType: 'approval.requested', body: '{}' };
    await store().database.transaction(writer, (session) => enqueueMessages(session, [message]));
    return message.id;
  };
  const giveUp = async (endpoint: string): Promise<string> => {
    const id = await enqueue(endpoint);
    const taken = await takeDue(store().database, endpoint, { limit: 100, leaseMs: 60_000 });
    for (const message of taken)
      await storeFailure(store().database, endpoint, message, { error: 'status 410', retryMs: undefined });
    return id;
  };
  /** Moves times of rows into the past, which no login of the service can do to `given_up_at`. */
  const age = async (id: string, ms: number) => {
    await store().asOwner('alter table audit_webhook_deliveries disable trigger user');
    await store().asOwner(
      `update audit_webhook_deliveries set next_attempt_at = next_attempt_at - $2::float8 * interval '1 ms',
              given_up_at = given_up_at - $2::float8 * interval '1 ms' where id = $1`,
      [id, ms],
    );
    await store().asOwner('alter table audit_webhook_deliveries enable trigger user');
  };
  const listed = async () =>
    (await listDeliveries(store().database, { state: undefined, limit: 10_000 })).map(
      ({ id, state, last_error }) => ({ id, state, last_error }),
    );
  const ids = async () => (await listed()).map(({ id }) => id).sort();
  const retire = (endpoints: readonly string[] = ['chat'], database: Database = store().database) =>
    retireMessages({ database, endpoints });

  test('a message that was given up is deleted after its time, and not before', async () => {
    const [old, young] = [await giveUp('chat'), await giveUp('chat')];
    await age(old, 30 * day);
    await retire();
    expect(await ids()).toEqual([young]);
    await retireMessages({ database: store().database, endpoints: ['chat'], keepMs: 0 });
    expect(await ids()).toEqual([]);
  });

  test('a message that is to be delivered is not deleted, however old it is', async () => {
    const revived = await giveUp('chat');
    const waiting = await enqueue('chat');
    await age(waiting, 400 * day);
    await age(revived, 400 * day);
    await retryDelivery(store().database, 'chat', revived);
    await retireMessages({ database: store().database, endpoints: ['chat'], keepMs: 0, unservedMs: 0 });
    expect(await ids()).toEqual([waiting, revived].sort());
    // Given up once more, its time begins again.
    await giveUp('chat');
    await retire();
    expect((await listed()).find(({ id }) => id === revived)).toMatchObject({ state: 'dead' });
  });

  test('messages of a removed endpoint are given up after a day, and can be sent again', async () => {
    const removed = await enqueue('removed');
    await age(removed, day - 60_000);
    await retire();
    expect(await listed()).toMatchObject([{ state: 'waiting' }]);
    await age(removed, 60_000);
    // The replica that serves the endpoint does not give its messages up.
    await retire(['removed']);
    expect(await listed()).toMatchObject([{ state: 'waiting' }]);
    await retire([]);
    expect(await listed()).toEqual([
      { id: removed, state: 'dead', last_error: 'the service has no endpoint with this name' },
    ]);
    await retryDelivery(store().database, 'removed', removed);
    expect(await takeDue(store().database, 'removed', { limit: 9, leaseMs: 1 })).toMatchObject([
      { id: removed },
    ]);
  });

  test('an endpoint that another replica serves keeps its messages, also with a long backlog', async () => {
    const backlog = [await enqueue('pager'), await enqueue('pager'), await enqueue('pager')];
    for (const id of backlog) await age(id, 3 * day);
    const [taken] = await takeDue(store().database, 'pager', { limit: 1, leaseMs: 60_000 });
    await retire(['chat']);
    expect(await listed()).toMatchObject(Array(3).fill({ state: 'waiting' }));
    await deleteDelivered(store().database, 'pager', taken!.id);
    // A new message shows too that the endpoint is configured somewhere.
    await enqueue('pager');
    await retire(['chat']);
    expect(await listed()).toMatchObject(Array(3).fill({ state: 'waiting' }));
  });

  test('two replicas delete and give up each of 2,100 messages once, and count them', async () => {
    await store().asOwner(`
      insert into audit_webhook_deliveries (endpoint, id, tenant_id, event_type, body, next_attempt_at)
      select case n % 2 when 0 then 'chat' else 'removed' end, md5(n::text)::uuid, 'acme', 'approval.requested', '{}',
             case n % 2 when 1 then clock_timestamp() - interval '2 days' end
        from generate_series(1, 4200) n`);
    const metrics = new ServiceMetrics({ process: false });
    const replicas = [store().database, store().connect()];
    await Promise.all(
      replicas.map((database) =>
        retireMessages({ database, endpoints: ['chat'], observer: metrics, keepMs: 60_000 }),
      ),
    );
    const states = (await listed()).map(({ state }) => state);
    expect(states).toEqual(Array(4_200).fill('dead'));
    await Promise.all(
      replicas.map((database) => retireMessages({ database, endpoints: [], observer: metrics, keepMs: 0 })),
    );
    expect(await ids()).toEqual([]);
    const text = await metrics.registry.metrics();
    expect(text).toContain('tallystick_webhooks_retired_total{outcome="abandoned"} 2100');
    expect(text).toContain('tallystick_webhooks_retired_total{outcome="pruned"} 4200');
  });

  test('a replica that ends between giving up and deleting leaves the rest to another', async () => {
    const [removed, old] = [await enqueue('removed'), await giveUp('chat')];
    await age(removed, 2 * day);
    await age(old, 31 * day);
    const { database } = store();
    let statements = 0;
    const ending = {
      query: (...args: Parameters<Database['query']>) => {
        if (statements++ > 0) return Promise.reject(new Error('the process ended'));
        return database.query(...args);
      },
    } as Database;
    await expect(retire([], ending)).rejects.toThrow('the process ended');
    expect(await listed()).toMatchObject(Array(2).fill({ state: 'dead' }));
    await retire([], store().connect());
    expect(await ids()).toEqual([removed]);
  });

  test('a retry that comes first keeps the message', async () => {
    const id = await giveUp('chat');
    await age(id, 31 * day);
    await database().transaction(writer, async (session) => {
      await session.query(
        'update audit_webhook_deliveries set attempts = 0, next_attempt_at = clock_timestamp() where id = $1',
        [id],
      );
      // The embedded store has one connection: there, the deletion comes after the commit.
      if (store().kind === 'postgres') await retire(['chat'], store().connect());
    });
    await retire();
    expect(await listed()).toMatchObject([{ id, state: 'waiting' }]);
  });

  test('the time is set for a replica of the previous version, and is not for a login to choose', async () => {
    const id = await enqueue('chat');
    // What the previous version runs after the last attempt.
    await database().query(
      writer,
      `update audit_webhook_deliveries set last_error = 'status 410', next_attempt_at = null where id = $1`,
      [id],
    );
    await retire();
    const [found] = await listDeliveries(database(), { state: 'dead', limit: 9 });
    expect(found).toMatchObject({ id, given_up_at: expect.any(String) });
    await database().query(
      writer,
      `update audit_webhook_deliveries set given_up_at = '2020-01-01' where id = $1`,
      [id],
    );
    expect(await listDeliveries(database(), { state: 'dead', limit: 9 })).toEqual([found]);
  });

  const database = () => store().database;
});
