import {
  Client as SplitClient,
  StreamableHTTPClientTransport as SplitHttp,
} from '@modelcontextprotocol/client';
import { StdioClientTransport as SplitStdio } from '@modelcontextprotocol/client/stdio';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { until } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GatedService, openGatedService, tallyProgram } from './gated-service.ts';
import {
  type PaymentServer,
  type RunningServer,
  startEverything,
  startListener,
  startPayments,
} from './http-servers.ts';

/** `tally mcp --url`, as a bridge and as a listener, between clients of both official SDKs and servers that speak streamable HTTP. */

let service: GatedService;
let everything: RunningServer;
let payments: PaymentServer;
/** A client of the bridge to the public server. */
let client: Client;
const clients: { close(): Promise<void> }[] = [];
beforeAll(async () => {
  [service, everything, payments] = await Promise.all([
    openGatedService([
      { name: 'no sums', when: { action: 'get-sum' }, effect: 'deny', reason: 'sums are secret' },
      { name: 'large', when: { arguments: { '/amount': { greaterThan: 50 } } }, effect: 'deny' },
      { name: 'rest', effect: 'allow' },
    ]),
    startEverything(),
    startPayments(),
  ]);
  client = new Client({ name: 'test', version: '1' });
  clients.push(client);
  await client.connect(new StdioClientTransport(gated(everything.url)));
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  for (const server of [everything, payments, service]) await server[Symbol.asyncDispose]();
});

const gated = (url: string) => ({
  command: process.execPath,
  args: [
    ...[tallyProgram, 'mcp', '--tenant', 'acme', '--policy', 'rules.json', '--name', 'remote'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what the user writes
    ...['--url', url, '--header', 'Authorization: Bearer ${TOKEN}'],
  ],
  cwd: service.cwd,
  stderr: 'ignore' as const,
  env: { ...getDefaultEnvironment(), ...service.env, TOKEN: 'secret-token' },
});

test('everything but tool calls passes unchanged', async () => {
  const plain = new Client({ name: 'test', version: '1' });
  clients.push(plain);
  await plain.connect(new StreamableHTTPClientTransport(new URL(everything.url)) as never);
  expect(client.getServerVersion()).toEqual(plain.getServerVersion());
  expect(client.getServerCapabilities()).toEqual(plain.getServerCapabilities());
  expect(await client.listTools()).toEqual(await plain.listTools());
  expect(await client.listResources()).toEqual(await plain.listResources());
});

test('allowed calls have the result of the server and a trail, denied ones never reach it', async () => {
  const { content } = await client.callTool({ name: 'echo', arguments: { message: 'hello' } });
  expect(content).toEqual([{ type: 'text', text: 'Echo: hello' }]);
  const denied = await client.callTool({ name: 'get-sum', arguments: { a: 1, b: 2 } });
  expect(denied.isError).toBe(true);
  expect(JSON.stringify(denied.content)).toContain('sums are secret');
  await until(async () => (await service.trail('echo')).length === 3);
  expect(await service.trail('echo')).toEqual([
    ['agent.action.intended', 'pending'],
    ['agent.action.decided', 'success'],
    ['agent.action.completed', 'success'],
  ]);
  expect(await service.text()).not.toContain('secret-token');
});

test('progress arrives, and a call that the client gives up is recorded with its end', async () => {
  const stop = new AbortController();
  const call = client.callTool(
    { name: 'trigger-long-running-operation', arguments: { duration: 60, steps: 600 } },
    undefined,
    { signal: stop.signal, onprogress: () => stop.abort(new Error('given up')) },
  );
  await expect(call).rejects.toThrow('given up');
  await until(async () =>
    (await service.trail('trigger-long-running-operation')).some(
      ([type, status]) => type === 'agent.action.completed' && status !== 'success',
    ),
  );
});

test('the split SDK, with the revision without sessions', async () => {
  const client = new SplitClient({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  clients.push(client);
  await client.connect(new SplitStdio(gated(payments.url)));
  const before = payments.calls.length;
  await client.listTools();
  const paid = await client.callTool({ name: 'pay', arguments: { amount: 5 } });
  expect(paid.content).toEqual([{ type: 'text', text: 'paid 5' }]);
  const denied = await client.callTool({ name: 'pay', arguments: { amount: 51 } });
  expect(denied.isError).toBe(true);
  const arrived = payments.calls.slice(before);
  expect(arrived.map((headers) => headers['mcp-param-amount'])).toEqual(['5']);
});

test('a listener: the first SDK has a session of the server, its streams and its errors', async () => {
  await using listener = await startListener(service, everything.url);
  const client = new Client({ name: 'test', version: '1' });
  const transport = new StreamableHTTPClientTransport(new URL(listener.url));
  await client.connect(transport as never);
  expect(transport.sessionId).toMatch(/^[0-9a-f-]{36}$/);
  const { content } = await client.callTool({ name: 'echo', arguments: { message: 'hello' } });
  expect(content).toEqual([{ type: 'text', text: 'Echo: hello' }]);
  const denied = await client.callTool({ name: 'get-sum', arguments: { a: 1, b: 2 } });
  expect(JSON.stringify(denied.content)).toContain('sums are secret');
  const progress: number[] = [];
  await client.callTool(
    { name: 'trigger-long-running-operation', arguments: { duration: 0.2, steps: 3 } },
    undefined,
    { onprogress: (step) => void progress.push(step.progress) },
  );
  expect(progress).toContain(1);
  await transport.terminateSession();
  await expect(client.callTool({ name: 'echo', arguments: { message: 'late' } })).rejects.toThrow();
  await client.close();
});

test.each(['auto', 'legacy'] as const)('a listener: the split SDK, revision of mode %s', async (mode) => {
  await using listener = await startListener(service, payments.url);
  const client = new SplitClient({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
  const transport = new SplitHttp(new URL(listener.url));
  await client.connect(transport);
  // The server has no sessions. Before this revision, the proxy gives the client one.
  if (mode === 'legacy') expect(transport.sessionId).toMatch(/^tallystick-/);
  const before = payments.calls.length;
  await client.listTools();
  const paid = await client.callTool({ name: 'pay', arguments: { amount: 5 } });
  expect(paid.content).toEqual([{ type: 'text', text: 'paid 5' }]);
  const denied = await client.callTool({ name: 'pay', arguments: { amount: 51 } });
  expect(denied.isError).toBe(true);
  const arrived = payments.calls.slice(before);
  expect(arrived.map((headers) => headers['mcp-param-amount'])).toEqual(mode === 'auto' ? ['5'] : []);
  await client.close();
});
