import { once } from 'node:events';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { uuidv7 } from '@tallystick/event';
import { until } from '@tallystick/testing';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { documentDigest } from '../../../../src/approvals/openings.ts';
import { PgliteDatabase } from '../../../../src/store/pglite/pglite.ts';
import { event, Harness } from '../../harness.ts';

/**
 * A client that closed its connection while the route was still reading from the store kept the place of its stream for good, because
 * the response had closed before anything listened. 25 such requests took all places of a key, and 100 those of the service.
 */

let http: Harness;
let approvalId: string;
beforeAll(async () => {
  http = await Harness.open({ limits: { maxStreams: 2 } });
  const document = {
    tenant_id: 'acme',
    action: 'refund',
    actor: { actor_type: 'agent', actor_id: 'bot' },
    arguments: {},
    policy: { name: 'p', version: '1' },
  } as const;
  const intent = event({
    event_type: 'agent.action.intended',
    context: { document_digest: documentDigest(document) },
  });
  await http.ingest([intent]);
  approvalId = uuidv7();
  const body = { id: approvalId, intent_id: intent.audit_id, document };
  const { key } = await http.service.keys.create({
    name: 'agent',
    scopes: ['approvals:request'],
    tenants: ['acme'],
    subject: 'bot',
  });
  expect((await http.call('POST', '/v1/approvals', { key, body })).status).toBe(200);
});
afterAll(() => http?.[Symbol.asyncDispose]());

/** Opens a stream, and closes the connection while the first statement of the route waits. */
async function abandon(path: string): Promise<void> {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let held = 0;
  const { query, transaction } = PgliteDatabase.prototype;
  vi.spyOn(PgliteDatabase.prototype, 'query').mockImplementation(async function (
    this: PgliteDatabase,
    ...args
  ) {
    if (args[1].includes('audit_approvals')) {
      held++;
      await released;
    }
    return await query.apply(this, args);
  } as typeof query);
  vi.spyOn(PgliteDatabase.prototype, 'transaction').mockImplementation(async function (
    this: PgliteDatabase,
    ...args
  ) {
    held++;
    await released;
    return await transaction.apply(this, args);
  } as typeof transaction);
  const accepted = once(http.server.app.server, 'connection') as Promise<Socket[]>;
  const sent = request(http.url + path, {
    agent: false,
    headers: { authorization: `Bearer ${http.admin}` },
  });
  sent.on('error', () => undefined);
  sent.end();
  const [atServer] = await accepted;
  await until(() => held > 0);
  sent.destroy();
  await until(() => atServer!.destroyed);
  release();
  vi.restoreAllMocks();
}

it.each([
  ['of events', () => '/v1/audit/events/stream?tenant_id=acme'],
  ['of an approval', () => `/v1/approvals/${approvalId}/stream?tenant_id=acme`],
])('a stream %s whose client has gone takes no place', async (_, pathOf) => {
  const path = pathOf();
  for (let n = 0; n < 3; n++) await abandon(path);
  const client = new AbortController();
  const headers = { authorization: `Bearer ${http.admin}` };
  for (let n = 0; n < 2; n++) {
    const opened = await fetch(http.url + path, { headers, signal: client.signal });
    expect(opened.status).toBe(200);
  }
  client.abort();
  await until(async () => {
    const next = new AbortController();
    const { status } = await fetch(http.url + path, { headers, signal: next.signal });
    next.abort();
    return status === 200;
  });
});
