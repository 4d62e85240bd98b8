import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createClient } from '@tallystick/client';
import { uuidv7 } from '@tallystick/event';
import type { WebhookDelivery } from '@tallystick/protocol';
import { createAuditEmitter } from '@tallystick/sdk';
import { createGate, rulePolicy } from '@tallystick/sdk/gate';
import { httpTransport } from '@tallystick/sdk/http';
import { tempDir, until } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tally } from '../../run-tally.ts';
import { openService, type Service } from '../service.ts';

const dir = tempDir();
let service: Service;
let receiver: Server;
/** What the receiver answers. 410 makes a message dead at once. */
let status = 410;
/** `webhook-id` of each message that the receiver has accepted. */
const accepted = new Set<string>();

const run = (args: readonly string[], env: { readonly [name: string]: string } = {}) =>
  tally(args, {
    cwd: dir.path,
    env: {
      XDG_CONFIG_HOME: dir.path,
      ...service.env,
      COLUMNS: '300',
      ...env,
    },
  });

beforeAll(async () => {
  receiver = createServer((request, response) => {
    request.resume().on('end', () => {
      if (status === 204) accepted.add(String(request.headers['webhook-id']));
      response.writeHead(status).end();
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  const secrets = [`whsec_${Buffer.alloc(32, 1).toString('base64')}`];
  service = await openService(`${dir.path}/store`, { webhooks: [{ name: 'chat', url, secrets }] });
}, 180_000);
afterAll(async () => {
  await service.close();
  receiver.closeAllConnections();
  receiver.close();
  dir.remove();
});

/** An action whose approval is requested and denied: two messages. */
async function denyAnAction(): Promise<void> {
  const keyOf = async (subject: string, ...scopes: string[]) => {
    const args = ['api-keys', 'create', '--name', 'k', '--scope', ...scopes, '--subject', subject, '--json'];
    return ((await run(args, { TALLYSTICK_TENANT: 'acme' })).json()[0] as { key: string }).key;
  };
  const { url } = service;
  const apiKey = await keyOf('service:refunds', 'events:write', 'approvals:request');
  const maria = createClient({ url, apiKey: await keyOf('maria', 'approvals:decide', 'events:read') });
  const audit = createAuditEmitter({
    service: 'refunds',
    transport: httpTransport({ url, apiKey }),
    flushOnExit: false,
  });
  const gate = createGate({
    audit,
    policy: rulePolicy({ name: 'refunds', version: '1', rules: [], otherwise: 'ask' }),
    desk: createClient({ url, apiKey }).approvals,
    tenantId: 'acme',
    actor: { actorType: 'agent', actorId: 'refund-bot' },
    acknowledgeWithinMs: 30_000,
  });
  const ended = gate.run({ action: 'refund' }, () => 'done').catch((error: { code: string }) => error.code);
  const pending = await until(async () => (await maria.approvals.list({ state: 'pending' })).approvals[0], {
    timeoutMs: 60_000,
    what: 'the request for an approval',
  });
  const { id, document_digest } = pending!;
  await maria.approvals.decide(id, { verdict: 'deny', tenant_id: 'acme', document_digest });
  expect(await ended).toBe('APPROVAL_DENIED');
  await audit.close();
}

test('messages that an endpoint refuses are listed, and one is delivered again', async () => {
  expect((await run(['webhooks', 'list'])).stderr).toBe('no webhook messages are waiting or dead\n');
  await denyAnAction();
  const listed = async (...args: string[]) =>
    (await run(['webhooks', 'list', '--json', ...args])).json() as WebhookDelivery[];
  const dead = await until(
    async () => {
      const found = await listed('--state', 'dead');
      return found.length === 2 ? found : undefined;
    },
    { timeoutMs: 60_000, what: 'the service giving up both messages' },
  );
  expect(dead).toMatchObject([
    {
      endpoint: 'chat',
      tenant_id: 'acme',
      event_type: 'approval.requested',
      last_error: 'status 410',
      given_up_at: expect.any(String),
    },
    { endpoint: 'chat', tenant_id: 'acme', event_type: 'approval.denied', last_error: 'status 410' },
  ]);
  const table = await run(['webhooks', 'list']);
  expect(table.stdout).toMatch(
    /^ENDPOINT +ID +STATE +CREATED +TENANT +TYPE +ATTEMPTS +NEXT +GIVEN UP +LAST ERROR\n/,
  );
  for (const { id } of dead!) expect(table.stdout).toContain(id);
  expect(table.stderr).toBe('to deliver one again: tally webhooks retry ENDPOINT ID\n');
  expect(await listed('--tenant', 'globex')).toEqual([]);
  expect((await run(['webhooks', 'list', '--state', 'waiting'])).stderr).toBe(
    'no webhook messages are waiting\n',
  );

  status = 204;
  const { endpoint, id } = dead![0]!;
  const retried = await run(['webhooks', 'retry', endpoint, id]);
  expect([retried.exitCode, retried.stderr]).toEqual([
    0,
    `the message ${id} to chat is due; the service delivers it\n`,
  ]);
  await until(async () => (await listed()).length === 1, {
    timeoutMs: 60_000,
    what: 'the delivery of the message',
  });
  expect([...accepted]).toEqual([id]);
  expect(await listed()).toEqual([dead![1]]);
});

test('a message that does not exist is named as such, and other mistakes as wrong usage', async () => {
  const missing = await run(['webhooks', 'retry', 'chat', uuidv7()]);
  expect([missing.exitCode, missing.stderr]).toEqual([2, expect.stringContaining('NOT_FOUND')]);
  expect((await run(['webhooks', 'retry', 'chat', 'no-uuid'])).exitCode).toBe(3);
  expect((await run(['webhooks', 'retry', 'chat'])).exitCode).toBe(3);
  expect((await run(['webhooks', 'list', '--state', 'lost'])).exitCode).toBe(3);
});
