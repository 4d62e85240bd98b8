import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text as readAll } from 'node:stream/consumers';
import { Validator } from '@seriousme/openapi-schema-validator';
import { until } from '@tallystick/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type HttpServer, serveHttp } from '../../src/http/serve.ts';
import { event, Harness } from './harness.ts';

let http: Harness;
const log: string[] = [];
beforeAll(async () => {
  http = await Harness.open({
    auditReads: true,
    logger: { stream: { write: (line: string) => log.push(line) } },
  });
});
afterAll(() => http[Symbol.asyncDispose]());

/** A plain TCP connection, for requests that no HTTP library would send. */
async function dial(url = http.url): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

describe('the wire', () => {
  it('listens on loopback by default', () => {
    expect(http.server.app.server.address()).toMatchObject({ address: '127.0.0.1' });
  });

  it('answers unknown routes and wrong methods as problems', async () => {
    for (const path of ['/v1', '/v1/audit/events/', '/v1/logs//checkpoint', '/v1/logs/acme/tile', '/%ff']) {
      const answer = await http.get(path);
      expect([path, answer.status >= 400 && answer.status < 405]).toEqual([path, true]);
      expect(answer.json.code).toMatch(/ROUTE_NOT_FOUND|REQUEST_MALFORMED|PARAMETER_INVALID/);
    }
    for (const [method, path, allow] of [
      ['PUT', '/v1/audit/events', 'POST, GET'],
      ['POST', '/v1/audit/verify', 'GET'],
      ['PATCH', '/v1/logs/acme/tile/0/000', 'GET'],
      ['GET', '/v1/dead-letters/x/retry', 'POST'],
    ] as const) {
      const answer = await http.call(method, path);
      expect([answer.status, answer.json.code, answer.headers.get('allow')]).toEqual([
        405,
        'METHOD_NOT_ALLOWED',
        allow,
      ]);
    }
  });

  it('answers bytes that are not HTTP, and headers that are too large, with problems', async () => {
    const socket = await dial();
    socket.end('NONSENSE\r\n\r\n');
    const answer = await readAll(socket);
    expect(answer).toMatch(/^HTTP\/1.1 400 .*application\/problem\+json.*REQUEST_MALFORMED/s);
    const large = await dial();
    large.write(`GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`);
    expect(await readAll(large)).toMatch(/^HTTP\/1.1 431 .*HEADERS_TOO_LARGE/s);
  });

  it('disconnects a client that sends its body too slowly', async () => {
    // A server of its own: on a busy machine, ordinary requests may be as slow as this.
    const timeouts = { headersMs: 300, requestMs: 400, checkEveryMs: 50 };
    const impatient = await serveHttp(http.service, { port: 0, logger: false, timeouts });
    try {
      const socket = await dial(impatient.url);
      socket.write(
        `POST /v1/audit/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${http.admin}\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{`,
      );
      expect(await readAll(socket)).toMatch(/^HTTP\/1.1 408 .*REQUEST_TIMEOUT/s);
      const silent = await dial(impatient.url);
      silent.write('GET /health HTTP/1.1\r\n');
      expect(await readAll(silent)).toMatch(/^HTTP\/1.1 408 /);
    } finally {
      await impatient.close();
    }
    expect((await http.get('/health')).status).toBe(200);
  });

  it('survives a client that goes away in the middle of its body', async () => {
    for (const encoding of ['identity', 'gzip']) {
      const socket = await dial();
      socket.write(
        `POST /v1/audit/events/batch HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${http.admin}\r\ncontent-type: application/json\r\ncontent-encoding: ${encoding}\r\ncontent-length: 1000\r\n\r\n{`,
      );
      socket.destroy();
    }
    expect((await http.get('/health')).status).toBe(200);
    // No line has pino's level 50, which is for errors of the service.
    expect(log.filter((line) => line.includes('"level":50'))).toEqual([]);
  });

  it('leads from / to the documentation', async () => {
    const answer = await fetch(http.url, { redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/docs']);
  });

  it('logs who did what, with which outcome, for which event', async () => {
    const lines = () => log.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request');
    const one = event({ tenant_id: 'logged' });
    await http.ingest([one, event({ tenant_id: 'logged' })]);
    await http.get(`/v1/audit/events/${one.audit_id}?tenant_id=logged`);
    await http.get('/v1/audit/events/nothing?tenant_id=logged');
    await until(() => lines().some(({ path }) => path === '/v1/audit/events/nothing'));
    const [batch, read, refused] = lines().slice(-3);
    const principal = expect.stringMatching(/^key:[0-9a-f]{12}$/);
    expect(batch).toMatchObject({
      principal,
      operation: 'submitEvents',
      outcomes: { chained: 2 },
    });
    expect(read).toMatchObject({
      principal,
      operation: 'getEvent',
      audit_id: one.audit_id,
      tenant_id: 'logged',
    });
    expect(refused).toMatchObject({ problem: 'PARAMETER_INVALID', status: 400 });
  });

  it('logs neither keys nor queries nor bodies', async () => {
    await http.get('/v1/audit/events?tenant_id=acme&actor_id=whistleblower');
    await http.call('POST', '/v1/audit/events', { body: event({ context: { pin: 'hunter2' } }) });
    await until(() => log.some((line) => line.includes('"status":201')));
    const all = log.join('');
    expect(all).toContain('/v1/audit/events');
    for (const secret of [http.admin.slice(-64), 'whistleblower', 'hunter2'])
      expect(all).not.toContain(secret);
  });
});

describe('the document', () => {
  it('is valid OpenAPI 3.1 with an operationId for each operation, and problems for each error', async () => {
    const answer = await http.get('/openapi.json', '');
    const result = await new Validator().validate(structuredClone(answer.json));
    expect(result.errors).toBeUndefined();
    expect(result.valid).toBe(true);
    expect(answer.json.openapi).toBe('3.1.0');
    const operations = Object.values(answer.json.paths as object).flatMap((methods) =>
      Object.values(methods as object),
    );
    const ids = operations.map((operation) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const operation of operations) {
      for (const [status, response] of Object.entries(operation.responses as object)) {
        if (Number(status) < 400 || operation.operationId === 'getReadiness') continue;
        expect(Object.keys(response.content)).toEqual(['application/problem+json']);
      }
    }
    expect(answer.text).not.toContain('$defs');
    for (const [, name] of answer.text.matchAll(/#\/components\/schemas\/(\w+)/g)) {
      expect(answer.json.components.schemas).toHaveProperty(name!);
    }
    expect(ids.sort()).toMatchSnapshot();
  });

  it('is readable at /docs, with nothing from elsewhere', async () => {
    const { text, headers } = await http.get('/docs', '');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(text).not.toMatch(/<script|https?:\/\/|src=/);
    for (const id of ['submitEvents', 'listEvents', 'getReceipt', 'schema-Problem'])
      expect(text).toContain(`id="${id}"`);
  });
});

describe('operation', () => {
  it('is alive and ready', async () => {
    expect((await http.get('/health', '')).json).toMatchObject({ status: 'ok' });
    const { json } = await http.get('/ready', '');
    expect(json).toMatchObject({ status: 'ready', reasons: [], stopped_chains: 0 });
  });

  it('counts what was stored', async () => {
    const value = async (name: string) => {
      const { text } = await http.get('/metrics');
      return Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${name} `))
          ?.split(' ')
          .at(-1),
      );
    };
    const before = await value('tallystick_events_total{status="chained"}');
    const one = event({ tenant_id: 'counted' });
    await http.ingest([one, one, event({ tenant_id: 'counted' })]);
    expect(await value('tallystick_events_total{status="chained"}')).toBe(before + 2);
    expect(await value('tallystick_events_total{status="duplicate"}')).toBe(1);
    expect(await value('tallystick_writer_queue_submissions')).toBe(0);
    expect(await value('tallystick_chains_stopped')).toBe(0);
    expect(await value('tallystick_logs_unsigned')).toBeGreaterThan(0);
    expect(await value('tallystick_dead_letters_open')).toBe(0);
    expect((await http.get('/metrics')).text).toMatch(
      /tallystick_http_request_duration_seconds_count\{method="POST",route="\/v1\/audit\/events\/batch",status="201"\}/,
    );
  });

  it('chains reads once a principal and window, and no read for reading those', async () => {
    const tenant_id = 'watched';
    await http.ingest([event({ tenant_id })]);
    const key = await http.key([tenant_id], 'events:read');
    const reads = async () =>
      (await http.get(`/v1/audit/events?tenant_id=${tenant_id}&event_type=audit.*`)).json.events;
    for (let at = 0; at < 3; at++) await http.get('/v1/audit/events', key);
    const [read, ...others] = await reads();
    // A window may have ended between the reads.
    expect(others.length).toBeLessThanOrEqual(1);
    expect(read).toMatchObject({
      event_type: 'audit.read',
      actor_id: expect.stringMatching(/^key:/),
      target_id: tenant_id,
      ingest: { source: 'service', trust: 'service' },
    });
    const length = others.length + 1;
    await http.get(`/v1/audit/events/${read.audit_id}`, await http.key([tenant_id], 'events:read'));
    expect(await reads()).toHaveLength(length);
    await http.get(`/v1/logs/${tenant_id}/bundle`, key);
    const [exported] = await reads();
    expect(exported).toMatchObject({
      event_type: 'audit.exported',
      metadata: { format: 'bundle', complete: true },
    });
  });
});

describe('trouble', () => {
  it('tells operators which chains are stopped, and stays ready for the others', async () => {
    await http.ingest([event({ tenant_id: 'halted' })]);
    await http.get('/v1/logs/halted/checkpoint?fresh=true');
    await http.tamper("update audit_chain_state set last_sequence = 0 where tenant_id = 'halted'");
    const submit = () => http.call('POST', '/v1/audit/events', { body: event({ tenant_id: 'halted' }) });
    // The first submission finds the contradiction with the signed checkpoint, and stops the chain.
    expect((await submit()).json.code).toBe('CHAIN_STOPPED');
    const answer = await submit();
    expect([answer.status, answer.json.code, answer.headers.get('retry-after')]).toEqual([
      503,
      'CHAIN_STOPPED',
      // The event is kept as a dead letter: there is nothing to send again.
      null,
    ]);
    expect(answer.json.dead_letter_id).toMatch(/^[0-9a-f-]{36}$/);
    const ready = await http.get('/ready', '');
    expect(ready.json).toMatchObject({
      status: 'degraded',
      reasons: ['1 chains are stopped'],
      stopped_chains: 1,
    });
    expect(ready.json.stopped).toBeUndefined();
    expect((await http.get('/ready')).json.stopped).toEqual({
      halted: '2 records were signed, the store has 1',
    });
    expect((await http.call('POST', '/v1/audit/events', { body: event() })).status).toBe(201);
    // Reads go on, although they can no longer be recorded in the chain.
    expect((await http.get('/v1/audit/events?tenant_id=halted')).status).toBe(200);
    expect((await http.get('/metrics')).text).toContain('tallystick_read_audit_failures_total 1');
  });

  it('refuses submissions while too many are queued, with a Retry-After header', async () => {
    using _ = vi.spyOn(http.service.writer, 'queued', 'get').mockReturnValue(1_000);
    const answer = await http.call('POST', '/v1/audit/events', { body: event() });
    expect([answer.status, answer.json.code, answer.headers.get('retry-after')]).toEqual([
      503,
      'OVERLOADED',
      '1',
    ]);
  });

  it('answers an internal error without its message, and logs it without the row', async () => {
    const failure = Object.assign(new Error('Failing row contains (hunter2)'), { code: '23514' });
    using _ = vi.spyOn(http.service.database, 'transaction').mockRejectedValue(failure);
    const answer = await http.get('/v1/tenants');
    expect([answer.status, answer.json.code]).toEqual([500, 'INTERNAL_ERROR']);
    expect(answer.text).not.toMatch(/hunter2|at |\.ts/);
    expect(log.join('')).not.toContain('hunter2');
    expect(log.some((line) => line.includes('"sql_state":"23514"'))).toBe(true);
    // Readiness remembers its last answer for a second.
    await until(async () => (await http.get('/ready', '')).status === 503);
    expect((await http.get('/health', '')).status).toBe(200);
  });
});

describe('closing', () => {
  let second: HttpServer;
  it('finishes the requests in progress, and accepts no new ones', async () => {
    // With an hour for draining: a close that ended by force would outlast the test's own time-out.
    second = await serveHttp(http.service, { port: 0, logger: false, auditReads: false, drainMs: 3_600_000 });
    const body = JSON.stringify({ events: [event({ tenant_id: 'drained' })] });
    const socket = await dial(second.url);
    socket.write(
      `POST /v1/audit/events/batch HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${http.admin}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nexpect: 100-continue\r\n\r\n${body.slice(0, 10)}`,
    );
    // The server has read the headers and asks for the body: the request is in progress.
    const [interim] = await once(socket, 'data');
    expect(String(interim)).toMatch(/^HTTP\/1.1 100 /);
    const closed = second.close();
    socket.write(body.slice(10));
    expect(await readAll(socket)).toMatch(/^HTTP\/1.1 201 .*"chained"/s);
    await closed;
    await expect(fetch(`${second.url}/health`)).rejects.toThrow();
    await second.close();
  });
});
