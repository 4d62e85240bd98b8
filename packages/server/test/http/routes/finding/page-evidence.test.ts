import { parseVerifierKey } from '@tallystick/log';
import type { EventPage } from '@tallystick/protocol';
import { verifyPage } from '@tallystick/verify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { event, Harness } from '../../harness.ts';

let http: Harness;
beforeAll(async () => {
  http = await Harness.open();
});
afterAll(() => http[Symbol.asyncDispose]());

const list = async (query: string, key = http.admin) => {
  const answer = await http.get(`/v1/audit/events?verify=true&${query}`, key);
  expect(answer.status, answer.text).toBe(200);
  return answer.json as EventPage;
};

/** Judges a page with the key that the signer really has. */
async function judge({ events, evidence }: EventPage, tenant: string) {
  const keys = (await http.service.logs.verifierKeys(tenant)).map(({ key }) => parseVerifierKey(key));
  return await verifyPage(events, { ...evidence!, checkpoint: evidence!.checkpoint! }, { keys });
}

test('a page has the bytes and one proof up to the newest checkpoint that exists; nothing is signed', async () => {
  const tenant_id = 'paged';
  await http.ingest(
    Array.from({ length: 300 }, (_, at) => event({ tenant_id, actor_id: at % 5 === 0 ? 'ann' : 'bob' })),
  );
  const unsigned = await list(`tenant_id=${tenant_id}`);
  expect(unsigned.evidence).toMatchObject({ origin: `log.test/${tenant_id}/1`, hashes: [] });
  expect(unsigned.evidence).not.toHaveProperty('checkpoint');

  const signed = await http.service.logs.checkpoint(tenant_id);
  await http.ingest([event({ tenant_id })]);
  for (const query of ['', '&actor_id=ann', '&order=asc&limit=200', '&q=ann&limit=7']) {
    const page = await list(`tenant_id=${tenant_id}${query}`);
    expect(page.evidence!.checkpoint).toBe(signed.note);
    const report = await judge(page, tenant_id);
    const newer = page.events.filter(({ sequence_number }) => sequence_number === 301).length;
    expect(report).toMatchObject({
      verdict: 'verified_selection',
      records: page.events.length,
      verified: page.events.length - newer,
      newer_than_checkpoint: newer,
    });
  }
  const second = await list(
    `tenant_id=${tenant_id}&limit=3&cursor=${(await list(`tenant_id=${tenant_id}&limit=3`)).next_cursor}`,
  );
  expect(await judge(second, tenant_id)).toMatchObject({ verdict: 'verified_selection', verified: 3 });
  // Neither of the requests signed anything.
  expect((await http.service.logs.latestCheckpoint(tenant_id))!.note).toBe(signed.note);
  const plain = (await http.get(`/v1/audit/events?tenant_id=${tenant_id}`)).json;
  expect(plain).not.toHaveProperty('evidence');
  expect(plain.events[0]).not.toHaveProperty('record');
});

test('a reader without the scope gets no bytes of sensitive events, and can check their hashes', async () => {
  const tenant_id = 'hidden';
  await http.ingest([
    event({ tenant_id }),
    event({ tenant_id, is_sensitive: true, actor_id: 'informant' }),
    event({ tenant_id }),
  ]);
  await http.service.logs.checkpoint(tenant_id);
  const low = await http.key([tenant_id], 'events:read');
  const page = await list('', low);
  expect(JSON.stringify(page)).not.toContain('informant');
  expect(page.events.filter(({ redacted }) => redacted === true)).toHaveLength(1);
  expect(await judge(page, tenant_id)).toMatchObject({
    verdict: 'verified_selection',
    verified: 3,
    hash_only: 1,
  });
  const foreign = await http.get('/v1/audit/events?verify=true&tenant_id=paged', low);
  expect(foreign.status).toBe(403);
});

test('the page is bounded, and a tenant without a chain has no evidence', async () => {
  const long = await http.get('/v1/audit/events?verify=true&tenant_id=paged&limit=201');
  expect([long.status, long.json.code, long.json.errors?.[0]?.pointer]).toEqual([
    400,
    'PARAMETER_INVALID',
    '/limit',
  ]);
  expect(await list('tenant_id=nobody')).toEqual({ events: [] });
});

test('a changed record, a changed column and a damaged record are found', async () => {
  const tenant_id = 'changed';
  const [a, b, c] = [event({ tenant_id }), event({ tenant_id }), event({ tenant_id })];
  await http.ingest([a, b, c]);
  await http.service.logs.checkpoint(tenant_id);
  await http.tamper(
    `update audit_records set record = replace(record, '"actor_id":"ann"', '"actor_id":"eve"') where audit_id = '${a.audit_id}'`,
  );
  const changed = await judge(await list(`tenant_id=${tenant_id}`), tenant_id);
  expect(changed.verdict).toBe('broken');
  expect(changed.findings).toContainEqual(
    expect.objectContaining({ code: 'RECORD_HASH_MISMATCH', sequence_number: 1 }),
  );
  await http.tamper(`update audit_records set record = '{}' where audit_id = '${a.audit_id}'`);
  const damaged = await judge(await list(`tenant_id=${tenant_id}`), tenant_id);
  expect(damaged.findings).toContainEqual({ code: 'RECORD_NOT_CANONICAL', sequence_number: 1 });
});

test('a store that was set back behind its checkpoint does not answer as if nothing had happened', async () => {
  const tenant_id = 'set-back';
  await http.ingest([event({ tenant_id }), event({ tenant_id })]);
  const before = await list(`tenant_id=${tenant_id}`);
  expect(before.events).toHaveLength(3);
  const [head] = await http.service.database.query<{ frontier: Uint8Array }>(
    { role: 'reader', tenants: [tenant_id] },
    'select frontier from audit_chain_state where tenant_id = $1',
    [tenant_id],
  );
  await http.ingest([event({ tenant_id })]);
  await http.service.logs.checkpoint(tenant_id);
  await http.tamper(
    `delete from audit_records where tenant_id = '${tenant_id}' and sequence_number = 3;
     update audit_chain_state set last_sequence = 2, frontier = '\\x${Buffer.from(head!.frontier).toString('hex')}' where tenant_id = '${tenant_id}'`,
  );
  const answer = await http.get(`/v1/audit/events?verify=true&tenant_id=${tenant_id}`);
  expect([answer.status, answer.json.code]).toEqual([503, 'CHECKPOINT_INCONSISTENT']);
});
