import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { canonicalize, type Json } from '@tallystick/event';
import { until } from '@tallystick/testing';
import { expect, test } from 'vitest';
import { bridgeTo } from './bridge-client.ts';
import { type Arrived, events, json, scriptedServer, text } from './scripted-server.ts';

const waitFor = (condition: () => boolean, what: string) =>
  until(condition, { timeoutMs: 60_000, intervalMs: 5, what });
const callOf = (name: string, args: object = {}, more: object = {}) => ({ name, arguments: args, ...more });
const digestOf = (value: unknown) =>
  `sha256:${createHash('sha256')
    .update(canonicalize(value as Json))
    .digest('hex')}`;

/** What a well-behaved server answers, as one JSON message. */
function answerPlainly({ method, message }: Arrived, response: ServerResponse): void {
  if (method === 'DELETE') response.writeHead(200).end();
  else if (method === 'GET') response.writeHead(405).end();
  else if (message.id === undefined || message.method === undefined) response.writeHead(202).end();
  else if (message.method === 'initialize')
    json(
      response,
      { id: message.id, result: { protocolVersion: '2025-06-18', capabilities: {} } },
      { 'mcp-session-id': 's-secret' },
    );
  else json(response, { id: message.id, result: text(JSON.stringify(message.params?.arguments ?? null)) });
}
const initialize = {
  protocolVersion: '2025-06-18',
  capabilities: {},
  clientInfo: { name: 't', version: '1' },
};
const initialized = '{"jsonrpc":"2.0","method":"notifications/initialized"}';
const modern = { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } };

test('a session has its id and revision in every request, a stream of its own, and an end', async () => {
  const streams: ServerResponse[] = [];
  await using server = await scriptedServer((request, response) => {
    if (request.method === 'GET') {
      streams.push(response);
      return events(response, { id: 'r-1', method: 'roots/list' });
    }
    return answerPlainly(request, response);
  });
  const client = bridgeTo(server.url, { authorization: 'Bearer t' });
  expect((await client.request(1, 'initialize', initialize)).result).toMatchObject({
    protocolVersion: '2025-06-18',
  });
  client.line(initialized);
  await client.message(({ id }) => id === 'r-1');
  client.line('{"jsonrpc":"2.0","id":"r-1","result":{"roots":[]}}');
  const { result } = await client.request(2, 'tools/call', callOf('echo', { b: 1.5, a: 'ü' }));
  expect(result).toEqual(text('{"a":"ü","b":1.5}'));
  expect(await client.end()).toBe(0);
  expect(server.seen()).toEqual([
    'initialize',
    'notifications/initialized',
    'GET',
    'POST',
    'tools/call',
    'DELETE',
  ]);
  const [first, ...rest] = server.arrived;
  expect(first!.headers).not.toHaveProperty('mcp-session-id');
  for (const { headers } of rest)
    expect(headers).toMatchObject({ 'mcp-session-id': 's-secret', 'mcp-protocol-version': '2025-06-18' });
  for (const { headers } of server.arrived) expect(headers.authorization).toBe('Bearer t');
  expect(client.ends.get('2')).toMatchObject({ status: 'success', resultDigest: digestOf(result) });
  expect(client.intents.get('2')!['mcp.session.id']).toMatch(/^sha256:/);
  expect(JSON.stringify([...client.intents])).not.toContain('s-secret');
});

test('a call that is denied does not reach the server', async () => {
  await using server = await scriptedServer(answerPlainly);
  const client = bridgeTo(server.url);
  expect((await client.request(1, 'tools/call', callOf('denied'))).result).toMatchObject({ isError: true });
  expect(await client.end()).toBe(0);
  expect(server.arrived).toEqual([]);
});

test('an answer may be a stream of events, and may have many megabytes', async () => {
  const big = 'x'.repeat(24 * 1024 * 1024);
  await using server = await scriptedServer(({ message }, response) => {
    events(
      response,
      { method: 'notifications/progress', params: { progressToken: 't', progress: 1 } },
      { id: message.id, result: text(big) },
    );
    response.end();
  });
  const client = bridgeTo(server.url);
  const { result } = await client.request(1, 'tools/call', callOf('big'));
  expect((result as { content: { text: string }[] }).content[0]!.text.length).toBe(big.length);
  expect(client.messages[0]!.params).toEqual({ progressToken: 't', progress: 1 });
  await client.end();
  expect(client.ends.get('1')).toMatchObject({
    status: 'success',
    details: { result_bytes: JSON.stringify(text(big)).length },
  });
}, 60_000);

test('every batch is split: servers of later revisions refuse batches', async () => {
  await using server = await scriptedServer(answerPlainly);
  const client = bridgeTo(server.url);
  client.line('[{"jsonrpc":"2.0","method":"a"},{"jsonrpc":"2.0","method":"b", "params":{"n":1.0}}]');
  client.line(
    '[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"denied"}}]',
  );
  await Promise.all([client.message(({ id }) => id === 1), client.message(({ id }) => id === 2)]);
  await client.end();
  expect(server.arrived.slice(0, 2).map(({ body }) => body)).toEqual([
    '{"jsonrpc":"2.0","method":"a"}',
    '{"jsonrpc":"2.0","method":"b", "params":{"n":1.0}}',
  ]);
  expect(server.seen()).toEqual(['a', 'b', 'ping']);
});

test('what is no message of MCP does not reach the client, and is counted', async () => {
  await using server = await scriptedServer(({ message }, response) => {
    if (message.method === 'ping') {
      response.writeHead(200, { 'content-type': 'text/html' });
      return response.end('<html>');
    }
    events(response, 'data: {"broken\n\n', { id: message.id, result: text('fine') });
    return response.end();
  });
  const client = bridgeTo(server.url);
  expect((await client.request(1, 'ping')).error).toMatchObject({ code: -32000 });
  expect((await client.request(2, 'tools/call', callOf('x'))).result).toEqual(text('fine'));
  await client.end();
  expect(client.messages).toHaveLength(2);
  expect(client.refused).toEqual(['server: the message is not JSON', 'server: the message is not JSON']);
});

test('only the answer to a request ends its call', async () => {
  const open: { [id: string]: ServerResponse } = {};
  await using server = await scriptedServer((request, response) => {
    const { method, message } = request;
    if (message.method === 'tools/call') open.call = response;
    else if (message.method === 'ping') {
      events(response, { id: 1, result: text('not of the call') }, { id: message.id, result: {} });
      response.end();
    } else if (method === 'GET') events(response, { id: 1, result: text('nor this') }, { method: 'x' });
    else answerPlainly(request, response);
  });
  const client = bridgeTo(server.url);
  const call = client.request(1, 'tools/call', callOf('slow'));
  await waitFor(() => open.call !== undefined, 'the call');
  await client.request(2, 'ping');
  await client.request(3, 'initialize', initialize);
  client.line(initialized);
  await client.message(({ method }) => method === 'x');
  expect(client.ends.size).toBe(0);
  expect((await client.request(1, 'ping')).error).toMatchObject({ code: -32600 });
  json(open.call!, { id: 1, result: text('done') });
  await waitFor(() => client.messages.some(({ result }) => result?.content !== undefined), 'the answer');
  void call;
  await client.end();
  expect(client.messages.find(({ result }) => result?.content !== undefined)!.result).toEqual(text('done'));
  const reason = 'the message answers another request than the one that was asked';
  expect(client.refused).toContain(`server: ${reason}`);
  expect(client.refused.filter((refused) => refused.includes(reason))).toHaveLength(2);
});

test('a stream that breaks is continued after its last event', async () => {
  let parts = 0;
  let cut: ServerResponse | undefined;
  await using server = await scriptedServer(({ method, headers, message }, response) => {
    if (method === 'POST') {
      events(response, 'id: e1\nretry: 1\ndata:\n\n', { method: 'progressed' });
      return response.end();
    }
    parts++;
    if (parts === 1) {
      events(response, `id: e2\ndata: {"jsonrpc":"2.0","method":"after ${headers['last-event-id']}"}\n\n`);
      cut = response;
      return;
    }
    events(response, {
      id: message.id ?? 1,
      result: text(`after ${headers['last-event-id']}`),
    });
    return response.end();
  });
  const client = bridgeTo(server.url);
  const answer = client.request(1, 'tools/call', callOf('x'));
  await client.message(({ method }) => method === 'after e1');
  cut!.destroy();
  expect((await answer).result).toEqual(text('after e2'));
  await client.end();
  expect(client.messages.map(({ method }) => method)).toEqual(['progressed', 'after e1', undefined]);
  expect(client.ends.get('1')).toMatchObject({ status: 'success' });
});

test('a server that dies: the client gets an error, and the call an end', async () => {
  await using server = await scriptedServer(({ message }, response) => {
    if (message.method === 'ping') return events(response, { method: 'x' });
    events(response, { method: 'begun' });
    return setImmediate(() => response.destroy());
  });
  const client = bridgeTo(server.url);
  expect((await client.request(1, 'tools/call', callOf('x'))).error).toMatchObject({ code: -32000 });
  const nowhere = bridgeTo(new URL('http://127.0.0.1:9/mcp'));
  expect((await nowhere.request(1, 'tools/call', callOf('x'))).error!.message).toContain("can't be reached");
  nowhere.line(initialized);
  await Promise.all([client.end(), nowhere.end()]);
  for (const { ends } of [client, nowhere])
    expect(ends.get('1')).toEqual({ status: 'failure', errorCode: 'SERVER_UNREACHABLE' });
});

test('a refusal of the server is passed on', async () => {
  await using server = await scriptedServer(({ message }, response) => {
    if (message.method === 'ping')
      return json(response, { id: null, error: { code: -32020, message: 'wrong header' } }, {}, 400);
    response.writeHead(401, { 'www-authenticate': 'Bearer' });
    return response.end('no');
  });
  const client = bridgeTo(server.url, { authorization: 'Bearer secret' });
  expect((await client.request(1, 'ping')).error).toEqual({ code: -32020, message: 'wrong header' });
  expect((await client.request(2, 'tools/call', callOf('x'))).error).toEqual({
    code: -32000,
    message: 'the server answered 401',
  });
  await client.end();
  expect(client.ends.get('2')).toEqual({ status: 'failure', errorCode: 'HTTP_401' });
  expect(client.warnings.join()).toContain('asks for credentials');
  expect(JSON.stringify([client.warnings, client.messages])).not.toContain('secret');
});

test('a cancelled call is cancelled at the server, and recorded so', async () => {
  await using server = await scriptedServer((request, response) => {
    if (request.message.method === 'tools/call') events(response, { method: 'begun' });
    else answerPlainly(request, response);
  });
  const client = bridgeTo(server.url);
  const cancel = (requestId: number) =>
    client.line(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } }));
  const begun = () => client.messages.filter(({ method }) => method === 'begun').length;
  void client.request(1, 'tools/call', callOf('slow')).catch(() => {});
  await waitFor(() => begun() === 1, 'the call');
  cancel(1);
  await waitFor(() => server.seen().includes('notifications/cancelled'), 'the cancellation');
  // From revision 2026-07-28 on, closing the answer is the cancellation.
  void client.request(2, 'tools/call', callOf('slow', {}, modern)).catch(() => {});
  await waitFor(() => begun() === 2, 'the call');
  cancel(2);
  await waitFor(() => server.arrived.at(-1)!.wasClosed(), 'the end of the connection');
  await client.end();
  expect(server.seen().filter((method) => method === 'notifications/cancelled')).toHaveLength(1);
  for (const id of ['1', '2'])
    expect(client.ends.get(id)).toEqual({ status: 'failure', errorCode: 'CANCELLED' });
  expect(client.messages.every(({ method }) => method === 'begun')).toBe(true);
});

test('a held call that the client cancels, or leaves, never reaches the server', async () => {
  await using server = await scriptedServer(answerPlainly);
  const client = bridgeTo(server.url);
  void client.request(1, 'tools/call', callOf('asks')).catch(() => {});
  await waitFor(() => client.waiting() === 1, 'the approval');
  client.line('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}');
  await waitFor(() => client.waiting() === 0, 'the withdrawal');
  void client.request(2, 'tools/call', callOf('asks')).catch(() => {});
  await waitFor(() => client.waiting() === 1, 'the approval');
  expect(await client.end()).toBe(0);
  expect(client.waiting()).toBe(0);
  expect(server.arrived).toEqual([]);
  expect(client.messages).toEqual([]);
});

test('when the server ends the session, the bridge ends, and open calls get an answer', async () => {
  await using server = await scriptedServer((request, response) => {
    if (request.message.method === 'ping') response.writeHead(404).end();
    else answerPlainly(request, response);
  });
  const client = bridgeTo(server.url);
  await client.request(1, 'initialize', initialize);
  const held = client.request(2, 'tools/call', callOf('asks'));
  await waitFor(() => client.waiting() === 1, 'the approval');
  const ping = client.request(3, 'ping');
  expect(await client.ended).toBe(4);
  expect((await ping).error!.message).toBe('the server answered 404');
  expect((await held).result).toMatchObject({ isError: true });
});

test('a call that waits for an approval is given up when its tool changes', async () => {
  let description = 'adds';
  await using server = await scriptedServer((request, response) => {
    const { message } = request;
    if (message.method === 'tools/list')
      json(response, {
        id: message.id,
        // The other tool is another one in each list.
        result: {
          tools: [
            { name: 'asks', description },
            { name: 'b', title: `${server.arrived.length}` },
          ],
        },
      });
    else if (message.method === 'ping') {
      events(response, { method: 'notifications/tools/list_changed' }, { id: message.id, result: {} });
      response.end();
    } else answerPlainly(request, response);
  });
  const client = bridgeTo(server.url);
  await client.request(1, 'tools/list');
  const call = client.request(2, 'tools/call', callOf('asks'));
  await waitFor(() => client.waiting() === 1, 'the approval');
  await client.request(3, 'tools/list');
  expect(client.waiting()).toBe(1);
  description = 'deletes';
  await client.request(4, 'tools/list');
  expect(JSON.stringify((await call).result)).toContain('the server changed asks');
  const second = client.request(5, 'tools/call', callOf('asks'));
  await waitFor(() => client.waiting() === 1, 'the approval');
  await client.request(6, 'ping');
  expect(JSON.stringify((await second).result)).toContain('the server changed asks');
  await client.end();
  expect(server.seen()).not.toContain('tools/call');
});

test('since revision 2026-07-28 headers repeat the decided body, as the list of tools says', async () => {
  await using server = await scriptedServer((request, response) => {
    const { message } = request;
    if (message.method !== 'tools/list') return answerPlainly(request, response);
    const properties = {
      amount: { type: 'integer', 'x-mcp-header': 'Amount' },
      to: { type: 'object', properties: { city: { type: 'string', 'x-mcp-header': 'City' } } },
    };
    return json(response, {
      id: message.id,
      result: { tools: [{ name: 'pay', inputSchema: { properties } }] },
    });
  });
  const client = bridgeTo(server.url);
  await client.request(1, 'initialize', initialize);
  await client.request(2, 'tools/list', modern);
  await client.request(3, 'tools/call', callOf('pay', { amount: 5, to: { city: 'Köln' } }, modern));
  await client.request(4, 'tools/call', callOf('pay', { amount: 5 }));
  await client.end();
  expect(server.arrived[2]!.headers).toMatchObject({
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': 'pay',
    'mcp-param-amount': '5',
    'mcp-param-city': '=?base64?S8O2bG4=?=',
  });
  expect(server.arrived[2]!.headers).not.toHaveProperty('mcp-session-id');
  expect(server.arrived[3]!.headers).toMatchObject({
    'mcp-protocol-version': '2025-06-18',
    'mcp-session-id': 's-secret',
  });
  expect(server.arrived[3]!.headers).not.toHaveProperty('mcp-param-amount');
});

test('messages that a parser could misread are refused, as by the proxy of commands', async () => {
  await using server = await scriptedServer(answerPlainly);
  const client = bridgeTo(server.url);
  client.line('{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"x"}}');
  await client.message(({ id }) => id === null);
  await client.end();
  expect(server.arrived).toEqual([]);
  expect(client.refused).toEqual(['client: the message repeats a member']);
});
