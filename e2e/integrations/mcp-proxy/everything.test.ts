import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { createClient } from '@tallystick/client';
import { AuditService } from '@tallystick/server';
import { type HttpServer, serveHttp } from '@tallystick/server/http';
import { prepareEmbeddedStore, tempDir, until } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** `tally mcp` between the official client and a public server, each in a process of its own. */

const tally = resolve(import.meta.dirname, '../../../packages/cli/bin/tally.js');
const server = createRequire(import.meta.url).resolve(
  '@modelcontextprotocol/server-everything/dist/index.js',
);
const directory = tempDir();
let service: AuditService;
let http: HttpServer;
let key: string;
const clients: Client[] = [];
beforeAll(async () => {
  const store = join(directory.path, 'store');
  await prepareEmbeddedStore(store);
  service = await AuditService.open({ store: { directory: store }, logName: 'mcp.example' });
  http = await serveHttp(service, { port: 0, logger: false });
  ({ key } = await service.keys.create({
    name: 'proxy',
    subject: 'service:mcp',
    scopes: ['events:write', 'events:read', 'approvals:request'],
  }));
  const policy = {
    name: 'everything',
    version: '1',
    rules: [
      { name: 'no sums', when: { action: 'get-sum' }, effect: 'deny', reason: 'sums are secret' },
      { name: 'rest', effect: 'allow' },
    ],
  };
  writeFileSync(join(directory.path, 'rules.json'), JSON.stringify(policy));
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await http.close();
  await service.close();
  directory.remove();
});

async function connect(command: string, args: readonly string[]): Promise<Client> {
  const env = { ...getDefaultEnvironment(), NODE_NO_WARNINGS: '1' };
  const transport = new StdioClientTransport({
    command,
    args: [...args],
    cwd: directory.path,
    stderr: 'ignore',
    env: { ...env, TALLYSTICK_URL: http.url, TALLYSTICK_API_KEY: key, XDG_CONFIG_HOME: directory.path },
  });
  const client = new Client({ name: 'test', version: '1' });
  clients.push(client);
  await client.connect(transport);
  return client;
}
const direct = () => connect(process.execPath, [server]);
const behindGate = () =>
  connect(process.execPath, [
    ...[tally, 'mcp', '--tenant', 'acme', '--policy', 'rules.json', '--name', 'everything'],
    ...['--', process.execPath, server],
  ]);

/** The ends of the calls of one tool, with their intents. */
async function trail(tool: string) {
  const audit = createClient({ url: http.url, apiKey: key });
  const events = await Array.fromAsync(audit.events.listAll({ tenant_id: 'acme', order: 'asc' }));
  return events
    .filter((event) => (event.context as { action?: string } | undefined)?.action === tool)
    .map(({ event_type, outcome }) => [
      event_type,
      (outcome as { outcome_status: string } | undefined)?.outcome_status,
    ]);
}

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
