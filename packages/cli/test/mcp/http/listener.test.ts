import type { ServerResponse } from 'node:http';
import { until } from '@tallystick/testing';
import { describe, expect, test } from 'vitest';
import { type Listener, listenFor, messagesOf } from './listener-client.ts';
import { type Arrived, events, json, scriptedServer, text } from './scripted-server.ts';

const waitFor = (condition: () => boolean, what: string) =>
  until(condition, { timeoutMs: 60_000, intervalMs: 5, what });
const request = (id: unknown, method: string, params?: object) => ({ jsonrpc: '2.0', id, method, params });
const call = (id: unknown, name: string, args: object = {}, more: object = {}) =>
  request(id, 'tools/call', { name, arguments: args, ...more });
const session = (id: string) => ({ headers: { 'mcp-session-id': id } });
const modern = { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } };

/** What a well-behaved server answers, as one JSON message. */
function answerPlainly({ method, message }: Arrived, response: ServerResponse): void {
  if (method === 'DELETE') response.writeHead(200).end();
  else if (method === 'GET') response.writeHead(405).end();
  else if (message.id === undefined || message.method === undefined) response.writeHead(202).end();
  else if (message.method === 'initialize')
    json(response, { id: message.id, result: { capabilities: {} } }, { 'mcp-session-id': 's1' });
  else json(response, { id: message.id, result: text(JSON.stringify(message.params?.arguments ?? null)) });
}
async function resultOf(listener: Listener, message: object, more?: Parameters<Listener['send']>[1]) {
  const answer = await listener.send(message, more);
  return messagesOf(await answer.body).at(-1)!;
}

describe('messages', () => {
  test('pass with session and credentials, and calls with canonical arguments', async () => {
    await using server = await scriptedServer(answerPlainly);
    await using listener = await listenFor(server.url);
    const first = await listener.send(request(1, 'initialize'), {
      headers: { authorization: 'Bearer secret', 'x-custom': 'a', cookie: 'of=browser' },
    });
    expect(first.headers['mcp-session-id']).toBe('s1');
    const more = { headers: { 'mcp-session-id': 's1', authorization: 'Bearer secret' } };
    const raw =
      '{"jsonrpc":"2.0", "id":2,"method":"tools/call","params":{"arguments":{"b":1.0,"a":2},"name":"x"}}';
    const answer = await listener.send(raw, more);
    expect(messagesOf(await answer.body)).toEqual([{ jsonrpc: '2.0', id: 2, result: text('{"a":2,"b":1}') }]);
    const note = '{"jsonrpc":"2.0", "method":"notifications/initialized"}';
    expect((await listener.send(note, more)).status).toBe(202);
    expect((await listener.send(undefined, { method: 'DELETE', ...more })).status).toBe(200);
    expect(server.seen()).toEqual(['initialize', 'tools/call', 'notifications/initialized', 'DELETE']);
    expect(server.arrived[0]!.headers).toMatchObject({ authorization: 'Bearer secret', 'x-custom': 'a' });
    expect(server.arrived[0]!.headers).not.toHaveProperty('cookie');
    expect(server.arrived[2]!.body).toBe(note);
    for (const { headers } of server.arrived.slice(1)) expect(headers['mcp-session-id']).toBe('s1');
    expect(listener.ends.get('2')).toMatchObject({ status: 'success' });
    expect(JSON.stringify([...listener.intents, ...listener.ends])).not.toMatch(/secret|s1"/);
  });

  test('a refusal of the server passes with its status and challenge', async () => {
    await using server = await scriptedServer((_request, response) => {
      response.writeHead(401, { 'www-authenticate': 'Bearer realm="x"', 'set-cookie': 'a=b' }).end('<html>');
    });
    await using listener = await listenFor(server.url);
    const answer = await listener.send(call(1, 'x'));
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="x"');
    expect(answer.headers).not.toHaveProperty('set-cookie');
    expect(JSON.parse(await answer.body)).toMatchObject({ id: 1, error: { code: -32000 } });
    expect(listener.ends.get('1')).toEqual({ status: 'failure', errorCode: 'HTTP_401' });
  });

  test('what is no message of MCP does not pass', async () => {
    await using server = await scriptedServer(({ message }, response) => {
      if (message.method === 'html') response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
      else if (message.method === 'broken')
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"a');
      else {
        events(response, 'data: nonsense\n\n', { id: message.id, result: {} });
        response.end();
      }
    });
    await using listener = await listenFor(server.url);
    for (const method of ['html', 'broken']) {
      const answer = await listener.send(request(1, method));
      expect(answer.status).toBe(502);
      expect(JSON.parse(await answer.body)).toMatchObject({ id: 1, error: { code: -32000 } });
    }
    const answer = await listener.send(request(1, 'events'));
    expect(messagesOf(await answer.body)).toEqual([{ jsonrpc: '2.0', id: 1, result: {} }]);
    expect(listener.refused).toEqual(Array(3).fill('server: the message is not JSON'));
  });

  test('a batch with requests is split, and its answers come in one stream', async () => {
    await using server = await scriptedServer(answerPlainly);
    await using listener = await listenFor(server.url);
    const batch = [
      call(1, 'denied'),
      call(2, 'x', { n: 1 }),
      request(3, 'ping'),
      { jsonrpc: '2.0', method: 'note' },
    ];
    const answer = await listener.send(batch, session('s1'));
    const answers = messagesOf(await answer.body);
    expect(new Set(answers.map(({ id }) => id))).toEqual(new Set([1, 2, 3]));
    expect(answers.find(({ id }) => id === 1)!.result).toMatchObject({ isError: true });
    expect(new Set(server.seen())).toEqual(new Set(['tools/call', 'ping', 'note']));
    const notes = '[{"jsonrpc":"2.0","method":"a"},{"jsonrpc":"2.0","method":"b"}]';
    expect((await listener.send(notes)).status).toBe(202);
    expect(server.arrived.at(-1)!.body).toBe(notes);
    const plain = await listener.send(batch, { headers: { accept: 'application/json' } });
    expect(plain.status).toBe(406);
    expect((await listener.send([request(1, 'initialize')])).status).toBe(400);
  });

  test('the proxy writes the headers that repeat the body', async () => {
    const tools = [{ name: 'pay', inputSchema: { properties: { amount: { 'x-mcp-header': 'Amount' } } } }];
    await using server = await scriptedServer((arrived, response) => {
      const { id, method } = arrived.message;
      if (method === 'tools/list') json(response, { id, result: { tools } });
      else answerPlainly(arrived, response);
    });
    await using listener = await listenFor(server.url);
    await resultOf(listener, request(1, 'tools/list', modern));
    const headers = {
      'mcp-method': 'tools/list',
      'mcp-name': 'other',
      'mcp-param-amount': '5000',
      'mcp-param-note': 'x',
      'x-http-method-override': 'DELETE',
    };
    await resultOf(listener, call(2, 'pay', { amount: 5, note: '5000' }, modern), { headers });
    await listener.send(undefined, { method: 'GET', headers });
    await listener.send(undefined, { method: 'DELETE', headers });
    const [, paid, ...others] = server.arrived;
    expect(paid!.headers).toMatchObject({
      'mcp-method': 'tools/call',
      'mcp-name': 'pay',
      'mcp-param-amount': '5',
    });
    for (const one of [paid!, ...others]) {
      expect(one.headers).not.toHaveProperty('mcp-param-note');
      expect(one.headers).not.toHaveProperty('x-http-method-override');
    }
    for (const one of others)
      expect(Object.keys(one.headers).filter((name) => name.startsWith('mcp-'))).toEqual([]);
  });

  test('mistakes get an answer, and none reaches the server', async () => {
    await using server = await scriptedServer(answerPlainly);
    await using listener = await listenFor(server.url);
    const status = async (...given: Parameters<Listener['send']>) => (await listener.send(...given)).status;
    expect(await status(request(1, 'ping'), { path: '/other' })).toBe(404);
    expect(await status(undefined, { method: 'PUT' })).toBe(405);
    expect(await status('{}', { headers: { 'content-type': 'text/plain' } })).toBe(415);
    expect(await status('x', { headers: { 'content-encoding': 'gzip' } })).toBe(415);
    expect(await status('{"id":1,"method":"ping","method":"tools/call"}')).toBe(400);
    expect(server.arrived).toEqual([]);
  });
});

describe('answers', () => {
  test('end only the call that they answer', async () => {
    const open: ServerResponse[] = [];
    await using server = await scriptedServer((arrived, response) => {
      const { method, message } = arrived;
      if (message.method === 'tools/call') open.push(response);
      else if (message.method === 'wrong') {
        events(response, { id: 1, result: text('stolen') }, { id: message.id, result: {} });
        response.end();
      } else if (method === 'GET') {
        events(response, { id: 1, result: text('stolen') }, { method: 'x' });
        response.end();
      } else answerPlainly(arrived, response);
    });
    await using listener = await listenFor(server.url);
    const calls = [listener.send(call(1, 'a'), session('s1')), listener.send(call(1, 'a'), session('s2'))];
    calls.push(listener.send(call(1, 'a')), listener.send(call(1, 'a')));
    await waitFor(() => open.length === 4, 'the calls');
    await resultOf(listener, request(1, 'ping'), session('s3'));
    await resultOf(listener, request(1, 'ping'));
    const wrong = await listener.send(request(2, 'wrong'), session('s1'));
    expect(messagesOf(await wrong.body).map(({ id }) => id)).toEqual([2]);
    const stream = await listener.send(undefined, { method: 'GET', ...session('s1') });
    expect(messagesOf(await stream.body)).toEqual([{ jsonrpc: '2.0', method: 'x' }]);
    expect(listener.ends.size).toBe(0);
    for (const [index, response] of open.entries()) json(response, { id: 1, result: text(String(index)) });
    for (const answer of await Promise.all(calls)) expect(await answer.body).toMatch(/"text":"\d"/);
    const reason = 'server: the message answers another request than the one that was asked';
    expect(listener.refused).toEqual([reason, reason]);
  });

  test('a repeated id is refused, and the client that leaves then does not end the first call', async () => {
    await using server = await scriptedServer(answerPlainly);
    await using listener = await listenFor(server.url);
    const first = listener.send(call(1, 'asks'), session('s1'));
    await waitFor(() => listener.waiting() === 1, 'the approval');
    const second = await listener.send(call(1, 'asks'), session('s1'));
    expect(JSON.parse(await second.body)).toMatchObject({ error: { code: -32600 } });
    second.leave();
    const ping = await listener.send(request(1, 'ping'), session('s1'));
    expect(ping.status).toBe(400);
    expect(listener.waiting()).toBe(1);
    listener.grant();
    expect(messagesOf(await (await first).body).at(-1)).toMatchObject({ id: 1, result: text('{}') });
    // The id is free again.
    expect(await resultOf(listener, request(1, 'ping'), session('s1'))).toMatchObject({ id: 1 });
  });

  test('a server that dies or is away: the client gets an error, and the call an end', async () => {
    await using server = await scriptedServer(({ message }, response) => {
      events(response, { method: 'begun' });
      if (message.method !== 'ping') setImmediate(() => response.destroy());
    });
    await using listener = await listenFor(server.url);
    const answer = await listener.send(call(1, 'x'), session('s1'));
    expect(messagesOf(await answer.body).at(-1)).toMatchObject({ id: 1, error: { code: -32000 } });
    await using away = await listenFor(new URL('http://127.0.0.1:9/mcp'));
    for (const round of [1, 2]) {
      const failed = await away.send(call(1, 'x'), session('s1'));
      expect(failed.status).toBe(502);
      expect(await failed.body, String(round)).toContain("can't be reached");
    }
    expect((await away.send(undefined, { method: 'GET' })).status).toBe(502);
    for (const { ends } of [listener, away])
      expect(ends.get('1')).toEqual({ status: 'failure', errorCode: 'SERVER_UNREACHABLE' });
  });

  test('may have many megabytes', async () => {
    const big = 'x'.repeat(8 * 1024 * 1024);
    await using server = await scriptedServer(({ message }, response) =>
      json(response, { id: message.id, result: text(big) }),
    );
    await using listener = await listenFor(server.url);
    const answer = await listener.send(call(1, 'x'));
    expect((await answer.body).length).toBeGreaterThan(big.length);
    expect(listener.ends.get('1')).toMatchObject({ status: 'success' });
  });
});

describe('approvals', () => {
  test.each([
    ['JSON', (response: ServerResponse, id: unknown) => json(response, { id, result: text('done') })],
    [
      'events',
      (response: ServerResponse, id: unknown) => {
        events(response, { method: 'step' }, { id, result: text('done') });
        response.end();
      },
    ],
  ])('keep the stream alive, and an answer in %s continues it', async (_name, reply) => {
    await using server = await scriptedServer(({ message }, response) => reply(response, message.id));
    await using listener = await listenFor(server.url);
    const answer = await listener.send(call(1, 'asks', {}, { _meta: { progressToken: 't' } }));
    expect(answer.headers['content-type']).toBe('text/event-stream');
    await waitFor(() => answer.soFar().includes('tally approvals show'), 'progress');
    expect(answer.soFar()).toContain(': the call waits for an approval');
    expect(server.arrived).toEqual([]);
    listener.grant();
    expect(messagesOf(await answer.body).at(-1)).toEqual({ jsonrpc: '2.0', id: 1, result: text('done') });
  });

  test('an error of the server after an approval is an event, because the status has passed', async () => {
    await using server = await scriptedServer((_arrived, response) => response.writeHead(500).end('oops'));
    await using listener = await listenFor(server.url);
    const answer = await listener.send(call(1, 'asks'));
    await waitFor(() => listener.waiting() === 1, 'the approval');
    listener.grant();
    expect(messagesOf(await answer.body)).toMatchObject([
      { id: 1, error: { message: 'the server answered 500' } },
    ]);
  });

  test('a client that takes no events waits for the answer', async () => {
    await using server = await scriptedServer(answerPlainly);
    await using listener = await listenFor(server.url);
    const answer = listener.send(call(1, 'asks'), { headers: { accept: 'application/json' } });
    await waitFor(() => listener.waiting() === 1, 'the approval');
    listener.grant();
    expect((await answer).headers['content-type']).toBe('application/json');
  });

  test('end when the client leaves or cancels, and the call never runs', async () => {
    await using server = await scriptedServer((arrived, response) => {
      const { id, method } = arrived.message;
      // A server without sessions.
      if (method === 'initialize') json(response, { id, result: {} });
      else answerPlainly(arrived, response);
    });
    await using listener = await listenFor(server.url);
    const left = await listener.send(call(1, 'asks'));
    await waitFor(() => listener.waiting() === 1, 'the approval');
    left.leave();
    await waitFor(() => listener.waiting() === 0, 'the withdrawal');
    const given = (await listener.send(request(0, 'initialize'))).headers['mcp-session-id'] as string;
    const other = (await listener.send(request(0, 'initialize'))).headers['mcp-session-id'] as string;
    expect(given).toMatch(/^tallystick-/);
    const cancelled = await listener.send(call(1, 'asks'), session(given));
    await waitFor(() => listener.waiting() === 1, 'the approval');
    const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } };
    for (const more of [session(other), {}]) expect((await listener.send(cancel, more)).status).toBe(202);
    expect(listener.waiting()).toBe(1);
    await listener.send(cancel, session(given));
    await waitFor(() => listener.waiting() === 0, 'the withdrawal');
    expect(messagesOf(await cancelled.body)).toEqual([]);
    expect((await listener.send(undefined, { method: 'DELETE', ...session(given) })).status).toBe(200);
    expect(server.seen()).not.toContain('tools/call');
    expect(server.seen()).not.toContain('DELETE');
    for (const { headers } of server.arrived) expect(headers).not.toHaveProperty('mcp-session-id');
  });

  test('end when the server changes the tool for this session', async () => {
    await using server = await scriptedServer((arrived, response) => {
      const { message, headers, method } = arrived;
      const description = `${headers['mcp-session-id']} ${server.arrived.length}`;
      if (message.method === 'tools/list')
        json(response, { id: message.id, result: { tools: [{ name: 'asks', description }] } });
      else if (method === 'GET') {
        events(response, { method: 'notifications/tools/list_changed' });
        response.end();
      } else answerPlainly(arrived, response);
    });
    await using listener = await listenFor(server.url);
    const list = (id: number, name: string) => resultOf(listener, request(id, 'tools/list'), session(name));
    await list(1, 's1');
    await list(1, 's2');
    const [one, two] = await Promise.all([
      listener.send(call(2, 'asks'), session('s1')),
      listener.send(call(2, 'asks'), session('s2')),
    ]);
    await waitFor(() => listener.waiting() === 2, 'the approvals');
    await list(3, 's1');
    expect(await one.body).toContain('the server changed asks');
    expect(listener.waiting()).toBe(1);
    await listener.send(undefined, { method: 'GET', ...session('s2') });
    expect(await two.body).toContain('the server changed asks');
    expect(server.seen()).not.toContain('tools/call');
  });
});

describe('a client that leaves', () => {
  test('has not cancelled its call: the answer is read for the record', async () => {
    const open: ServerResponse[] = [];
    await using server = await scriptedServer((arrived, response) => {
      if (arrived.message.method === 'ping') return answerPlainly(arrived, response);
      open.push(response);
      return events(response, { method: 'begun' });
    });
    await using listener = await listenFor(server.url);
    const answer = await listener.send(call(1, 'slow'), session('s1'));
    await waitFor(() => answer.soFar().includes('begun'), 'the call');
    answer.leave();
    for (let round = 0; round < 5; round++) await resultOf(listener, request('p', 'ping'), session('s1'));
    events(open[0]!, { method: 'step' }, { id: 1, result: text('done') });
    open[0]!.end();
    await waitFor(() => listener.ends.has('1'), 'the end');
    expect(listener.ends.get('1')).toMatchObject({ status: 'success' });
  });

  test('can use the id of a request again whose stream has ended', async () => {
    await using server = await scriptedServer((_arrived, response) => {
      events(response, 'id: e1\ndata:\n\n');
      response.end();
    });
    await using listener = await listenFor(server.url);
    for (const _round of [1, 2]) {
      const answer = await listener.send(request(1, 'ping'), session('s1'));
      expect([answer.status, await answer.body]).toEqual([200, 'id: e1\ndata: \n\n']);
    }
  });

  test('has cancelled it since revision 2026-07-28', async () => {
    await using server = await scriptedServer((_arrived, response) => events(response, { method: 'begun' }));
    await using listener = await listenFor(server.url);
    const answer = await listener.send(call(1, 'slow', {}, modern));
    await waitFor(() => answer.soFar().includes('begun'), 'the call');
    answer.leave();
    await waitFor(() => server.arrived[0]!.wasClosed(), 'the end of the connection');
    await waitFor(() => listener.ends.has('1'), 'the end');
    expect(listener.ends.get('1')).toEqual({ status: 'failure', errorCode: 'CANCELLED' });
  });

  test('continues its stream after the last event, and the answer there ends the call', async () => {
    await using server = await scriptedServer(({ method, headers }, response) => {
      if (method === 'POST')
        return events(response, 'id: e1\nretry: 10\ndata:\n\n', 'id: e2\ndata: {"method":"m"}\n\n');
      if (headers['last-event-id'] === 'e2' && headers['mcp-session-id'] === 's1')
        return response.writeHead(409).end();
      events(response, { method: `after ${headers['last-event-id']}` }, { id: 1, result: text('done') });
      return response.end();
    });
    await using listener = await listenFor(server.url);
    const answer = await listener.send(call(1, 'slow'), session('s1'));
    await waitFor(() => answer.soFar().includes('e2'), 'the events');
    expect(answer.soFar()).toContain('id: e1\ndata: \n\n');
    expect(answer.soFar()).toContain('retry: 10\n');
    answer.leave();
    await waitFor(() => server.arrived[0]!.wasClosed(), 'the end of the connection');
    const resume = async (name: string, event: string) =>
      await (
        await listener.send(undefined, {
          method: 'GET',
          headers: { 'mcp-session-id': name, 'last-event-id': event },
        })
      ).body;
    // Another session, and an event that the stream did not have.
    await resume('s2', 'e2');
    // The server does not continue the stream here, and may do so later.
    expect(messagesOf(await resume('s1', 'e2'))).toMatchObject([{ id: null, error: {} }]);
    expect(messagesOf(await resume('s1', 'e0'))).toEqual([{ jsonrpc: '2.0', method: 'after e0' }]);
    expect(listener.ends.size).toBe(0);
    expect(messagesOf(await resume('s1', 'e1'))).toMatchObject([{ method: 'after e1' }, { id: 1 }]);
    expect(listener.ends.get('1')).toMatchObject({ status: 'success' });
    // The answer may be read once more, and the id is free.
    expect(messagesOf(await resume('s1', 'e1'))).toHaveLength(2);
  });
});

describe('web pages', () => {
  test('of other sites are refused', async () => {
    await using server = await scriptedServer(answerPlainly);
    await using listener = await listenFor(server.url, ['http://localhost:6274']);
    for (const headers of [
      { host: 'evil.example' },
      { host: `evil.example:${listener.port}` },
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
    ])
      expect((await listener.send(request(1, 'ping'), { headers })).status).toBe(403);
    expect(
      (await listener.send(undefined, { method: 'OPTIONS', headers: { origin: 'https://evil.example' } }))
        .status,
    ).toBe(403);
    expect(server.arrived).toEqual([]);
    const host = `localhost:${listener.port}`;
    expect((await listener.send(request(1, 'ping'), { headers: { host } })).status).toBe(200);
  });

  test('that are allowed can read every answer, and the server does not learn of them', async () => {
    await using server = await scriptedServer((_arrived, response) => {
      response.writeHead(500, { 'access-control-allow-origin': 'https://only.example' }).end();
    });
    const origin = 'http://localhost:6274';
    await using listener = await listenFor(server.url, [origin]);
    const preflight = await listener.send(undefined, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-headers': 'mcp-session-id, authorization' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers['access-control-allow-headers']).toBe('mcp-session-id, authorization');
    expect(server.arrived).toEqual([]);
    for (const message of [request(1, 'ping'), 'broken'])
      expect((await listener.send(message, { headers: { origin } })).headers).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-expose-headers': 'Mcp-Session-Id, WWW-Authenticate',
      });
    expect(server.arrived[0]!.headers).not.toHaveProperty('origin');
  });
});

test('when the process is asked to end, calls that wait are given up', async () => {
  await using server = await scriptedServer(answerPlainly);
  const listener = await listenFor(server.url);
  listener.begin(call(1, 'asks'));
  await waitFor(() => listener.waiting() === 1, 'the approval');
  expect(await listener.stop()).toBe(0);
  expect(listener.waiting()).toBe(0);
  expect(server.arrived).toEqual([]);
});
