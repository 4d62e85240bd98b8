import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { uuidv7 } from '@tallystick/event';
import { sharedPostgres, tempDir } from '@tallystick/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migratePostgres } from '../../src/store/migrate.ts';
import { event } from './harness.ts';

/**
 * Eight batches of 8 MiB, 27 KB each on the wire, once filled the heap of the container and ended the process. Here a service runs
 * with the heap limit of the Dockerfile while one key sends such batches, and another key must still be served.
 */

const directory = tempDir();
let child: ChildProcess;
let url: string;
let greedy: string;
let modest: string;

beforeAll(async () => {
  const shared = await sharedPostgres();
  const database = await shared.createDatabase();
  const login = `login_${database.name}`;
  const owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  await owner.query(`create role ${login} login password 'service'`);
  await owner.end();
  await migratePostgres(database.url, login);
  const store = new URL(database.url);
  store.username = login;
  store.password = 'service';
  const dockerfile = readFileSync(join(import.meta.dirname, '../../../../Dockerfile'), 'utf8');
  const flags = /NODE_OPTIONS="([^"]+)"/.exec(dockerfile)![1]!.split(' ');
  child = fork(
    new URL('./limited-server.ts', import.meta.url),
    [store.href, join(directory.path, 'signer')],
    {
      execArgv: ['--conditions=tallystick-source', ...flags],
    },
  );
  [{ url, greedy, modest }] = await once(child, 'message');
});
afterAll(() => {
  child.kill();
  directory.remove();
});

async function submit(key: string, packed: Uint8Array): Promise<number> {
  const response = await fetch(`${url}/v1/audit/events/batch`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'content-encoding': 'gzip',
    },
    body: packed as BodyInit,
  });
  if (response.status === 503) expect(response.headers.get('retry-after')).not.toBeNull();
  await response.arrayBuffer();
  return response.status;
}

/** A batch of almost 8 MiB. */
function batchOf(one: () => string, each: number): Uint8Array {
  const count = Math.floor((8 * 1024 * 1024 - 1_000) / each);
  return gzipSync(`{"events":[${Array.from({ length: count }, one).join(',')}]}`);
}

const padded = (metadata: unknown) => () => JSON.stringify(event({ audit_id: uuidv7(), metadata }));
const text = 'x'.repeat(200_000);

describe('under the heap limit of the container', () => {
  it.each([
    ['large texts', batchOf(padded({ text }), 200_500)],
    ['texts of two bytes a character', batchOf(padded({ text: `\u4e00${text}` }), 200_500)],
    ['empty objects', batchOf(padded({ list: Array.from({ length: 60_000 }, () => ({})) }), 180_500)],
    ['many small events', batchOf(padded({ text: 'x'.repeat(8_000) }), 8_500)],
    ['refused events', batchOf(() => JSON.stringify({ tenant_id: 'acme', text }), 200_050)],
    ['one event of the whole size', batchOf(() => `"${'x'.repeat(8_000_000)}"`, 8_000_010)],
    ['deep events', batchOf(() => '['.repeat(100_000) + ']'.repeat(100_000), 200_001)],
    ['a deep envelope', gzipSync(`{"delivery":${'['.repeat(8_000_000)}`)],
  ])('concurrent batches of 8 MiB do not end the process: %s', { timeout: 120_000 }, async (_, packed) => {
    const attack = Array.from({ length: 12 }, () => submit(greedy, packed));
    const small = gzipSync(JSON.stringify({ events: [event()] }));
    const served: number[] = [];
    for (let round = 0; round < 3; round++) served.push(await submit(modest, small));
    const answers = await Promise.all(attack);
    expect(served).toEqual([201, 201, 201]);
    for (const status of answers) expect(status === 503 || status < 500).toBe(true);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    expect(child.exitCode).toBeNull();
    child.send({});
    const [{ rss }] = await once(child, 'message');
    // The number in docs/production.md, section Limits, with room for other versions of Node.
    expect(rss).toBeLessThan(400);
  });
});
