import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { uuidv7 } from '@tallystick/event';
import { sealedCommitment } from '@tallystick/log';
import type { Approval, ApprovalDocument } from '@tallystick/protocol';
import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import type { DeskCaller } from '../../../src/approvals/approval-changes.ts';
import { ApprovalDesk } from '../../../src/approvals/desk.ts';
import { documentDigest } from '../../../src/approvals/openings.ts';
import {
  countDeliveries,
  listDeliveries,
  retryDelivery,
} from '../../../src/approvals/webhook/delivery-rows.ts';
import { WebhookOutbox } from '../../../src/approvals/webhook/outbox.ts';
import { readWebhookOptions } from '../../../src/approvals/webhook/webhook-options.ts';
import { WebhookSender } from '../../../src/approvals/webhook/webhook-sender.ts';
import { rangeAppender } from '../../../src/ingest/append-ranges.ts';
import type { Database } from '../../../src/store/database.ts';
import { Trail } from '../../../src/trail/trail.ts';
import { anItem, logName, newTenant } from '../../events.ts';
import { onEachStore } from '../../stores.ts';

const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const nextSecret = `whsec_${Buffer.alloc(32, 2).toString('base64')}`;
const agent: DeskCaller = { principal: 'key:agent', subject: 'service:refunds' };
const maria: DeskCaller = { principal: 'key:maria', subject: 'maria' };

/** A receiver that keeps what it gets, and answers as the test says. */
function receiver(answer: (request: Request) => Response | Promise<Response> = () => new Response(null)) {
  const requests: {
    readonly body: string;
    readonly headers: Record<string, string>;
    readonly url: string;
  }[] = [];
  const fetch = async (url: string, init: RequestInit) => {
    const request = new Request(url, init);
    requests.push({ url, body: await request.clone().text(), headers: Object.fromEntries(request.headers) });
    return await answer(request);
  };
  return { requests, fetch };
}

let endpoints = 0;
/** An endpoint with a name of its own, so that tests do not see each other's messages. */
const endpointOf = (more: object = {}) =>
  readWebhookOptions([
    { name: `e${endpoints++}`, url: 'https://chat.example.com/hook', secrets: [secret], ...more },
  ]);

onEachStore((store) => {
  const openDesk = (database: Database, options: ReturnType<typeof endpointOf>) => {
    const appendRanges = rangeAppender(
      database,
      { logName, assertRunning: () => undefined, assertCurrent: async () => undefined },
      {},
    );
    const outbox = new WebhookOutbox(options);
    const desk = new ApprovalDesk({
      database,
      appendRanges,
      trail: new Trail(database),
      serviceTenant: 'tallystick',
      outbox,
    });
    return { desk, appendRanges };
  };
  const senderOf = (
    options: ReturnType<typeof endpointOf>,
    fetch: (url: string, init: RequestInit) => Promise<Response>,
    { database = store().database, outcomes = [] as string[] } = {},
  ) =>
    new WebhookSender({
      database,
      endpoints: options,
      intervalMs: 0,
      observer: { onWebhook: (outcome) => outcomes.push(outcome) },
      now: Date.now,
      fetch,
    });

  /** Chains an intent and requests its approval. */
  const request = async (options: ReturnType<typeof endpointOf>, over: Partial<ApprovalDocument> = {}) => {
    const tenant = newTenant();
    const { desk, appendRanges } = openDesk(store().database, options);
    const document = {
      tenant_id: tenant,
      action: 'refund',
      actor: { actor_type: 'agent', actor_id: 'bot' },
      arguments: { amount: 40, iban: 'visible-only-on-the-desk' },
      reason_unverified: 'words of the agent',
      policy: { name: 'p', version: '1' },
      ...over,
    } as const;
    const intent = anItem(tenant, {
      event_type: 'agent.action.intended',
      context: { document_digest: documentDigest(document) },
    });
    await appendRanges([{ items: [intent] }]);
    const approval = await desk.request({ id: uuidv7(), intent_id: intent.event.audit_id, document }, agent);
    return { desk, tenant, approval };
  };
  const grant = ({ document_digest }: Approval) => ({ verdict: 'grant', document_digest }) as const;
  const waiting = async ([endpoint]: ReturnType<typeof endpointOf>) =>
    (await listDeliveries(store().database, { state: undefined, limit: 1_000 })).filter(
      (delivery) => delivery.endpoint === endpoint!.name,
    );
  const makeDue = async ([endpoint]: ReturnType<typeof endpointOf>) =>
    await store().asOwner(
      'update audit_webhook_deliveries set next_attempt_at = clock_timestamp() where endpoint = $1',
      [endpoint!.name],
    );

  test('each change is a message that the official library accepts, and shows nothing that is hidden', async () => {
    const options = endpointOf();
    const salt = Buffer.alloc(32, 7);
    const hidden = { '/card': sealedCommitment('/card', { salt, value: '4111' }) };
    const { desk, tenant, approval } = await request(options, { hidden });
    await desk.decide(tenant, approval.id, { ...grant(approval), comment: 'said by maria' }, maria);
    const { requests, fetch } = receiver();
    await senderOf(options, fetch).deliverDue();
    const bodies = requests.map(({ body, headers }) => new Webhook(secret).verify(body, headers));
    const byType = Object.fromEntries(
      (bodies as { type: string; data: object }[]).map(({ type, data }) => [type, data]),
    );
    expect(byType).toMatchObject({
      'approval.requested': {
        approval_id: approval.id,
        tenant_id: tenant,
        state: 'pending',
        action: 'refund',
      },
      'approval.granted': { state: 'granted', subject: 'maria', decisions: 1 },
    });
    const sent = JSON.stringify(requests);
    for (const text of ['visible-only', 'words of the agent', 'said by maria', hidden['/card'], secret])
      expect(sent).not.toContain(text);
    expect(await waiting(options)).toEqual([]);
  });

  test('a change that is not stored has no message, and one endpoint learns nothing of other tenants', async () => {
    const options = endpointOf({ tenants: ['another'] });
    await request(options);
    expect(await waiting(options)).toEqual([]);
    const all = endpointOf();
    const { desk, tenant, approval } = await request(all);
    const before = await waiting(all);
    await expect(desk.decide(tenant, approval.id, grant(approval), agent)).rejects.toThrow();
    const invalid = { ...maria, assertValid: () => Promise.reject(new Error('revoked')) };
    await expect(desk.decide(tenant, approval.id, grant(approval), invalid)).rejects.toThrow('revoked');
    expect(await waiting(all)).toEqual(before);
  });

  test('while a secret is replaced, receivers with either one accept the message', async () => {
    const options = endpointOf({ secrets: [nextSecret, secret] });
    await request(options);
    const { requests, fetch } = receiver();
    await senderOf(options, fetch).deliverDue();
    const [{ body, headers }] = requests as [(typeof requests)[0]];
    new Webhook(secret).verify(body, headers);
    new Webhook(nextSecret).verify(body, headers);
    expect(() => new Webhook(secret).verify(`${body} `, headers)).toThrow();
  });

  test('a message that fails is sent again with the same id and body, and a new time', async () => {
    const options = endpointOf();
    await request(options);
    const outcomes: string[] = [];
    let status = 500;
    const { requests, fetch } = receiver(() => new Response('x'.repeat(100_000), { status }));
    const sender = senderOf(options, fetch, { outcomes });
    await sender.deliverDue();
    // Not due yet.
    await sender.deliverDue();
    expect(requests).toHaveLength(1);
    expect(await waiting(options)).toMatchObject([
      { state: 'waiting', attempts: 1, last_error: 'status 500' },
    ]);
    status = 200;
    await makeDue(options);
    await sender.deliverDue();
    expect(requests.map(({ headers }) => headers['webhook-id'])).toEqual(
      Array(2).fill(requests[0]!.headers['webhook-id']),
    );
    expect(requests[1]!.body).toBe(requests[0]!.body);
    expect(outcomes).toEqual(['failed', 'delivered']);
  });

  test.each([301, 302, 307, 308])(
    'a redirect (%i) is not followed, and counts as a failure',
    async (status) => {
      const options = endpointOf();
      await request(options);
      const headers = { location: 'http://169.254.169.254/latest/meta-data' };
      const { requests, fetch } = receiver((request) => {
        expect(request.redirect).toBe('manual');
        return new Response(null, { status, headers });
      });
      await senderOf(options, fetch).deliverDue();
      expect(requests.map(({ url }) => url)).toEqual(['https://chat.example.com/hook']);
      expect(await waiting(options)).toMatchObject([{ last_error: `status ${status}` }]);
    },
  );

  test('after the last attempt, or a 410, it is dead, is listed and counted, and can be sent again', async () => {
    const options = endpointOf();
    await request(options);
    const outcomes: string[] = [];
    let status = 503;
    const { requests, fetch } = receiver(() => new Response(null, { status }));
    const sender = senderOf(options, fetch, { outcomes });
    for (let attempt = 1; attempt <= 30; attempt++) {
      await makeDue(options);
      await sender.deliverDue();
    }
    const [dead] = await waiting(options);
    expect(dead).toMatchObject({ state: 'dead', attempts: 30, last_error: 'status 503' });
    expect(outcomes).toEqual([...Array(29).fill('failed'), 'dead']);
    expect((await countDeliveries(store().database)).dead).toBeGreaterThan(0);
    await sender.deliverDue();
    expect(requests).toHaveLength(30);
    await retryDelivery(store().database, dead!.endpoint, dead!.id);
    status = 410;
    await sender.deliverDue();
    expect(await waiting(options)).toMatchObject([{ state: 'dead', attempts: 1 }]);
    await retryDelivery(store().database, dead!.endpoint, dead!.id);
    status = 200;
    await sender.deliverDue();
    expect(await waiting(options)).toEqual([]);
    await expect(retryDelivery(store().database, dead!.endpoint, dead!.id)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test('two replicas deliver each of forty messages once', async () => {
    const options = endpointOf();
    for (let index = 0; index < 40; index++) await request(options);
    const { requests, fetch } = receiver();
    const replicas = [store().database, store().connect()];
    await Promise.all(replicas.map((database) => senderOf(options, fetch, { database }).deliverDue()));
    const ids = requests.map(({ headers }) => headers['webhook-id']);
    expect(ids).toHaveLength(40);
    expect(new Set(ids).size).toBe(40);
  });

  test('a replica that ends during an attempt leaves the message to the others, with the same id', async () => {
    const options = endpointOf();
    await request(options);
    let arrived = () => {};
    const reached = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    // The endpoint has the message, and its answer never comes.
    const hanging = receiver(
      (request) =>
        new Promise((_, reject) => {
          request.signal.addEventListener('abort', () => reject(request.signal.reason));
          arrived();
        }),
    );
    const ending = senderOf(options, hanging.fetch);
    const round = ending.deliverDue();
    await reached;
    const { requests, fetch } = receiver();
    const other = senderOf(options, fetch, { database: store().connect() });
    // The lease of the first replica holds.
    await other.deliverDue();
    expect(requests).toEqual([]);
    await ending.close();
    await round;
    await makeDue(options);
    await other.deliverDue();
    expect(requests.map(({ headers }) => headers['webhook-id'])).toEqual([
      hanging.requests[0]!.headers['webhook-id'],
    ]);
  });

  test('the receiver of the guide takes a message once, and refuses a forged one', async () => {
    const guide = readFileSync(resolve(import.meta.dirname, '../../../../../docs/approvals.md'), 'utf8');
    const code = /```js\n(import \{ Webhook \}[^`]*(?:`[^`]+`[^`]*)*?)\n```/.exec(guide)![1]!;
    // Inside the package, so that the import resolves as in a user's project.
    mkdirSync(resolve(import.meta.dirname, '../../../dist'), { recursive: true });
    const dir = mkdtempSync(resolve(import.meta.dirname, '../../../dist/receiver-'));
    const lines: string[] = [];
    const log = console.log;
    try {
      writeFileSync(join(dir, 'receiver.mjs'), code);
      process.env.WEBHOOK_SECRET = secret;
      const { receive } = (await import(pathToFileURL(join(dir, 'receiver.mjs')).href)) as {
        readonly receive: (request: Request) => Promise<Response>;
      };
      const options = endpointOf();
      const { approval, tenant } = await request(options);
      const { requests, fetch } = receiver(receive);
      console.log = (line: string) => lines.push(line);
      await senderOf(options, fetch).deliverDue();
      const [{ body, headers, url }] = requests as [(typeof requests)[0]];
      expect((await receive(new Request(url, { method: 'POST', body, headers }))).status).toBe(204);
      const forged = { method: 'POST', body: body.replace('refund', 'payout'), headers };
      expect((await receive(new Request(url, forged))).status).toBe(401);
      expect(lines).toEqual([`approval.requested: refund of ${tenant}, approval ${approval.id}`]);
      expect(await waiting(options)).toEqual([]);
    } finally {
      console.log = log;
      delete process.env.WEBHOOK_SECRET;
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

describe('options', () => {
  const good = { name: 'chat', url: 'https://chat.example.com', secrets: [secret] };
  test.each([
    [[], 'value'],
    [[{ ...good, url: 'http://chat.example.com' }], 'url'],
    [[{ ...good, url: 'file:///etc/passwd' }], 'url'],
    [[{ ...good, secrets: ['whsec_c2hvcnQ='] }], 'secrets'],
    [[{ ...good, secrets: ['no prefix'] }], 'secrets'],
    [[{ ...good, secrets: [] }], 'secrets'],
    [[{ ...good, secrets: [secret, secret, secret] }], 'secrets'],
    [[good, good], 'one name'],
    [[{ ...good, tenant: ['misspelt'] }], 'tenant'],
  ])('%j are refused, and no error quotes a secret', (options, place) => {
    expect(() => readWebhookOptions(options)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.not.stringContaining('whsec_c2') as string,
      }),
    );
    expect(() => readWebhookOptions(options)).toThrow(place);
  });
});
