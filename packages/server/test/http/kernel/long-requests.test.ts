import { request } from 'node:http';
import { until } from '@tallystick/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { PgliteDatabase } from '../../../src/store/pglite/pglite.ts';
import { event, Harness } from '../harness.ts';

let http: Harness;
beforeAll(async () => {
  http = await Harness.open({ limits: { maxLongRequests: 3, maxLongRequestsPerKey: 2 } });
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
