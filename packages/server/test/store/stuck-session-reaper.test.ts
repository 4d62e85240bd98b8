import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { until } from '@tallystick/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Writer } from '../../src/chain/writer.ts';
import type { Eviction, Timeouts } from '../../src/store/database.ts';
import { expectSoundChain } from '../chains.ts';
import { anItem, items, logName, newTenant, receiptOf, statuses } from '../events.ts';
import { openPostgres, type PostgresStore } from '../stores.ts';

let store: PostgresStore;
beforeAll(async () => {
  store = await openPostgres();
  await store.asOwner(`create table lines (n int); grant insert on lines to ${store.writerRole}`);
});
afterAll(() => store.close());

/** A writer that waits for locks, and the sessions that it has terminated. */
function successor(timeouts: Partial<Timeouts>) {
  const evictions: Eviction[] = [];
  const retries: string[] = [];
  const database = store.connect({ timeouts, onEviction: (eviction) => evictions.push(eviction) });
  const options = { logName, maxRetries: 60, onRetry: (reason: string) => retries.push(reason) };
  return { writer: new Writer(database, options), evictions, retries };
}

test('a process that is frozen in the middle of a COPY is terminated, and goes on by itself when it is woken', async () => {
  const tenant = newTenant();
  await new Writer(store.database, { logName }).submit([anItem(tenant)]);
  const main = fileURLToPath(new URL('./freezing-writer.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=tallystick-source', main, store.serviceUrl, tenant], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
    });
    await until(() => said === 'locked\n', { timeoutMs: 30_000 });

    const { writer, evictions } = successor({ lockMs: 500 });
    const [outcome] = await writer.submit([anItem(tenant)]);
    expect(receiptOf(outcome).sequence_number).toBe(2);
    await until(() => evictions.length > 0);
    expect(evictions).toMatchObject([{ reason: 'frozen' }]);

    child.kill('SIGCONT');
    await once(child, 'exit');
    expect(said).toBe('locked\nchained\n');
    expect(await expectSoundChain(store.database, tenant)).toHaveLength(603);
  } finally {
    child.kill('SIGKILL');
  }
});

/** Locks the chain state of a tenant and sends a row every `intervalMs`, until `finish` is called; then it commits. */
async function holdBusily(tenant: string, intervalMs: number) {
  const client = new pg.Client({ connectionString: store.serviceUrl });
  const lost = new Promise<'lost'>((resolve) => client.once('error', () => resolve('lost')));
  client.on('error', () => undefined);
  await client.connect();
  await client.query(`begin; set local role ${store.writerRole}`);
  await client.query('select 1 from audit_chain_state where tenant_id = $1 for update', [tenant]);
  let stop = false;
  const done = new Promise<'done' | 'lost'>((resolve) => {
    const stream = async (connection: { sendCopyFromChunk(chunk: Buffer): void; endCopyFrom(): void }) => {
      for (let n = 0; !stop; n++) {
        connection.sendCopyFromChunk(Buffer.from(`${n}\n`));
        await delay(intervalMs);
      }
      connection.endCopyFrom();
    };
    const copy = {
      submit: (connection: { query(text: string): void }) => connection.query('copy lines from stdin'),
      handleCopyInResponse: (connection: Parameters<typeof stream>[0]) => void stream(connection),
      handleCommandComplete: () => {},
      handleReadyForQuery: () => resolve('done'),
      handleError: () => resolve('lost'),
    };
    client.query(copy as unknown as pg.Submittable);
  });
  return {
    lost,
    finish: async () => {
      stop = true;
      if ((await done) === 'done') await client.query('commit');
      await client.end();
    },
  };
}

// Every session that held a lock for three seconds was terminated, even while it made progress. Two replicas with large
// batches and a slow disk terminated each other without end.
test('a holder that is slow but makes progress is waited for, through several time-outs', async () => {
  const tenant = newTenant();
  await new Writer(store.database, { logName }).submit([anItem(tenant)]);
  const holder = await holdBusily(tenant, 20);
  const { writer, evictions, retries } = successor({ lockMs: 500 });
  const waiting = writer.submit(items(2, tenant));
  const timeouts = until(() => retries.length >= 4, { timeoutMs: 25_000, what: 'the fourth lock time-out' });
  await Promise.race([timeouts, waiting, holder.lost]);
  expect(retries.length).toBeGreaterThanOrEqual(4);
  await holder.finish();
  expect(statuses(await waiting)).toEqual(['chained', 'chained']);
  expect(evictions).toEqual([]);
});

test('a holder that makes progress is terminated after holdMs', async () => {
  const tenant = newTenant();
  await new Writer(store.database, { logName }).submit([anItem(tenant)]);
  const holder = await holdBusily(tenant, 20);
  const { writer, evictions } = successor({ lockMs: 400, holdMs: 1_500 });
  expect(statuses(await writer.submit([anItem(tenant)]))).toEqual(['chained']);
  expect(await holder.lost).toBe('lost');
  await until(() => evictions.length > 0);
  expect(evictions).toMatchObject([{ reason: 'too_long' }]);
  await holder.finish();
});
