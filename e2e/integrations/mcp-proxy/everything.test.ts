import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { until } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GatedService, openGatedService, tallyProgram } from './gated-service.ts';

/** `tally mcp` between the official client and a public server, each in a process of its own. */

const server = createRequire(import.meta.url).resolve(
  '@modelcontextprotocol/server-everything/dist/index.js',
);
const filesystem = createRequire(import.meta.url).resolve(
  '@modelcontextprotocol/server-filesystem/dist/index.js',
);
let service: GatedService;
const clients: Client[] = [];
beforeAll(async () => {
  service = await openGatedService([
    { name: 'no sums', when: { action: 'get-sum' }, effect: 'deny', reason: 'sums are secret' },
    {
      name: 'secrets',
      when: { arguments: { '/path': { contains: '.env' } } },
      effect: 'deny',
      reason: 'secrets stay',
    },
    { name: 'rest', effect: 'allow' },
  ]);
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await service[Symbol.asyncDispose]();
});

async function connect(command: string, args: readonly string[]): Promise<Client> {
  const transport = new StdioClientTransport({
    command,
    args: [...args],
    cwd: service.cwd,
    stderr: 'ignore',
    env: { ...getDefaultEnvironment(), ...service.env },
  });
  const client = new Client({ name: 'test', version: '1' });
  clients.push(client);
  await client.connect(transport);
  return client;
}
const direct = () => connect(process.execPath, [server]);
const behindGate = (...words: readonly string[]) =>
  connect(process.execPath, [
    ...[tallyProgram, 'mcp', '--tenant', 'acme', '--policy', 'rules.json', '--name', 'everything'],
    ...['--', process.execPath, ...(words.length === 0 ? [server] : words)],
  ]);
const trail = (tool: string) => service.trail(tool);

test('everything but tool calls passes unchanged', async () => {
  const [plain, gated] = await Promise.all([direct(), behindGate()]);
  expect(gated.getServerVersion()).toEqual(plain.getServerVersion());
  expect(gated.getServerCapabilities()).toEqual(plain.getServerCapabilities());
  expect(await gated.listTools()).toEqual(await plain.listTools());
  expect(await gated.listPrompts()).toEqual(await plain.listPrompts());
  expect(await gated.listResources()).toEqual(await plain.listResources());
});

test('an allowed call has the result of the server, and a trail', async () => {
  const client = await behindGate();
  const { content } = await client.callTool({ name: 'echo', arguments: { message: 'hello' } });
  expect(content).toEqual([{ type: 'text', text: 'Echo: hello' }]);
  await until(async () => (await trail('echo')).length === 3);
  expect(await trail('echo')).toEqual([
    ['agent.action.intended', 'pending'],
    ['agent.action.decided', 'success'],
    ['agent.action.completed', 'success'],
  ]);
});

test('a denied call reaches the model as an error of the tool, and never the server', async () => {
  const client = await behindGate();
  const result = await client.callTool({ name: 'get-sum', arguments: { a: 1, b: 2 } });
  expect(result.isError).toBe(true);
  expect(JSON.stringify(result.content)).toContain('sums are secret');
  expect(JSON.stringify(result.content)).not.toContain('The sum of');
  expect(await trail('get-sum')).toEqual([
    ['agent.action.intended', 'pending'],
    ['agent.action.decided', 'denied'],
  ]);
});

test('progress of a running call arrives', async () => {
  const client = await behindGate();
  // Read from the connection: the client drops a notification that arrives in one chunk with the result of its call.
  const progress: unknown[] = [];
  const transport = client.transport!;
  const deliver = transport.onmessage;
  transport.onmessage = (message, extra) => {
    if ('method' in message && message.method === 'notifications/progress')
      progress.push(message.params?.progress);
    deliver?.(message, extra);
  };
  const result = await client.callTool(
    { name: 'trigger-long-running-operation', arguments: { duration: 0.2, steps: 4 } },
    undefined,
    { onprogress: () => undefined },
  );
  expect(result.isError).not.toBe(true);
  expect(progress).toEqual([1, 2, 3, 4]);
});

test('a call that the client gives up is recorded with its end', async () => {
  const client = await behindGate();
  const stop = new AbortController();
  const call = client.callTool(
    { name: 'trigger-long-running-operation', arguments: { duration: 60, steps: 600 } },
    undefined,
    { signal: stop.signal, onprogress: () => stop.abort(new Error('given up')) },
  );
  await expect(call).rejects.toThrow('given up');
  await until(async () =>
    (await trail('trigger-long-running-operation')).some(
      ([type, status]) => type === 'agent.action.completed' && status !== 'success',
    ),
  );
});

test('the public file server behind a rule about paths', async () => {
  writeFileSync(join(service.cwd, 'notes.txt'), 'open');
  writeFileSync(join(service.cwd, '.env'), 'PASSWORD=hidden');
  const client = await behindGate(filesystem, service.cwd);
  const read = (name: string) =>
    client.callTool({ name: 'read_text_file', arguments: { path: join(service.cwd, name) } });
  expect(JSON.stringify((await read('notes.txt')).content)).toContain('open');
  const denied = await read('.env');
  expect(denied.isError).toBe(true);
  expect(JSON.stringify(denied)).toContain('secrets stay');
  expect(JSON.stringify(denied)).not.toContain('hidden');
});
