import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { agent } from '@tallystick/event';
import { createGate, createMemoryDesk, functionPolicy } from '@tallystick/sdk/gate';
import { auditedClient, gatedTool, startAgentRun } from '@tallystick/sdk/mcp';
import { createTestAudit } from '@tallystick/sdk/testing';
import { until } from '@tallystick/testing';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { story } from '../story.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

type Decide = Parameters<typeof functionPolicy>[0]['decide'];

/** A server with a gate and a client of it, each with an own trail. */
async function open(decide: Decide, clientDecides?: Decide) {
  const audit = createTestAudit({ taxonomy: agent });
  const clientAudit = createTestAudit({ taxonomy: agent, tenantId: 'acme' });
  const desk = createMemoryDesk();
  const policyOf = (rules: Decide) => functionPolicy({ name: 'shop', version: '1', decide: rules });
  const gate = createGate({
    audit: audit.emitter,
    policy: policyOf(decide),
    desk,
    tenantId: 'acme',
    actor: { actorType: 'agent', actorId: 'unknown' },
  });
  const clientGate =
    clientDecides &&
    createGate({ audit: clientAudit.emitter, policy: policyOf(clientDecides), tenantId: 'acme' });
  const server = new McpServer({ name: 'shop', version: '1.0.0' });
  const ran: unknown[] = [];
  const signals: AbortSignal[] = [];
  server.registerTool(
    'refund',
    { inputSchema: { order: z.string(), amount: z.number() }, outputSchema: { refunded: z.number() } },
    gatedTool(
      gate,
      'refund',
      async (args, extra): Promise<CallToolResult> => {
        ran.push(args);
        signals.push(extra.signal);
        if (args.order === 'bad')
          return { content: [{ type: 'text', text: 'no such order' }], isError: true };
        if (args.order === 'broken') throw new RangeError('database is down');
        if (args.order === 'hang')
          return new Promise((_resolve, reject) => {
            extra.signal.addEventListener('abort', () => reject(extra.signal.reason as Error));
          });
        return { content: [{ type: 'text', text: 'ok' }], structuredContent: { refunded: args.amount } };
      },
      {
        server: 'shop',
        describe: ({ arguments: args, extra }) => ({
          actorId: extra.authInfo?.clientId ?? 'anonymous',
          reason: (args as { order: string }).order,
        }),
      },
    ),
  );
  server.registerTool(
    'dump',
    { description: 'Everything' },
    gatedTool(gate, 'dump', async () => ({ content: [{ type: 'text', text: 'x'.repeat(3_000_000) }] }), {
      server: 'shop',
    }),
  );
  server.registerResource('terms', 'shop://terms', {}, async () => ({
    contents: [{ uri: 'shop://terms', text: 'confidential terms' }],
  }));
  server.registerPrompt('greet', {}, () => ({
    messages: [{ role: 'user', content: { type: 'text', text: 'confidential greeting' } }],
  }));
  const client = new Client({ name: 'test', version: '1.0.0' });
  const [here, there] = InMemoryTransport.createLinkedPair();
  await Promise.all([server.connect(there), client.connect(here)]);
  closers.push(() => client.close());
  const run = startAgentRun({
    audit: clientAudit.emitter,
    actor: { actorType: 'agent', actorId: 'support-bot' },
  });
  const calls = auditedClient(client, { server: 'shop', run, gate: clientGate });
  return { audit, clientAudit, desk, client, calls, ran, signals };
}

test('a tool of a server is recorded before and after it runs', async () => {
  const { audit, client, ran } = await open(() => ({ effect: 'allow' }));
  const result = await client.callTool({ name: 'refund', arguments: { order: 'o-1', amount: 4 } });
  expect(result.structuredContent).toEqual({ refunded: 4 });
  expect(ran).toEqual([{ order: 'o-1', amount: 4 }]);
  expect(story(audit.events)).toEqual([
    'action.intended: pending',
    'action.decided < action.intended: success',
    'action.completed < action.intended: success',
  ]);
  expect(audit.events[0]).toMatchObject({
    tenant_id: 'acme',
    actor_id: 'anonymous',
    target_type: 'mcp_server',
    target_id: 'shop',
    context: {
      action: 'refund',
      arguments: { order: 'o-1', amount: 4 },
      'mcp.method.name': 'tools/call',
      'gen_ai.tool.name': 'refund',
      'jsonrpc.request.id': expect.stringMatching(/^\d+$/),
    },
  });
  expect(audit.events[2]!.outcome).toMatchObject({ result_digest: expect.stringMatching(/^sha256:/) });
});

test('the client of a denied call gets an error result that says why, although the tool has an output schema', async () => {
  const { client, ran } = await open(() => ({ effect: 'deny', reason: 'at most 50' }));
  const result = await client.callTool({ name: 'refund', arguments: { order: 'o-1', amount: 400 } });
  expect(result).toMatchObject({
    isError: true,
    content: [
      { text: 'The call of refund was not executed: the policy denies refund: at most 50 (DENIED).' },
    ],
    _meta: { 'tallystick/code': 'DENIED', 'tallystick/intent': expect.any(String) },
  });
  expect(ran).toEqual([]);
});

test('an error result and a thrown error are failures; the client sees what it would see without the gate', async () => {
  const { audit, client } = await open(() => ({ effect: 'allow' }));
  const bad = await client.callTool({ name: 'refund', arguments: { order: 'bad', amount: 1 } });
  expect(bad).toMatchObject({ isError: true, content: [{ text: 'no such order' }] });
  const broken = await client.callTool({ name: 'refund', arguments: { order: 'broken', amount: 1 } });
  expect(broken).toMatchObject({ isError: true, content: [{ text: 'database is down' }] });
  const ends = audit.events.filter(({ event_type }) => event_type === 'agent.action.completed');
  expect(ends.map(({ outcome }) => [outcome!.outcome_status, outcome!.error_code])).toEqual([
    ['failure', 'TOOL_ERROR'],
    ['failure', 'RangeError'],
  ]);
  expect(JSON.stringify(audit.events)).not.toContain('database');
});

test('arguments that do not have the schema reach neither the gate nor the tool', async () => {
  const { audit, client, ran } = await open(() => ({ effect: 'allow' }));
  const result = await client.callTool({ name: 'refund', arguments: { order: 7 } });
  expect(result.isError).toBe(true);
  expect([audit.events, ran]).toEqual([[], []]);
});

test('a call that waits for an approval tells the client so, and runs when it is granted', async () => {
  const { client, desk, ran } = await open(() => ({ effect: 'ask' }));
  const progress: unknown[] = [];
  const call = client.callTool({ name: 'refund', arguments: { order: 'o-1', amount: 90 } }, undefined, {
    onprogress: (notification) => progress.push(notification),
  });
  await until(() => progress.length > 0 && desk.list().length === 1);
  expect(progress).toMatchObject([{ message: 'waits for an approval' }]);
  expect(ran).toEqual([]);
  await desk.decide('acme', desk.list()[0]!.id, { subject: 'boss', verdict: 'grant' });
  expect((await call).structuredContent).toEqual({ refunded: 90 });
});

test('a client that cancels ends the wait for an approval, and the tool that runs', async () => {
  const { audit, client, desk, ran } = await open(({ arguments: args }) => ({
    effect: (args as { order: string }).order === 'hang' ? 'allow' : 'ask',
  }));
  const cancelled = async (order: string, ready: () => boolean) => {
    const leave = new AbortController();
    const { signal } = leave;
    const call = client.callTool({ name: 'refund', arguments: { order, amount: 1 } }, undefined, { signal });
    await until(ready);
    leave.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
  };
  await cancelled('o-1', () => desk.list().length === 1);
  await until(() => audit.events.at(-1)!.event_type === 'agent.action.abandoned');
  expect(desk.list()[0]!.state).toBe('withdrawn');
  expect(ran).toEqual([]);
  await cancelled('hang', () => ran.length === 1);
  await until(() => audit.events.at(-1)!.event_type === 'agent.action.completed');
  expect(audit.events.at(-1)!.outcome!.outcome_status).toBe('failure');
});

test('a result of many megabytes is digested and not stored', async () => {
  const { audit, client } = await open(() => ({ effect: 'allow' }));
  await client.callTool({ name: 'dump' });
  expect(audit.events.at(-1)!.outcome).toMatchObject({ result_digest: expect.stringMatching(/^sha256:/) });
  expect(JSON.stringify(audit.events).length).toBeLessThan(10_000);
});

test('the calls of a client are recorded with what they were about, and without contents', async () => {
  const { clientAudit, calls } = await open(() => ({ effect: 'allow' }));
  await calls.callTool({ name: 'refund', arguments: { order: 'o-1', amount: 4 } });
  await calls.callTool({ name: 'refund', arguments: { order: 'bad', amount: 4 } });
  await calls.readResource({ uri: 'shop://terms' });
  await calls.getPrompt({ name: 'greet' });
  await expect(calls.readResource({ uri: 'shop://nothing' })).rejects.toThrow();
  expect(story(clientAudit.events)).toEqual([
    'run.started: pending',
    'tool.called < run.started: success',
    'tool.called 2 < run.started: failure',
    'tool.called 3 < run.started: success',
    'tool.called 4 < run.started: success',
    'tool.called 5 < run.started: failure',
  ]);
  expect(clientAudit.events.slice(1).map(({ context }) => context)).toMatchObject([
    { action: 'refund', 'mcp.method.name': 'tools/call', 'gen_ai.tool.name': 'refund' },
    { action: 'refund' },
    { action: 'resources/read', 'mcp.resource.uri': 'shop://terms' },
    { action: 'prompts/get', 'gen_ai.prompt.name': 'greet' },
    { action: 'resources/read', 'mcp.resource.uri': 'shop://nothing' },
  ]);
  expect(JSON.stringify(clientAudit.events)).not.toContain('confidential');
});

test('with a gate, a denied call of a client is not sent, and an allowed one has its run as parent', async () => {
  const { audit, clientAudit, calls, ran } = await open(
    () => ({ effect: 'allow' }),
    ({ arguments: args }) => ({ effect: (args as { amount: number }).amount > 50 ? 'deny' : 'allow' }),
  );
  const denied = calls.callTool({ name: 'refund', arguments: { order: 'o-1', amount: 400 } });
  await expect(denied).rejects.toMatchObject({ code: 'DENIED' });
  expect([ran, audit.events]).toEqual([[], []]);
  await calls.callTool({ name: 'refund', arguments: { order: 'bad', amount: 4 } });
  expect(story(clientAudit.events).slice(3)).toEqual([
    'action.intended 2 < run.started: pending',
    'action.decided 2 < action.intended 2: success',
    'action.completed < action.intended 2: failure',
  ]);
  expect(clientAudit.events[3]).toMatchObject({ actor_id: 'support-bot', target_id: 'shop' });
});
