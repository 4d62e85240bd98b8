/** `Prefer: chained` at a service whose queue takes nothing: no broker listens at its address. */
import { freePort } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serveHttp } from '../../src/http/serve.ts';
import { event, Harness } from './harness.ts';

const batch = '/v1/audit/events/batch';
const headers = { prefer: 'chained' };

let http: Harness;
beforeAll(async () => {
  const connection = { bootstrapBrokers: [`127.0.0.1:${await freePort()}`] };
  http = await Harness.open({ gateway: { connection, acknowledgeMs: 50, probeMs: 60_000 } });
});
afterAll(() => http?.[Symbol.asyncDispose]());

test('is answered with a receipt, and not with the state of the queue', async () => {
  const one = event();
  const queued = await http.call('POST', '/v1/audit/events', { body: one });
  expect([queued.status, queued.json.code]).toEqual([503, 'BROKER_UNAVAILABLE']);
  expect(queued.headers.get('preference-applied')).toBeNull();

  const first = await http.call('POST', '/v1/audit/events', { body: one, headers });
  expect([first.status, first.headers.get('preference-applied')]).toEqual([201, 'chained']);
  expect(first.json).toMatchObject({ status: 'chained', receipt: { audit_id: one.audit_id } });
  // The answer was lost: the client sends again, and gets the first receipt.
  const again = await http.call('POST', '/v1/audit/events', { body: one, headers });
  expect([again.status, again.json.receipt]).toEqual([200, first.json.receipt]);
});

test('holds for a batch: each event has a receipt or a reason', async () => {
  const events = [event(), event()];
  const chained = await http.call('POST', batch, { body: { events }, headers });
  expect([chained.status, chained.headers.get('preference-applied')]).toEqual([201, 'chained']);
  expect(chained.json.results.map(({ status }: { status: string }) => status)).toEqual([
    'chained',
    'chained',
  ]);
  const body = { events: [...events, { ...event(), colour: 'red' }] };
  const refused = await http.call('POST', batch, { body, headers });
  expect([refused.status, refused.headers.get('preference-applied')]).toEqual([207, 'chained']);
  expect(refused.json.results).toMatchObject([
    { status: 'duplicate' },
    { status: 'duplicate' },
    { status: 'rejected', error: { code: 'FIELD_UNKNOWN' } },
  ]);
});

test('is refused while the writer has as much as it may hold', async () => {
  const queue = { full: false, accept: () => Promise.reject(new Error('the queue was asked')) };
  const limits = { maxQueued: 0 };
  const server = await serveHttp(http.service, { port: 0, logger: false, gateway: queue, limits });
  const answer = await fetch(`${server.url}${batch}`, {
    method: 'POST',
    body: JSON.stringify({ events: [event()] }),
    headers: { ...headers, authorization: `Bearer ${http.admin}`, 'content-type': 'application/json' },
  });
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await answer.json()).toMatchObject({ code: 'OVERLOADED' });
  await server.close();
});
