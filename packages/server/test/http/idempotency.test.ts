import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { event, Harness } from './harness.ts';

// A first event with curl needed a UUIDv7 and a time, which a shell makes only with effort, and a retry with new ones was a second
// event.
let http: Harness;
beforeAll(async () => {
  http = await Harness.open();
});
afterAll(() => http[Symbol.asyncDispose]());

const five = (tenant_id: string) => ({
  tenant_id,
  event_type: 'auth.login',
  actor_type: 'user',
  actor_id: 'maria',
  source_service: 'shell',
});
const post = (body: object | string, headers: Record<string, string> = {}) =>
  http.call('POST', '/v1/audit/events', { body, headers });
const countOf = async (tenant: string) =>
  (await http.get(`/v1/audit/events?tenant_id=${tenant}&event_type=auth.*`)).json.events.length;

test("the README's curl with five fields, and its retry", async () => {
  const readme = readFileSync(join(import.meta.dirname, '../../../../README.md'), 'utf8');
  const [, command] = /```sh\n(curl .*?)```/s.exec(readme)!;
  const [, path] = /\$TALLYSTICK_URL(\S+?)"/.exec(command!)!;
  const [, body] = /--data '(.*)'/.exec(command!)!;
  const headers = Object.fromEntries(
    [...command!.matchAll(/-H ["']([\w-]+): (.*?)["']/g)].map(([, name, value]) => [
      name!.toLowerCase(),
      value!.replace('$TALLYSTICK_API_KEY', http.admin),
    ]),
  );
  expect(Object.keys(JSON.parse(body!))).toHaveLength(5);
  const send = async () => (await http.call('POST', path!, { body: body!, headers })).json;
  const first = await send();
  expect(first).toMatchObject({ status: 'chained', receipt: { tenant_id: 'acme', sequence_number: 1 } });
  expect(await send()).toEqual({ ...first, status: 'duplicate' });
});

test('the same key with another body is 422, and the quotes of the draft make no difference', async () => {
  const quoted = await post(five('reused'), { 'idempotency-key': '"8e03978e-40d5-43dd-bc93-6894a57f9324"' });
  expect(quoted.status).toBe(201);
  const key = { 'idempotency-key': '8e03978e-40d5-43dd-bc93-6894a57f9324' };
  expect((await post(five('reused'), key)).status).toBe(200);
  const other = await post({ ...five('reused'), actor_id: 'john' }, key);
  expect([other.status, other.json.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
  expect(await countOf('reused')).toBe(1);
});

test.each(['', 'two words', '"', 'a,b', 'x'.repeat(256), '"a", "b"'])('%j is not a key', async (value) => {
  const { status, json } = await post(five('keys'), { 'idempotency-key': value });
  expect([status, json.code]).toEqual([400, 'IDEMPOTENCY_KEY_INVALID']);
});

test.each(['application/json', 'application/x-ndjson'])(
  'a batch as %s gets an id for each event',
  async (type) => {
    const tenant = type === 'application/json' ? 'batch' : 'lines';
    const own = event({ tenant_id: tenant, event_type: 'auth.own' });
    const events = [five(tenant), own, five(tenant)];
    const body =
      type === 'application/json' ? { events } : events.map((each) => JSON.stringify(each)).join('\n');
    const send = () =>
      http.call('POST', '/v1/audit/events/batch', {
        body,
        headers: { 'content-type': type, 'idempotency-key': 'batch-1' },
      });
    const first = await send();
    expect([first.status, first.json.results.map(({ status }: { status: string }) => status)]).toEqual([
      201,
      ['chained', 'chained', 'chained'],
    ]);
    expect(first.json.results[1].receipt.audit_id).toBe(own.audit_id);
    const again = await send();
    expect(again.json.results.map(({ receipt }: { receipt: object }) => receipt)).toEqual(
      first.json.results.map(({ receipt }: { receipt: object }) => receipt),
    );
    expect(await countOf(tenant)).toBe(3);
  },
);

test('without the header the fields are required, and the error says why and how', async () => {
  const { status, json } = await post(five('strict'));
  expect([status, json.code]).toEqual([422, 'FIELD_REQUIRED']);
  expect(json.detail).toContain('because a retry with a new one would store the event twice');
  expect(json.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(['/audit_id', '/timestamp']);
  expect(json.errors[1].message).toContain('With the header Idempotency-Key');
});

test('a tenant of others is forbidden, with or without the fields', async () => {
  const key = await http.key(['mine'], 'events:write');
  const answer = await http.call('POST', '/v1/audit/events', {
    key,
    body: five('theirs'),
    headers: { 'idempotency-key': 'foreign' },
  });
  expect([answer.status, answer.json.code]).toEqual([403, 'TENANT_FORBIDDEN']);
});
