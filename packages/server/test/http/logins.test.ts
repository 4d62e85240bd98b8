import { uuidv7 } from '@tallystick/event';
import { openTestOpenIdProvider, type TestOpenIdProvider, until } from '@tallystick/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { readLoginOptions } from '../../src/access/logins/login-options.ts';
import { documentDigest } from '../../src/approvals/openings.ts';
import { event, Harness } from './harness.ts';

let provider: TestOpenIdProvider;
let http: Harness;
/** The service's clock. */
let now: () => number;
/** Added to the clock by a test that changes the keys, so that the pause between two attempts has passed. */
let shift = 0;

beforeAll(async () => {
  provider = await openTestOpenIdProvider({
    alice: { tenants: ['acme'], groups: ['agents', 'approvers'] },
    maria: { tenants: ['acme'], groups: ['approvers'] },
    root: { tenants: ['acme'], groups: ['admins'] },
  });
  const { issuer, audience } = provider;
  http = await Harness.open({
    now: () => now(),
    logins: readLoginOptions({
      issuer,
      audience,
      tenants: { claim: 'tenants' },
      groups: { claim: 'groups' },
      scopes: {
        claim: 'groups',
        grant: {
          agents: ['events:write', 'events:read', 'approvals:request'],
          approvers: ['approvals:decide'],
          admins: ['admin'],
        },
      },
    }),
  });
});
afterAll(async () => {
  await http?.[Symbol.asyncDispose]();
  await provider?.[Symbol.asyncDispose]();
});
beforeEach(() => {
  now = () => Date.now() + shift;
  provider.lifetimeSeconds = 3_600;
});

const subjectOf = (person: string) => `${provider.issuer}#${person}`;

/** A request for an approval by the holder of a credential, with its intent. */
async function request(key: string) {
  const document = {
    tenant_id: 'acme',
    action: 'refund',
    actor: { actor_type: 'agent', actor_id: 'bot' },
    arguments: { amount: 40 },
    policy: { name: 'p', version: '1' },
  } as const;
  const document_digest = documentDigest(document);
  const intent = {
    ...event({ tenant_id: 'acme' }),
    audit_id: uuidv7(),
    event_type: 'agent.action.intended',
    context: { document_digest },
  };
  await http.ingest([intent], key);
  const body = { id: uuidv7(), intent_id: intent.audit_id, document };
  const { json } = await http.call('POST', '/v1/approvals', { key, body });
  const path = `/v1/approvals/${body.id}`;
  const decide = (approver: string) =>
    http.call('POST', `${path}/decision`, { key: approver, body: { verdict: 'grant', document_digest } });
  return { approval: json, path, decide };
}

test('a login writes and reads, and the record names its subject', async () => {
  const key = await provider.token('alice');
  const submitted = { ...event({ tenant_id: 'acme' }), audit_id: uuidv7() };
  await http.ingest([submitted], key);
  const { json } = await http.get(`/v1/audit/events/${submitted.audit_id}`, key);
  expect(json.ingest ?? json.record?.ingest).toMatchObject({
    principal: `login:${subjectOf('alice')}`,
    trust: 'api-key',
  });
  const elsewhere = await http.get('/v1/audit/events?tenant_id=globex', key);
  expect(elsewhere.json).toMatchObject({ code: 'FORBIDDEN', detail: 'the login is not for this tenant' });
});

test('an administrator of some tenants is no operator, and may not decide', async () => {
  const key = await provider.token('root');
  expect((await http.get('/v1/api-keys', key)).status).toBe(403);
  const { decide } = await request(await provider.token('alice'));
  expect((await decide(key)).status).toBe(403);
});

test('a person with two logins, or a login and a key, can not approve their own request', async () => {
  const { approval, decide } = await request(await provider.token('alice'));
  expect(approval).toMatchObject({ requester: subjectOf('alice') });
  expect((await decide(await provider.token('alice'))).json).toMatchObject({ code: 'APPROVER_IS_REQUESTER' });
  const { key } = await http.service.keys.create({
    name: 'second',
    scopes: ['approvals:decide'],
    tenants: ['acme'],
    subject: subjectOf('alice'),
  });
  expect((await decide(key)).json).toMatchObject({ code: 'APPROVER_IS_REQUESTER' });
  const granted = await decide(await provider.token('maria'));
  expect(granted.json).toMatchObject({ state: 'granted', decisions: [{ subject: subjectOf('maria') }] });
});

test('an approver whose login has expired meanwhile is refused, and nothing is stored', async () => {
  const { path, decide } = await request(await provider.token('alice'));
  provider.lifetimeSeconds = 1;
  const key = await provider.token('maria');
  // The clock of this replica stands still, so the login is valid for it when the request arrives. The store's clock goes on.
  const arrival = Date.now();
  now = () => arrival;
  const { exp } = JSON.parse(Buffer.from(key.split('.')[1]!, 'base64url').toString()) as { exp: number };
  await until(() => Date.now() > exp * 1_000);
  expect((await decide(key)).json).toMatchObject({
    code: 'UNAUTHENTICATED',
    detail: 'the login has expired',
  });
  const reader = await http.key(['acme'], 'approvals:request');
  expect((await http.get(path, reader)).json).toMatchObject({ state: 'pending', decisions: [] });
});

test('a stream ends when its login expires', async () => {
  const key = await provider.token('alice');
  const response = await fetch(`${http.url}/v1/audit/events/stream`, {
    headers: { authorization: `Bearer ${key}` },
  });
  expect(response.status).toBe(200);
  let isOpen = true;
  const ended = response
    .text()
    .catch(() => '')
    .finally(() => {
      isOpen = false;
    });
  await http.ingest([event({ tenant_id: 'acme' })]);
  expect(isOpen).toBe(true);
  now = () => Date.now() + 2 * 60 * 60 * 1_000;
  await ended;
  expect((await http.get('/v1/approvals', key)).json).toMatchObject({ status: 401 });
});

test('the provider changes its key: new tokens work, and old ones do not', async () => {
  const old = await provider.token('alice');
  expect((await http.get('/v1/approvals', old)).status).toBe(200);
  await provider.rotate();
  shift += 15_000;
  expect((await http.get('/v1/approvals', await provider.token('alice'))).status).toBe(200);
  expect((await http.get('/v1/approvals', old)).json).toMatchObject({ code: 'UNAUTHENTICATED' });
});

test('while the provider is down, logins with known keys and API keys work, and others are told to wait', async () => {
  const known = await provider.token('alice');
  expect((await http.get('/v1/approvals', known)).status).toBe(200);
  await provider.rotate();
  const fresh = await provider.token('alice');
  provider.isDown = true;
  shift += 15_000;
  const answer = await http.get('/v1/approvals', fresh);
  expect(answer.json).toMatchObject({ status: 503, code: 'ISSUER_UNAVAILABLE' });
  expect(answer.headers.get('retry-after')).toBe('10');
  expect((await http.get('/v1/approvals', known)).status).toBe(200);
  expect((await http.get('/v1/api-keys')).status).toBe(200);
  provider.isDown = false;
  shift += 15_000;
  expect((await http.get('/v1/approvals', fresh)).status).toBe(200);
});

test('a service without logins refuses tokens', async () => {
  await using plain = await Harness.open();
  const { status, json } = await plain.get('/v1/approvals', await provider.token('alice'));
  expect([status, json.code]).toEqual([401, 'UNAUTHENTICATED']);
});

test('a subject that is blocked is refused with a valid token, its stream ends, and others are not affected', async () => {
  const alice = await provider.token('alice');
  const { key: second } = await http.service.keys.create({
    name: 'second',
    scopes: ['approvals:decide'],
    tenants: ['acme'],
    subject: subjectOf('maria'),
  });
  const maria = await provider.token('maria');
  const { path, decide } = await request(alice);
  const stream = await fetch(`${http.url}/v1/approvals/${path.split('/').at(-1)}/stream`, {
    headers: { authorization: `Bearer ${alice}` },
  });
  const ended = stream.text().catch(() => '');
  const block = (subject: string, key?: string) =>
    http.call('POST', '/v1/blocked-subjects', { ...(key && { key }), body: { subject, reason: 'left' } });
  expect((await block(subjectOf('maria'), alice)).status).toBe(403);
  expect((await block(subjectOf('maria'))).status).toBe(204);
  for (const key of [maria, second]) {
    expect((await decide(key)).json).toMatchObject({
      code: 'UNAUTHENTICATED',
      detail: 'the subject of the credential is blocked',
    });
  }
  expect((await http.get(path, alice)).json).toMatchObject({ state: 'pending' });
  expect((await http.get('/v1/blocked-subjects')).json).toMatchObject({
    subjects: [{ subject: subjectOf('maria'), reason: 'left' }],
  });
  expect((await block(subjectOf('alice'))).status).toBe(204);
  await ended;
  expect((await http.get(path, alice)).status).toBe(401);
  for (const person of ['maria', 'alice']) {
    const query = `subject=${encodeURIComponent(subjectOf(person))}`;
    expect((await http.call('DELETE', `/v1/blocked-subjects?${query}`, {})).status).toBe(204);
    expect((await http.call('DELETE', `/v1/blocked-subjects?${query}`, {})).status).toBe(404);
  }
  expect((await decide(maria)).json).toMatchObject({ state: 'granted' });
});
