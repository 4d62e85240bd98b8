import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createClient } from '@tallystick/client';
import { httpTransport } from '@tallystick/sdk/http';
import { createOutboxRelay } from '@tallystick/sdk/postgres';
import { AuditService } from '@tallystick/server';
import { type HttpServer, serveHttp } from '@tallystick/server/http';
import { prepareEmbeddedStore, type TempDir, tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OutboxDatabase, outboxDatabase } from './outbox-database.ts';

/** A real process is killed at the two moments that matter, with a real database and a real service. */

let directory: TempDir;
let service: AuditService;
let server: HttpServer;
let key: string;
beforeAll(async () => {
  directory = tempDir();
  await prepareEmbeddedStore(directory.path);
  service = await AuditService.open({ store: { directory: directory.path }, logName: 'outbox.example' });
  ({ key } = await service.keys.create({ name: 'outbox', scopes: ['events:write', 'events:read'] }));
  server = await serveHttp(service, { port: 0, logger: false });
});
afterAll(async () => {
  await server.close();
  await service.close();
  directory.remove();
});

async function runKilled(script: string, database: OutboxDatabase, ...rest: string[]): Promise<void> {
  const file = join(import.meta.dirname, script);
  const child = spawn(process.execPath, ['--conditions=tallystick-source', file, database.url, ...rest], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, TALLYSTICK_URL: server.url, TALLYSTICK_API_KEY: key, NODE_NO_WARNINGS: '1' },
  });
  const [, signal] = await once(child, 'exit');
  expect(signal).toBe('SIGKILL');
}

async function waiting({ pool }: OutboxDatabase): Promise<number> {
  return (await pool.query('select count(*)::int as n from tallystick_outbox')).rows[0].n;
}

test('killed between commit and delivery, and between delivery and deletion: each event is chained once, in order', async () => {
  const database = await outboxDatabase();
  try {
    await runKilled('killed-after-commit.ts', database);
    expect(await waiting(database)).toBe(20);
    await runKilled('killed-after-delivery.ts', database);
    expect(await waiting(database)).toBe(20);
    const relay = createOutboxRelay({
      db: database.pool,
      transport: httpTransport({ url: server.url, apiKey: key }),
    });
    expect(await relay.deliverWaiting()).toMatchObject({ delivered: 20, duplicates: 20 });
    await relay.close();
    expect(await waiting(database)).toBe(0);
  } finally {
    await database.close();
  }
  const client = createClient({ url: server.url, apiKey: key });
  const { events } = await client.events.list({ tenant_id: 'acme', limit: 100 });
  const chained = events
    .filter(({ event_type }) => event_type === 'order.refunded')
    .toSorted((a, b) => Number(a.sequence_number) - Number(b.sequence_number));
  expect(chained.map(({ target_id }) => Number(target_id))).toEqual(
    Array.from({ length: 20 }, (_, index) => index + 1),
  );
});
