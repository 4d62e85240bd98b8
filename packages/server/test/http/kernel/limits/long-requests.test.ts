import { request } from 'node:http';
import { until } from '@tallystick/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { PgliteDatabase } from '../../../../src/store/pglite/pglite.ts';
import { Trail } from '../../../../src/trail/trail.ts';
import { event, Harness } from '../../harness.ts';

let http: Harness;
beforeAll(async () => {
  http = await Harness.open({
    limits: { maxLongRequests: 3, maxLongRequestsPerKey: 2, maxStreams: 3, maxStreamsPerKey: 2 },
  });
  await http.ingest(Array.from({ length: 600 }, () => event()));
});
afterAll(() => http[Symbol.asyncDispose]());
afterEach(() => vi.restoreAllMocks());

/** Statements that read pages wait until `release` is called. */
function holdPages(statement: RegExp): { readonly pages: () => number; readonly release: () => void } {
  let pages = 0;
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const query = PgliteDatabase.prototype.query;
  vi.spyOn(PgliteDatabase.prototype, 'query').mockImplementation(async function (
    this: PgliteDatabase,
    ...args
  ) {
    if (statement.test(args[1])) {
      pages++;
      await released;
    }
    return await query.apply(this, args);
  } as typeof query);
  return { pages: () => pages, release };
}

const verifyRecords = /encode\(r.record_hash/;

function open(path: string, key: string): { readonly abandon: () => void } {
  const sent = request(http.url + path, { headers: { authorization: `Bearer ${key}` } });
  sent.on('error', () => undefined);
  sent.end();
  return { abandon: () => sent.destroy() };
}

describe('verifications', () => {
  it('of a client that has gone end at the next page', async () => {
    const held = holdPages(verifyRecords);
    const { abandon } = open('/v1/audit/verify?tenant_id=acme', http.admin);
    await until(() => held.pages() === 1);
    abandon();
    // The next request is answered after the server has seen that the connection is closed.
    await until(async () => (await http.get('/health')).status === 200);
    held.release();
    const report = await http.get('/v1/audit/verify?tenant_id=acme');
    expect(report.json.verdict).toBe('verified');
    // The five pages of the second verification, and the first of the abandoned one, which would otherwise read five too.
    expect(held.pages()).toBe(1 + 5);
  });

  it('run a few at a time, and fewer of one key', async () => {
    const held = holdPages(verifyRecords);
    const path = '/v1/audit/verify?tenant_id=acme';
    const own = [open(path, http.admin), open(path, http.admin)];
    await until(() => held.pages() === 2);
    const refused = await http.get(path);
    expect([refused.status, refused.json.code, refused.headers.get('retry-after')]).toEqual([
      503,
      'OVERLOADED',
      '2',
    ]);
    const third = open(path, await http.key(['acme']));
    await until(() => held.pages() === 3);
    expect((await http.get(path, await http.key(['acme']))).json.code).toBe('OVERLOADED');
    for (const { abandon } of [...own, third]) abandon();
    held.release();
    await until(async () => (await http.get(path)).status === 200);
  });
});

describe('the viewer tokens of one key', () => {
  // A page gives each visitor a token, so a visitor could have as many as the limits of all keys together.
  it('have the limits of one key together, and leave room for other keys', async () => {
    const backend = await http.key(['acme'], 'viewer-tokens:issue', 'events:read', 'log:read');
    const tokens = await Promise.all(
      [1, 2, 3].map(
        async () => (await http.call('POST', '/v1/viewer-tokens', { key: backend, body: {} })).json.token,
      ),
    );
    const stream = '/v1/audit/events/stream?tenant_id=acme';
    const controller = new AbortController();
    const statusOf = async (key: string) => {
      const headers = { authorization: `Bearer ${key}` };
      return (await fetch(http.url + stream, { headers, signal: controller.signal })).status;
    };
    expect([await statusOf(tokens[0]), await statusOf(tokens[1])]).toEqual([200, 200]);
    expect([await statusOf(tokens[2]), await statusOf(backend)]).toEqual([503, 200]);
    controller.abort();

    let pages = 0;
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { list } = Trail.prototype;
    vi.spyOn(Trail.prototype, 'list').mockImplementation(async function (this: Trail, ...args) {
      pages++;
      await released;
      return await list.apply(this, args);
    });
    const path = '/v1/audit/events/export?tenant_id=acme';
    const exports = tokens.slice(0, 2).map((token) => open(path, token));
    await until(() => pages === 2);
    expect((await http.get(path, tokens[2])).json.code).toBe('OVERLOADED');
    const ofKey = open(path, backend);
    await until(() => pages === 3);
    for (const { abandon } of [...exports, ofKey]) abandon();
    release();
  });
});
