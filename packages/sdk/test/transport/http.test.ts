import { createServer } from 'node:net';
import { problemTypeOf } from '@tallystick/protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { type AuditEmitterConfig, createAuditEmitter } from '../../src/index.ts';
import { type HttpTransportOptions, httpTransport } from '../../src/transport/http.ts';
import { auditServer, problem, type Script } from '../support/audit-server.ts';
import { someEvent } from '../support/events.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function setUp(
  script?: Script,
  http: Partial<HttpTransportOptions> = {},
  config: AuditEmitterConfig = {},
) {
  const server = await auditServer(script);
  cleanups.push(server.close);
  const transport = httpTransport({ url: server.url, apiKey: 'key-1', ...http });
  const emitter = createAuditEmitter({
    service: 'checkout',
    transport,
    retryDelaysMs: [1],
    flushOnExit: false,
    ...config,
  });
  cleanups.push(() => emitter.close({ deadlineMs: 100 }));
  return { server, transport, emitter };
}

describe('over a real connection', () => {
  test('events arrive in the form that the service reads, and receipts are returned', async () => {
    const { server, emitter } = await setUp();
    const receipt = await emitter.record(someEvent({ context: { text: 'grüße \u{1f600} "x"' } }));
    expect(receipt).toMatchObject({ state: 'chained', receipt: { audit_id: receipt.id, tenant_id: 'acme' } });
    const [request] = server.received;
    expect(request).toMatchObject({
      path: '/v1/audit/events/batch',
      headers: { authorization: 'Bearer key-1', 'content-type': 'application/json' },
      body: {
        delivery: {
          producer_id: emitter.producerId,
          service: 'checkout',
          sequences: [1],
          gaps: [],
          final: [],
        },
        events: [{ audit_id: receipt.id, context: { text: 'grüße \u{1f600} "x"' } }],
      },
    });
  });

  test('a caller that wants its event chained is the only one whose request says so', async () => {
    const { server, emitter } = await setUp();
    await emitter.record(someEvent(), { chained: true });
    await emitter.record(someEvent(), { chained: false });
    await emitter.record(someEvent());
    expect(server.received.map(({ headers }) => headers.prefer)).toEqual(['chained', undefined, undefined]);
  });

  test('a large body is compressed, a small one is not; the connection is kept', async () => {
    const { server, emitter } = await setUp();
    await emitter.record(someEvent());
    for (let count = 0; count < 500; count++) emitter.emit(someEvent({ targetId: `o-${count}` }));
    expect(await emitter.flush()).toMatchObject({ delivered: 501 });
    const [small, large] = server.received;
    expect(small?.headers['content-encoding']).toBeUndefined();
    expect(large?.headers['content-encoding']).toBe('gzip');
    expect(large?.bytes).toBeLessThan(40_000);
    expect(server.sockets()).toBe(1);
  });

  test('the end is declared in a batch without events', async () => {
    const { server, emitter } = await setUp();
    emitter.emit(someEvent());
    expect(await emitter.close()).toMatchObject({ delivered: 1 });
    expect(server.received.at(-1)?.body).toMatchObject({
      events: [],
      delivery: { sequences: [], final: [{ tenant_id: 'acme', final_seq: 1 }] },
    });
  });

  test('a prefix in the url is kept', async () => {
    const { server } = await setUp();
    const transport = httpTransport({ url: `${server.url}/audit` });
    await transport.send(empty, AbortSignal.timeout(5_000));
    await transport.close();
    expect(server.received[0]?.path).toBe('/audit/v1/audit/events/batch');
    expect(server.received[0]?.headers.authorization).toBeUndefined();
  });
});

const empty = {
  events: [],
  delivery: { producer_id: 'p', service: 's', sequences: [], gaps: [], final: [] },
};

describe('statuses', () => {
  test.each([408, 425, 429, 500, 502, 503])('%i is retried', async (status) => {
    const { server, emitter } = await setUp((_, response, call) =>
      call === 1 ? problem(response, status, 'LATER') : undefined,
    );
    await emitter.record(someEvent());
    expect(server.received).toHaveLength(2);
  });

  test("400 is final, and the error contains the problem's code but not the body", async () => {
    const { server, emitter } = await setUp((request, response) => {
      const detail = JSON.stringify(request.body);
      response
        .writeHead(400)
        .end(JSON.stringify({ type: problemTypeOf('BATCH_INVALID'), code: 'BATCH_INVALID', detail }));
      return true;
    });
    const error = await emitter
      .record(someEvent({ context: { a: 'hunter2' } }))
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'BATCH_REFUSED', outcome: 'rejected' });
    expect(String(error) + String((error as Error).cause)).toContain('BATCH_INVALID');
    expect(String(error) + String((error as Error).cause)).not.toContain('hunter2');
    expect(server.received).toHaveLength(1);
  });

  test('after 413 the batch is split', async () => {
    const { server, emitter } = await setUp((request, response) =>
      request.body.events.length > 30 ? problem(response, 413, 'BATCH_TOO_LARGE') : undefined,
    );
    for (let count = 0; count < 100; count++) emitter.emit(someEvent());
    expect(await emitter.flush()).toMatchObject({ delivered: 100 });
    expect(server.received.map((request) => request.body.events.length)).toEqual(
      expect.arrayContaining([100, 50, 25]),
    );
  });

  test('Retry-After is understood in seconds and as a date', async () => {
    const { transport } = await setUp((_, response, call) =>
      problem(response, 429, 'SLOW_DOWN', {
        'retry-after': call === 1 ? '7' : new Date(Date.now() + 60_000).toUTCString(),
      }),
    );
    const send = () => transport.send(empty, AbortSignal.timeout(5_000)).catch((error: unknown) => error);
    expect(await send()).toMatchObject({
      name: 'TransportError',
      retryable: true,
      status: 429,
      retryAfterMs: 7_000,
    });
    const { retryAfterMs } = (await send()) as { retryAfterMs: number };
    expect(retryAfterMs).toBeGreaterThan(50_000);
    expect(retryAfterMs).toBeLessThanOrEqual(60_000);
  });

  test('after 401 a new credential is used; if that is refused too, the event waits', async () => {
    let valid = 'key-2';
    const asked: boolean[] = [];
    const { server, transport, emitter } = await setUp(
      (request, response) =>
        request.headers.authorization === `Bearer ${valid}`
          ? undefined
          : problem(response, 401, 'UNAUTHORIZED'),
      {
        apiKey: ({ refresh }) => {
          asked.push(refresh);
          return refresh ? 'key-2' : 'key-1';
        },
      },
    );
    await emitter.record(someEvent());
    await emitter.record(someEvent());
    expect(asked).toEqual([false, true]);
    expect(server.received.map((request) => request.headers.authorization)).toEqual([
      'Bearer key-1',
      'Bearer key-2',
      'Bearer key-2',
    ]);
    valid = 'key-3';
    await expect(transport.send(empty, AbortSignal.timeout(5_000))).rejects.toMatchObject({
      retryable: true,
      unauthorized: true,
      status: 401,
    });
  });

  // Another client did not know 202, so it sent accepted events again and again.
  test('202 with results means accepted', async () => {
    const { server, emitter } = await setUp((request, response) => {
      const results = request.body.events.map(({ audit_id }) => ({ status: 'accepted', audit_id }));
      response.writeHead(202).end(JSON.stringify({ results }));
      return true;
    });
    const receipt = await emitter.record(someEvent());
    expect(receipt).toMatchObject({ state: 'accepted', receipt: undefined });
    expect(server.received).toHaveLength(1);
  });

  test('after 207 each event has its own outcome, in any order of the results', async () => {
    const { emitter } = await setUp((request, response) => {
      const results = request.body.events.map((event, index) =>
        index === 1
          ? { index, status: 'rejected', error: { code: 'EVENT_TYPE_UNKNOWN', message: 'no' } }
          : { index, status: 'accepted', audit_id: event.audit_id },
      );
      response.writeHead(207).end(JSON.stringify({ results: results.reverse() }));
      return true;
    });
    for (let count = 0; count < 3; count++) emitter.emit(someEvent());
    expect(await emitter.flush()).toMatchObject({ delivered: 2, rejected: 1 });
  });

  // A web application firewall answers 202, with nothing or with a page, to a request that it keeps from the service. Events were lost.
  const bodies = ['', 'not json', '[]', '{"results":[]}', '{"results":[{"index":0,"status":"chained"}]}'];
  test.each([200, 201, 202, 207].flatMap((status) => bodies.map((body) => [status, body] as const)))(
    '%i with %j is not taken for a success',
    async (status, body) => {
      const { transport } = await setUp((_, response) => {
        response.writeHead(status).end(body);
        return true;
      });
      const batch = { ...empty, events: ['{}'] };
      await expect(transport.send(batch, AbortSignal.timeout(5_000))).rejects.toMatchObject({
        retryable: true,
      });
    },
  );
});

describe('a response that is not that of an audit service', () => {
  // A proxy or a captive portal returned a web page with status 200, and declared gaps and ends were lost.
  test.each([[[]], [['{}']]])('a web page, in response to the events %j', async (events) => {
    const { transport } = await setUp((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Welcome</html>');
      return true;
    });
    await expect(transport.send({ ...empty, events }, AbortSignal.timeout(5_000))).rejects.toMatchObject({
      retryable: true,
      message: 'the response (200) is not that of an audit service',
    });
  });

  // The ingress answered 404 while the service restarted, and the client took that for the service's final word: all events of
  // that minute were lost.
  test.each<[number, string, string]>([
    [301, 'text/html', '<html>Moved</html>'],
    [400, 'text/html', '<html>Bad Request</html>'],
    [404, 'text/plain', '404 page not found\n'],
    [404, 'application/json', '{"message":"no Route matched with those values","code":"NO_ROUTE"}'],
    [404, 'application/problem+json', '{"type":"about:blank","status":404,"code":"NOT_FOUND"}'],
    [
      404,
      'application/problem+json',
      `{"type":"${problemTypeOf('ROUTE_NOT_FOUND')}","code":"ROUTE_NOT_FOUND"}`,
    ],
    [405, 'text/html', ''],
    [410, 'text/plain', 'gone'],
    [413, 'text/html', '<html>Request Entity Too Large</html>'],
    [415, 'text/plain', ''],
    [421, 'text/plain', 'Misdirected Request'],
    [422, 'application/json', '{"error":{"code":"UNPROCESSABLE"}}'],
    [451, 'text/html', ''],
  ])(
    '%i with %s %s keeps the events, counts as a failure, and they are sent again',
    async (status, type, body) => {
      let broken = true;
      const { server, emitter } = await setUp(
        (_, response) => {
          if (!broken) return undefined;
          response.writeHead(status, { 'content-type': type }).end(body);
          return true;
        },
        {},
        { maxRetries: 0, probeIntervalMs: 1 },
      );
      await expect(emitter.record(someEvent())).rejects.toMatchObject({
        code: 'DELIVERY_FAILED',
        outcome: 'unknown',
      });
      expect(emitter.report()).toMatchObject({ rejected: 0, pending: 1 });
      broken = false;
      expect(await emitter.close()).toMatchObject({ delivered: 1, rejected: 0, dropped: 0, unconfirmed: 0 });
      expect(server.received.at(-2)?.body.delivery.gaps).toEqual([]);
    },
  );

  test('the error names the status and says what to check', async () => {
    const { transport } = await setUp((_, response) => {
      response.writeHead(404).end('404 page not found');
      return true;
    });
    await expect(transport.send(empty, AbortSignal.timeout(5_000))).rejects.toMatchObject({
      retryable: true,
      status: 404,
      message:
        'the response (404) is not that of an audit service: check the address and the proxies before it',
    });
  });

  test("a proxy's 413 makes batches smaller, and a single event is kept", async () => {
    let limit = 30;
    const { emitter } = await setUp(
      (request, response) => {
        if (request.body.events.length <= limit) return undefined;
        response.writeHead(413, { 'content-type': 'text/html' }).end('<html>too large</html>');
        return true;
      },
      {},
      { maxRetries: 0, probeIntervalMs: 1 },
    );
    for (let count = 0; count < 100; count++) emitter.emit(someEvent());
    expect(await emitter.flush()).toMatchObject({ delivered: 100 });
    limit = 0;
    await expect(emitter.record(someEvent())).rejects.toMatchObject({ code: 'DELIVERY_FAILED' });
    limit = 30;
    expect(await emitter.close()).toMatchObject({ delivered: 101, rejected: 0 });
  });

  test('malformed violations are not passed to onError', async () => {
    const reason = { code: 'FIELD_TYPE', pointer: '/actor_id', message: 'must be a string' };
    const { emitter } = await setUp((request, response) => {
      if (request.body.events.length === 0) return undefined;
      const error = { code: 5, message: {}, violations: [null, 5, { code: 'X' }, reason] };
      response.writeHead(207).end(JSON.stringify({ results: [{ index: 0, status: 'rejected', error }] }));
      return true;
    });
    await expect(emitter.record(someEvent())).rejects.toMatchObject({
      code: 'REJECTED_BY_SERVICE',
      violations: [reason],
    });
  });

  test('a response without an end is cut off', async () => {
    const { transport } = await setUp((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write(' '.repeat(1 << 20)));
      };
      response.writeHead(200).on('drain', more);
      more();
      return true;
    });
    await expect(transport.send(empty, AbortSignal.timeout(15_000))).rejects.toThrow(
      'the response is too long',
    );
  });

  test('a receipt of another event is not accepted', async () => {
    const receipt = { audit_id: 'other', tenant_id: 'acme', sequence_number: 1, record_hash: '00' };
    const { emitter } = await setUp(
      (request, response) => {
        if (request.body.events.length === 0) return undefined;
        const results = request.body.events.map((_, index) => ({ index, status: 'chained', receipt }));
        response.writeHead(201).end(JSON.stringify({ results }));
        return true;
      },
      {},
      { maxRetries: 0 },
    );
    await expect(emitter.record(someEvent())).rejects.toMatchObject({
      code: 'DELIVERY_FAILED',
      outcome: 'unknown',
    });
  });
});

describe('a network that fails', () => {
  test('no server listens: retryable, and the error names the reason', async () => {
    const transport = httpTransport({ url: 'http://127.0.0.1:1' });
    await expect(transport.send(empty, AbortSignal.timeout(5_000))).rejects.toThrow('ECONNREFUSED');
  });

  test('a service that does not respond in time', async () => {
    const { transport } = await setUp(() => true, { timeoutMs: 50 });
    await expect(transport.send(empty, AbortSignal.timeout(5_000))).rejects.toMatchObject({
      retryable: true,
      message: 'the audit service did not respond within 50 ms',
    });
  });

  // The wait for a token had no time limit: an identity provider that hung stopped delivery until the process ended.
  test('a credential function that does not return in time', async () => {
    let hang = true;
    const { transport, server } = await setUp(undefined, {
      timeoutMs: 50,
      apiKey: () => (hang ? new Promise<string>(() => {}) : 'key-2'),
    });
    await expect(transport.send(empty, AbortSignal.timeout(5_000))).rejects.toMatchObject({
      retryable: true,
      message: 'the audit service did not respond within 50 ms: the apiKey function gave no usable key',
    });
    hang = false;
    await transport.send(empty, AbortSignal.timeout(5_000));
    expect(server.received.map(({ headers }) => headers.authorization)).toEqual(['Bearer key-2']);
  });

  // Node.js closes such a connection without a response and without an error, and delivery waited for one of them without end.
  test('a service that speaks another protocol', async () => {
    const other = createServer((socket) => {
      socket.once('data', () =>
        socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'),
      );
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => new Promise((resolve) => other.close(resolve)));
    const { port } = other.address() as { port: number };
    const transport = httpTransport({ url: `http://127.0.0.1:${port}` });
    await expect(transport.send(empty, AbortSignal.timeout(5_000))).rejects.toMatchObject({
      retryable: true,
      message: "the audit service can't be reached (the connection was closed without a response)",
    });
  });

  test('an abort ends the request', async () => {
    const { transport } = await setUp(() => true);
    const controller = new AbortController();
    const sending = transport.send(empty, controller.signal);
    setImmediate(() => controller.abort());
    await expect(sending).rejects.toMatchObject({ retryable: true });
  });

  test('a response that ends early', async () => {
    const broken = createServer((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{"res'));
    });
    await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => new Promise((resolve) => broken.close(resolve)));
    const { port } = broken.address() as { port: number };
    const transport = httpTransport({ url: `http://127.0.0.1:${port}` });
    await expect(transport.send(empty, AbortSignal.timeout(5_000))).rejects.toMatchObject({
      retryable: true,
    });
  });

  test('a kept-alive connection that the service has closed is replaced immediately', async () => {
    const { server, transport } = await setUp((_, response, call) => {
      if (call !== 2) return undefined;
      response.socket?.destroy();
      return true;
    });
    await transport.send(empty, AbortSignal.timeout(5_000));
    await transport.send(empty, AbortSignal.timeout(5_000));
    expect(server.received).toHaveLength(3);
    expect(server.sockets()).toBe(2);
  });
});
