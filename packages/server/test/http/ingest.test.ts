import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text as readAll } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { limits, uuidv7 } from '@tallystick/event';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { event, Harness } from './harness.ts';

let http: Harness;
let acme: string;
beforeAll(async () => {
  http = await Harness.open();
  acme = await http.key(['acme']);
});
afterAll(() => http[Symbol.asyncDispose]());

const post = (body: string | Uint8Array | object, headers: Record<string, string> = {}, key = acme) =>
  http.call('POST', '/v1/audit/events', { key, body, headers });
const batch = (body: string | Uint8Array | object, headers: Record<string, string> = {}, key = acme) =>
  http.call('POST', '/v1/audit/events/batch', { key, body, headers });

describe('one event', () => {
  it('answers 201 with a receipt, and 200 with the same receipt when it comes again', async () => {
    const one = event();
    const first = await post(one);
    expect(first.status).toBe(201);
    expect(first.json).toMatchObject({ status: 'chained', receipt: { audit_id: one.audit_id, epoch: 1 } });
    const again = await post(one);
    expect(again.status).toBe(200);
    expect(again.json).toEqual({ status: 'duplicate', receipt: first.json.receipt });
  });

  it('confirms the preference `chained`, which it fulfils anyway', async () => {
    const answer = await post(event(), { prefer: 'chained' });
    expect([answer.status, answer.headers.get('preference-applied')]).toEqual([201, 'chained']);
  });

  it('answers 409 for a taken audit_id with other content, and keeps what came', async () => {
    const one = event();
    await post(one);
    const other = await post({ ...one, actor_id: 'mallory' });
    expect(other.status).toBe(409);
    expect(other.json).toMatchObject({ code: 'AUDIT_ID_CONFLICT', errors: [{ pointer: '/audit_id' }] });
    const kept = await http.get(`/v1/dead-letters/${other.json.dead_letter_id}`);
    expect(Buffer.from(kept.json.raw_base64, 'base64').toString()).toContain('mallory');
  });

  const deep = JSON.parse(`${'['.repeat(40)}1${']'.repeat(40)}`);
  const json = (fields: object) => JSON.stringify(event(fields));
  const withText = (member: string) => json({}).replace('{', `{${member},`);
  it.each<[string, string | Uint8Array, number, string, string]>([
    ['malformed JSON', '{"tenant_id":', 400, 'JSON_INVALID', ''],
    ['duplicate keys', withText('"actor_id":"bob"'), 400, 'JSON_DUPLICATE_KEY', ''],
    [
      'invalid UTF-8',
      Buffer.from(json({ actor_id: 'X' }).replace('"X"', '"\xff"'), 'latin1'),
      400,
      'UTF8_INVALID',
      '',
    ],
    ['a wrong type', json({ actor_id: 7 }), 422, 'FIELD_TYPE', '/actor_id'],
    ['no object', '[1,2]', 422, 'FIELD_TYPE', ''],
    ['an unknown field', json({ colour: 'red' }), 422, 'FIELD_UNKNOWN', '/colour'],
    ['a missing field', json({ actor_id: undefined }), 422, 'FIELD_REQUIRED', '/actor_id'],
    ['an unknown value', json({ severity: 'loud' }), 422, 'FIELD_ENUM', '/severity'],
    [
      'too large an event',
      json({ context: { a: 'x'.repeat(limits.maxEventBytes) } }),
      413,
      'EVENT_TOO_LARGE',
      '',
    ],
    [
      'too deep an event',
      json({ context: { deep } }),
      422,
      'EVENT_TOO_DEEP',
      `/context/deep${'/0'.repeat(30)}`,
    ],
    [
      'too many keys',
      json({ context: Object.fromEntries(Array.from({ length: 2_001 }, (_, n) => [`k${n}`, 1])) }),
      422,
      'EVENT_TOO_MANY_KEYS',
      '',
    ],
    ['an illegal tenant', json({ tenant_id: 'a/b' }), 422, 'TENANT_ID_INVALID', '/tenant_id'],
    ['a bad timestamp', json({ timestamp: '2026-02-30T00:00:00Z' }), 422, 'TIMESTAMP_INVALID', '/timestamp'],
    ['a timestamp ahead', json({ timestamp: '2999-01-01T00:00:00Z' }), 422, 'TIMESTAMP_AHEAD', '/timestamp'],
    ['a bad audit_id', json({ audit_id: 'x' }), 422, 'AUDIT_ID_INVALID', '/audit_id'],
    [
      'an audit_id ahead',
      json({ audit_id: 'ffffffff-0000-7000-8000-000000000000' }),
      422,
      'AUDIT_ID_AHEAD',
      '/audit_id',
    ],
    ['a bad type', json({ event_type: 'Nope' }), 422, 'EVENT_TYPE_INVALID', '/event_type'],
    [
      'the actor of the service',
      json({ actor_type: 'system', actor_id: 'tallystick' }),
      422,
      'ACTOR_RESERVED',
      '/actor_id',
    ],
    ['a reserved type', json({ event_type: 'audit.read' }), 422, 'EVENT_TYPE_RESERVED', '/event_type'],
    [
      'an unsafe integer',
      withText('"context":{"n":9007199254740993}'),
      422,
      'NUMBER_OUT_OF_RANGE',
      '/context/n',
    ],
    ['U+0000', withText('"context":{"n":"\\u0000"}'), 422, 'STRING_NUL', '/context/n'],
    ['a lone surrogate', withText('"context":{"n":"\\ud800"}'), 422, 'STRING_LONE_SURROGATE', '/context/n'],
    ['a bad sealed field', json({ sealed: { '/actor_id': 'x' } }), 422, 'SEALED_INVALID', ''],
  ])('refuses %s with a problem, and keeps its bytes', async (what, body, status, code, pointer) => {
    const answer = await post(body);
    expect({ status: answer.status, code: answer.json.code }).toEqual({ status, code });
    if (what !== 'a bad sealed field') expect(answer.json.errors[0].pointer).toBe(pointer);
    const kept = await http.get(`/v1/dead-letters/${answer.json.dead_letter_id}`);
    expect(Buffer.from(kept.json.raw_base64, 'base64')).toEqual(Buffer.from(body));
    expect(kept.json.reason).toBe(code);
  });

  it("refuses another tenant's event without keeping it", async () => {
    const answer = await post(event({ tenant_id: 'other' }));
    expect(answer.status).toBe(403);
    expect(answer.json).toMatchObject({ code: 'TENANT_FORBIDDEN', errors: [{ pointer: '/tenant_id' }] });
    expect(answer.json.dead_letter_id).toBeUndefined();
  });

  it('never quotes what was sent', async () => {
    const answer = await post(event({ severity: 'hunter2', context: { password: 'hunter2' } }));
    expect(answer.text).not.toContain('hunter2');
  });

  it('refuses an empty body, another content type and another encoding', async () => {
    expect((await post('')).json.code).toBe('BODY_MALFORMED');
    const typed = await post(event(), { 'content-type': 'text/plain' });
    expect([typed.status, typed.json.code, typed.headers.get('accept')]).toEqual([
      415,
      'CONTENT_TYPE_UNSUPPORTED',
      'application/json',
    ]);
    const encoded = await post(event(), { 'content-encoding': 'br' });
    expect([encoded.status, encoded.json.code]).toEqual([415, 'CONTENT_ENCODING_UNSUPPORTED']);
  });
});

describe('a batch', () => {
  it('chains the valid events of a batch and reports the others', async () => {
    const [a, b, c] = [event(), event(), event()];
    const body = Buffer.concat([
      Buffer.from(`{"events":[${JSON.stringify(a)}, {"tenant_id":"acme","tenant_id":"acme"} ,`),
      Buffer.from('{"actor_id":"\xff\xfe"}', 'latin1'),
      Buffer.from(`,{"n":9007199254740993},\n${JSON.stringify(b)},{nope},5,${JSON.stringify(c)}]}`),
    ]);
    const answer = await batch(body);
    expect(answer.status).toBe(207);
    expect(
      answer.json.results.map((one: { index: number; status: string }) => [one.index, one.status]),
    ).toEqual([
      [0, 'chained'],
      [1, 'rejected'],
      [2, 'rejected'],
      [3, 'rejected'],
      [4, 'chained'],
      [5, 'rejected'],
      [6, 'rejected'],
      [7, 'chained'],
    ]);
    const codes = answer.json.results.map((one: { error?: { code: string } }) => one.error?.code);
    expect(codes).toEqual([
      undefined,
      'JSON_DUPLICATE_KEY',
      'UTF8_INVALID',
      'NUMBER_OUT_OF_RANGE',
      undefined,
      'JSON_INVALID',
      'FIELD_TYPE',
      undefined,
    ]);
    const sequences = [0, 4, 7].map((at) => answer.json.results[at].receipt.sequence_number);
    expect(sequences[1] - sequences[0]).toBe(1);
    expect(sequences[2] - sequences[1]).toBe(1);
    const kept = await http.get(`/v1/dead-letters/${answer.json.results[1].error.dead_letter_id}`);
    expect(Buffer.from(kept.json.raw_base64, 'base64').toString()).toBe(
      '{"tenant_id":"acme","tenant_id":"acme"}',
    );
  });

  it('answers 207 when all are refused, 201 when all are chained or duplicates', async () => {
    expect((await batch({ events: [{}, {}] })).status).toBe(207);
    const one = event();
    expect(
      (await batch({ events: [one, one] })).json.results.map((r: { status: string }) => r.status),
    ).toEqual(['chained', 'duplicate']);
    expect((await batch({ events: [one] })).status).toBe(201);
    expect((await batch({ events: [] })).json).toEqual({ results: [] });
  });

  it('takes newline-delimited JSON, and gzip', async () => {
    const lines = [event(), event(), event()].map((one) => JSON.stringify(one));
    const body = gzipSync(`${lines[0]}\r\n\n${lines[1]}\nnope\n${lines[2]}`);
    const answer = await batch(body, { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' });
    expect(answer.status).toBe(207);
    expect(answer.json.results.map((one: { status: string }) => one.status)).toEqual([
      'chained',
      'chained',
      'rejected',
      'chained',
    ]);
  });

  it('puts delivery metadata into the record, and checks it', async () => {
    const producer_id = uuidv7();
    const one = event();
    const chained = await batch({
      delivery: { producer_id, service: 'test', sequences: [1], gaps: [], final: [] },
      events: [one],
    });
    expect(chained.status).toBe(201);
    const shown = await http.get(`/v1/audit/events/${one.audit_id}`, acme);
    expect(shown.json.ingest).toMatchObject({
      producer_id,
      producer_seq: 1,
      source: 'http',
      trust: 'api-key',
    });

    const faulty = async (delivery: object, pointer: string) => {
      const answer = await batch({ delivery, events: [event()] });
      expect([answer.status, answer.json.code]).toEqual([400, 'DELIVERY_INVALID']);
      expect(answer.json.errors[0].pointer).toBe(pointer);
    };
    await faulty({ producer_id: 'x' }, '/delivery/producer_id');
    await faulty({ producer_id, sequences: [0] }, '/delivery/sequences/0');
    await faulty({ producer_id, sequences: [1, 2] }, '/delivery/sequences');
    await faulty({ producer_id, sequences: [1.5] }, '/delivery/sequences/0');
    await faulty(
      { producer_id, gaps: [{ tenant_id: 'acme', from: 3, to: 2, reason: 'x' }] },
      '/delivery/gaps/0/to',
    );
    await faulty({ producer_id, final: [{ tenant_id: 'a/b', final_seq: 1 }] }, '/delivery/final/0/tenant_id');
    await faulty({ producer_id, color: 1 }, '/delivery/color');
  });

  it.each([
    ['no JSON', '{"events":[', 400, 'JSON_INVALID'],
    ['brackets that do not match', '{"events":[{"a":[}]}', 400, 'JSON_INVALID'],
    ['an empty element', '{"events":[{},]}', 400, 'JSON_INVALID'],
    ['events twice', '{"events":[],"events":[{}]}', 400, 'JSON_DUPLICATE_KEY'],
    ['events twice, once in escapes', '{"events":[],"\\u0065vents":[{}]}', 400, 'JSON_DUPLICATE_KEY'],
    ['no events', '{}', 400, 'BODY_MALFORMED'],
    ['events that are no list', '{"events":{}}', 400, 'BODY_MALFORMED'],
    ['another member', '{"events":[],"more":1}', 400, 'BODY_MALFORMED'],
    ['a bare list', '[]', 400, 'BODY_MALFORMED'],
    ['a byte-order mark', '\ufeff{"events":[]}', 400, 'JSON_INVALID'],
  ])('refuses %s as a whole', async (_, body, status, code) => {
    const answer = await batch(body);
    expect([answer.status, answer.json.code]).toEqual([status, code]);
  });

  it('says how much it takes when it is too much', async () => {
    const many = await batch(`{"events":[${'{},'.repeat(1_000)}{}]}`);
    expect([many.status, many.json.code]).toEqual([413, 'TOO_LARGE']);
    expect(many.json.limits).toEqual({ max_bytes: 8 * 1024 * 1024, max_events: 1_000 });
    const large = await batch(randomBytes(9 * 1024 * 1024).toString('latin1'));
    expect([large.status, large.json.code]).toEqual([413, 'TOO_LARGE']);
  });

  it('drops a zip bomb before it has unfolded', async () => {
    const bomb = gzipSync(Buffer.alloc(128 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(1024 * 1024);
    const before = process.memoryUsage().rss;
    const answer = await batch(bomb, { 'content-encoding': 'gzip' });
    expect([answer.status, answer.json.code]).toEqual([413, 'TOO_LARGE']);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
    const cut = gzipSync(JSON.stringify({ events: [] })).subarray(0, 20);
    expect((await batch(cut, { 'content-encoding': 'gzip' })).json.code).toBe('BODY_MALFORMED');
    expect((await batch('plain', { 'content-encoding': 'gzip' })).json.code).toBe('BODY_MALFORMED');
  });

  it('survives a client that is still sending when its gzip has exceeded the limit', async () => {
    const bomb = gzipSync(Buffer.alloc(16 * 1024 * 1024));
    const socket = connect(Number(new URL(http.url).port), '127.0.0.1');
    await once(socket, 'connect');
    socket.write(
      `POST /v1/audit/events/batch HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${acme}\r\n` +
        'content-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: 1000000\r\n\r\n',
    );
    socket.write(bomb);
    expect(await readAll(socket)).toMatch(/^HTTP\/1.1 413 .*TOO_LARGE/s);
    expect((await batch({ events: [event()] })).status).toBe(201);
  });

  it('takes gzip in chunks, with no length given', async () => {
    const body = gzipSync(JSON.stringify({ events: [event(), event()] }));
    const response = await fetch(`${http.url}/v1/audit/events/batch`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${acme}`,
        'content-type': 'application/json; charset=utf-8',
        'content-encoding': 'gzip',
      },
      body: new ReadableStream({
        start(controller) {
          for (const at of [0, 7, 50])
            controller.enqueue(body.subarray(at, at === 50 ? undefined : at === 0 ? 7 : 50));
          controller.close();
        },
      }),
      duplex: 'half',
    } as RequestInit);
    expect(response.status).toBe(201);
  });

  it('checks the key, then the parameters, then the body', async () => {
    const nonsense = { body: '{', headers: { 'content-type': 'text/plain' } };
    const noKey = await http.call('POST', '/v1/audit/events', { key: '', ...nonsense });
    expect(noKey.json.code).toBe('UNAUTHENTICATED');
    const noBody = await http.call('POST', '/v1/api-keys', nonsense);
    expect(noBody.json.code).toBe('CONTENT_TYPE_UNSUPPORTED');
    // A route that has no body ignores one, whatever its size and type.
    const path = `/v1/dead-letters/${uuidv7()}/retry`;
    const ignored = await http.call('POST', path, {
      body: 'x'.repeat(2 * 1024 * 1024),
      headers: nonsense.headers,
    });
    expect(ignored.json.code).toBe('NOT_FOUND');
    const badId = await http.call('POST', '/v1/dead-letters/x/retry', nonsense);
    expect(badId.json.code).toBe('PARAMETER_INVALID');
  });
});
