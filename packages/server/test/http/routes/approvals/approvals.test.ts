import { uuidv7 } from '@tallystick/event';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newTenant } from '../../../events.ts';
import { Harness } from '../../harness.ts';

let http: Harness;
beforeAll(async () => {
  http = await Harness.open();
});
afterAll(() => http?.[Symbol.asyncDispose]());

async function agentOf(tenant: string, subject = 'service:refunds') {
  const { key } = await http.service.keys.create({
    name: 'agent',
    scopes: ['events:write', 'approvals:request'],
    tenants: [tenant],
    subject,
  });
  return key;
}
async function approverOf(tenant: string, subject: string) {
  const { key, id } = await http.service.keys.create({
    name: subject,
    scopes: ['approvals:decide'],
    tenants: [tenant],
    subject,
  });
  return { key, id };
}

function documentOf(tenant: string) {
  return {
    tenant_id: tenant,
    action: 'refund',
    actor: { actor_type: 'agent', actor_id: 'bot' },
    arguments: { amount: 40 },
    policy: { name: 'p', version: '1' },
  } as const;
}

/** A request for an approval over HTTP, with its intent. */
async function requested(tenant: string, key: string) {
  const document = documentOf(tenant);
  const { documentDigest } = await import('../../../../src/approvals/openings.ts');
  const document_digest = documentDigest(document);
  const intent_id = uuidv7();
  await http.ingest(
    [
      {
        audit_id: intent_id,
        tenant_id: tenant,
        timestamp: new Date().toISOString(),
        event_type: 'agent.action.intended',
        actor_type: 'agent',
        actor_id: 'bot',
        source_service: 'test',
        context: { document_digest },
      },
    ],
    key,
  );
  const id = uuidv7();
  const answer = await http.call('POST', '/v1/approvals', { key, body: { id, intent_id, document } });
  expect(answer.status).toBe(200);
  return { id, document_digest, path: `/v1/approvals/${id}` };
}

describe('who may request', () => {
  // A person with a key without a subject requested, and granted the request with a second key.
  test('only a key with a subject', async () => {
    const tenant = newTenant();
    const key = await http.key([tenant], 'approvals:request');
    const body = { id: uuidv7(), intent_id: uuidv7(), document: documentOf(tenant) };
    expect((await http.call('POST', '/v1/approvals', { key, body })).json).toMatchObject({
      status: 403,
      code: 'FORBIDDEN',
    });
  });

  // The rules of "wire" did not hold for "wire ", which an approver reads as the same action.
  test.each(['wire ', 'wi\u200bre', 'wi\u00adre', 'wire\ufe0f', 'cafe\u0301'])(
    'not for an action that looks like another: %j',
    async (action) => {
      const tenant = newTenant();
      const document = { ...documentOf(tenant), action };
      const body = { id: uuidv7(), intent_id: uuidv7(), document };
      const answer = await http.call('POST', '/v1/approvals', { key: await agentOf(tenant), body });
      expect(answer.json).toMatchObject({ status: 422, code: 'BODY_INVALID' });
    },
  );

  test('no subject is the name of a principal, or looks like another subject', async () => {
    for (const subject of [
      'key:0123456789ab',
      'login:x',
      'group:leads',
      'tom ',
      ' tom',
      'to\u200bm',
      'tom\ufe0f',
      'jose\u0301',
    ])
      await expect(agentOf(newTenant(), subject)).rejects.toMatchObject({ code: 'PARAMETER_INVALID' });
  });
});

describe('who may decide', () => {
  test('neither the requester under another key of the same subject, nor a key without a subject, nor an administrator', async () => {
    const tenant = newTenant();
    const { path, document_digest } = await requested(tenant, await agentOf(tenant, 'tom'));
    const decide = (key: string) =>
      http.call('POST', `${path}/decision`, {
        key,
        body: { verdict: 'grant', document_digest, tenant_id: tenant },
      });
    const other = await approverOf(tenant, 'tom');
    expect((await decide(other.key)).json).toMatchObject({ status: 403, code: 'APPROVER_IS_REQUESTER' });
    const { key: unbound } = await http.service.keys.create({
      name: 'n',
      scopes: ['approvals:decide'],
      tenants: [tenant],
    });
    expect((await decide(unbound)).json).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    expect((await decide(http.admin)).json).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  });

  test('a key that was revoked meanwhile can not, though another replica still caches it', async () => {
    const tenant = newTenant();
    const { path, document_digest } = await requested(tenant, await agentOf(tenant));
    const { key, id } = await approverOf(tenant, 'maria');
    const decide = () =>
      http.call('POST', `${path}/decision`, { key, body: { verdict: 'grant', document_digest } });
    // Caches the key, as a replica does that has just answered it.
    await http.get(`/v1/approvals?tenant_id=${tenant}`, key);
    await http.tamper(`update audit_api_keys set revoked_at = clock_timestamp() where id = '${id}'`);
    expect((await decide()).status).toBe(401);
    expect((await http.get(`${path}?tenant_id=${tenant}`)).json).toMatchObject({ state: 'pending' });
  });

  test('a key of another tenant learns nothing', async () => {
    const tenant = newTenant();
    const { path, document_digest } = await requested(tenant, await agentOf(tenant));
    const nextDoor = newTenant();
    const { key } = await approverOf(nextDoor, 'maria');
    expect((await http.get(`${path}?tenant_id=${tenant}`, key)).status).toBe(403);
    expect((await http.get(path, key)).status).toBe(404);
    const body = { verdict: 'grant', document_digest };
    expect((await http.call('POST', `${path}/decision`, { key, body })).status).toBe(404);
    expect((await http.get('/v1/approvals', key)).json).toEqual({ approvals: [] });
  });

  test('a client that writes approval.granted itself changes nothing, and its event does not count as the service’s word', async () => {
    const tenant = newTenant();
    const key = await agentOf(tenant);
    const { id, path } = await requested(tenant, key);
    await http.ingest(
      [
        {
          audit_id: uuidv7(),
          tenant_id: tenant,
          timestamp: new Date().toISOString(),
          event_type: 'approval.granted',
          actor_type: 'user',
          actor_id: 'maria',
          target_type: 'approval',
          target_id: id,
          source_service: 'test',
        },
      ],
      key,
    );
    expect((await http.get(`${path}?tenant_id=${tenant}`)).json.state).toBe('pending');
    const { json } = await http.get(`/v1/audit/events?tenant_id=${tenant}&event_type=approval.*&order=asc`);
    const trusts = json.events.map((event: { event_type: string; ingest: { trust: string } }) => [
      event.event_type,
      event.ingest.trust === 'service',
    ]);
    expect(trusts).toEqual([
      ['approval.requested', true],
      ['approval.granted', false],
    ]);
  });
});

test('a list is paged, newest first', async () => {
  const tenant = newTenant();
  const key = await agentOf(tenant);
  const ids: string[] = [];
  for (let index = 0; index < 5; index++) ids.unshift((await requested(tenant, key)).id);
  const seen: string[] = [];
  let cursor = '';
  do {
    const { json } = await http.get(`/v1/approvals?limit=2${cursor}`, key);
    seen.push(...json.approvals.map(({ id }: { id: string }) => id));
    cursor = json.next_cursor === undefined ? '' : `&cursor=${json.next_cursor}`;
  } while (cursor !== '');
  expect(seen).toEqual(ids);
});

test('hostile bodies are refused with the place of the mistake', async () => {
  const tenant = newTenant();
  const key = await agentOf(tenant);
  for (const body of [
    {},
    { id: 'x' },
    { id: uuidv7(), intent_id: uuidv7(), document: { tenant_id: tenant } },
  ]) {
    expect((await http.call('POST', '/v1/approvals', { key, body })).json).toMatchObject({
      status: 422,
      code: 'BODY_INVALID',
    });
  }
});

test('minimum rules are set by an operator, and by nobody else', async () => {
  const rules = {
    approvals: 2,
    timeout_ms: 1_000,
    claim_within_ms: 1_000,
    hidden_arguments: 'refused',
    break_glass: 'refused',
  };
  const tenant = newTenant();
  const body = { tenant_id: tenant, action: 'pay', rules };
  expect((await http.call('POST', '/v1/approval-rules', { key: await agentOf(tenant), body })).status).toBe(
    403,
  );
  expect((await http.call('POST', '/v1/approval-rules', { body })).status).toBe(204);
  expect((await http.get('/v1/approval-rules')).json.approval_rules).toContainEqual(body);
  const query = `?tenant_id=${tenant}&action=pay`;
  expect((await http.call('DELETE', `/v1/approval-rules${query}`)).status).toBe(204);
  expect((await http.call('DELETE', `/v1/approval-rules${query}`)).status).toBe(404);
});
