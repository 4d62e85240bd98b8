import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { uuidv7 } from '@tallystick/event';
import { AuditService, type HttpServer, serveHttp } from '@tallystick/server';
import { prepareEmbeddedStore, tempDir } from '@tallystick/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type FuzzedAnswer,
  type KnownValues,
  type OpenApi,
  requestsOf,
  send,
  singleFaults,
} from './requests.ts';

/**
 * Input must not be able to make the service fail. Requests are generated from the service's own OpenAPI document, with hostile
 * values in every parameter and body, and a key for everything. An answer with a status of 500 or above fails the test, unless
 * it is 503 and says when to try again.
 */

const seed = Number(process.env.FUZZ_SEED ?? randomInt(2 ** 31));
const runs = Number(process.env.FUZZ_RUNS ?? 600);

const directory = tempDir();
let service: AuditService;
let server: HttpServer;
let key: string;
const failures: string[] = [];

beforeAll(async () => {
  await prepareEmbeddedStore(join(directory.path, 'data'));
  service = await AuditService.open({
    store: { directory: join(directory.path, 'data') },
    signerDirectory: join(directory.path, 'signer'),
    logName: 'fuzz.example.com',
    checkpointIntervalMs: 0,
  });
  server = await serveHttp(service, {
    port: 0,
    logger: { level: 'error', stream: { write: (line) => failures.push(line) } },
  });
  ({ key } = await service.keys.create({
    name: 'fuzz',
    scopes: ['admin', 'events:read', 'events:read-sensitive', 'events:write', 'log:read'],
  }));
  const producer_id = uuidv7();
  const event = (tenant_id: string) => ({
    audit_id: uuidv7(),
    tenant_id,
    timestamp: new Date().toISOString(),
    event_type: 'content.publish',
    actor_type: 'user',
    actor_id: 'ann',
    source_service: 'fuzz',
  });
  const events = ['acme', 'acme', 'globex', 'initech'].map(event);
  const refused = [1, 2, 3].map((number) => ({ ...event('acme'), number }));
  const all = [...events, ...refused];
  const delivery = { producer_id, sequences: all.map((_, at) => 2 * at + 2) };
  const answer = await post('/v1/audit/events/batch', { events: all, delivery });
  expect(answer.status).toBe(207);
});

afterAll(async () => {
  await server.close();
  await service.close();
  directory.remove();
});

async function get(path: string): Promise<FuzzedAnswer> {
  return await send(server.url, key, { method: 'GET', path, headers: {} });
}

async function post(path: string, body: unknown): Promise<FuzzedAnswer> {
  const bytes = Buffer.from(JSON.stringify(body));
  return await send(server.url, key, {
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json' },
    body: bytes,
  });
}

function assertNoFault(what: string, { status, retryAfter, text }: FuzzedAnswer): void {
  const isExpected = status < 500 || (status === 503 && retryAfter !== undefined);
  if (!isExpected) throw new Error(`${what} answered ${status}: ${text}\n${failures.at(-1) ?? ''}`);
}

async function readDocument(): Promise<{ readonly document: OpenApi; readonly known: KnownValues }> {
  const document = JSON.parse((await get('/openapi.json')).text) as OpenApi;
  const events = JSON.parse((await get('/v1/audit/events?tenant_id=acme')).text).events as {
    audit_id: string;
  }[];
  const letters = JSON.parse((await get('/v1/dead-letters')).text).dead_letters as { id: string }[];
  const known = {
    tenant_id: ['acme', 'globex', 'tallystick'],
    audit_id: events.map(({ audit_id }) => audit_id),
    id: letters.map(({ id }) => id),
  };
  return { document, known };
}

test('no hostile text in a parameter makes the service fail', { timeout: 0 }, async () => {
  const { document, known } = await readDocument();
  for (const request of singleFaults(document, known)) {
    assertNoFault(`${request.method} ${request.path}`, await send(server.url, key, request));
  }
});

test(`no request makes the service fail (FUZZ_SEED=${seed})`, { timeout: 0 }, async () => {
  const { document, known } = await readDocument();
  await fc.assert(
    fc.asyncProperty(requestsOf(document, known), async (request) => {
      const what = `${request.method} ${request.path} ${request.body?.subarray(0, 2_000).toString('latin1') ?? ''}`;
      assertNoFault(what, await send(server.url, key, request));
    }),
    { seed, numRuns: runs, endOnFailure: true },
  );
  expect((await get('/ready')).status).toBe(200);
});

const hostilePlaces: readonly unknown[] = [
  null,
  true,
  -1,
  0.5,
  2 ** 53,
  1e300,
  '',
  'a\0b',
  '\u{d800}',
  'x'.repeat(600),
  '0000-01-01T00:00:00.000000Z',
  '9999-99-99T99:99:99.999999Z',
  '2025-02-30T25:61:61.000000Z',
  '------------------------------------',
  [],
  ['a'],
  { a: 1 },
];

test('a forged cursor is a mistake of the client', async () => {
  for (const list of [
    '/v1/audit/events?tenant_id=acme&limit=1',
    '/v1/dead-letters?limit=1',
    '/v1/audit/producers?limit=1&all=true',
    '/v1/tenants?limit=1',
  ]) {
    const { next_cursor } = JSON.parse((await get(list)).text) as { next_cursor: string };
    const [version, digest, ...place] = JSON.parse(Buffer.from(next_cursor, 'base64url').toString());
    const forge = (forged: readonly unknown[]) =>
      Buffer.from(JSON.stringify([version, digest, ...forged])).toString('base64url');
    for (const at of place.keys()) {
      for (const hostile of hostilePlaces) {
        const answer = await get(`${list}&cursor=${forge(place.with(at, hostile))}`);
        assertNoFault(`${list} with ${JSON.stringify(hostile)} at ${at} of the cursor`, answer);
      }
    }
    for (const forged of [[], place.slice(1), [...place, 1], [...place, ...place]]) {
      const answer = await get(`${list}&cursor=${forge(forged)}`);
      expect([list, forged, answer.status]).toEqual([list, forged, 400]);
    }
  }
});
