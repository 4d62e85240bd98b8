import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@tallystick/client';
import { type AuditEvent, canonicalize, type Json } from '@tallystick/event';
import { tempDir, until } from '@tallystick/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openService, type Service } from '../commands/service.ts';
import { tally } from '../run-tally.ts';
import { connect, type RawClient } from './client.ts';

const dir = tempDir();
const server = join(import.meta.dirname, 'server.js');
let service: Service;
let maria: string;
/** Key of the agent: requests for approvals need one that is bound to a subject. */
let agentKey: string;
const open: RawClient[] = [];

const env = (key = agentKey) => ({
  PATH: process.env.PATH!,
  XDG_CONFIG_HOME: dir.path,
  TALLYSTICK_URL: service.url,
  TALLYSTICK_API_KEY: key,
  TALLYSTICK_TENANT: 'acme',
});
const rules = {
  name: 'tools',
  version: '1',
  rules: [
    {
      name: 'no dropping',
      when: { arguments: { '/sql': { contains: 'drop' } } },
      effect: 'deny',
      reason: 'never',
    },
    { name: 'large', when: { action: 'echo', arguments: { '/amount': { greaterThan: 50 } } }, effect: 'ask' },
    { name: 'open', when: { action: 'big' }, effect: 'allow', failOpen: true },
    { name: 'rest', when: { targetId: 'shop' }, effect: 'allow', hidden: ['/card'] },
  ],
};

beforeAll(async () => {
  service = await openService(join(dir.path, 'store'));
  writeFileSync(join(dir.path, 'rules.json'), JSON.stringify(rules));
  const create = async (subject: string, ...scopes: string[]) => {
    const args = ['api-keys', 'create', '--name', 'k', '--scope', ...scopes, '--subject', subject, '--json'];
    const created = await tally(args, { env: env(service.key), cwd: dir.path });
    return (created.json()[0] as { key: string }).key;
  };
  maria = await create('maria', 'approvals:decide', 'events:read');
  agentKey = await create('service:agent', 'events:write', 'events:read', 'approvals:request');
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.end()));
});
afterAll(async () => {
  await service.close();
  dir.remove();
});

function start(
  more: { readonly url?: string; readonly args?: string[]; readonly stopped?: AbortSignal } = {},
): RawClient {
  const client = connect(
    [
      ...[
        'mcp',
        '--policy',
        'rules.json',
        '--name',
        'shop',
        '--actor',
        'agent:buyer',
        '--on-behalf-of',
        'user:tom',
      ],
      ...(more.args ?? []),
      ...['--', process.execPath, server],
    ],
    {
      cwd: dir.path,
      env: { ...env(), ...(more.url !== undefined && { TALLYSTICK_URL: more.url }) },
      ...(more.stopped && { stopped: more.stopped }),
    },
  );
  open.push(client);
  return client;
}

/** The records of a call, by the id of its request. */
async function story(requestId: string): Promise<readonly AuditEvent[]> {
  const client = createClient({ url: service.url, apiKey: service.key });
  const events: AuditEvent[] = [];
  const query = { tenant_id: 'acme', order: 'asc', filters: { event_category: 'agent' } } as const;
  for await (const event of client.events.listAll(query)) events.push(event as unknown as AuditEvent);
  const intent = events.find(
    ({ context }) => (context as { readonly [name: string]: unknown })['jsonrpc.request.id'] === requestId,
  );
  return events.filter(
    (event) => event.audit_id === intent?.audit_id || event.parent_id === intent?.audit_id,
  );
}
const digestOf = (value: unknown) =>
  `sha256:${createHash('sha256')
    .update(canonicalize(value as Json))
    .digest('hex')}`;
const uniqueId = (() => {
  let last = 0;
  return () => `call-${++last}`;
})();

describe('a call that is allowed', () => {
  test('reaches the server with canonical arguments, and is recorded from intent to effect', async () => {
    const client = start();
    const id = uniqueId();
    client.line(
      `{"future": 1.0,"jsonrpc":"2.0","id":"${id}","method":"tools/call","params":{"arguments":{"b":1.50, "a":"ü","card":"4711"},"name":"echo","task":{}}}`,
    );
    const answer = await client.message((message) => message.id === id);
    expect(answer.result).toEqual({ content: [{ type: 'text', text: '{"a":"ü","b":1.5,"card":"4711"}' }] });
    const { result } = await client.request(uniqueId(), 'test/seen');
    expect((result as { seen: string[] }).seen[0]).toBe(
      `{"future": 1.0,"jsonrpc":"2.0","id":"${id}","method":"tools/call","params":{"arguments":{"a":"ü","b":1.5,"card":"4711"},"name":"echo","task":{}}}`,
    );
    expect(await client.end()).toBe(0);
    const records = await story(id);
    expect(records.map(({ event_type }) => event_type)).toEqual([
      'agent.action.intended',
      'agent.action.decided',
      'agent.action.completed',
    ]);
    expect(records[0]).toMatchObject({
      actor_type: 'agent',
      actor_id: 'buyer',
      on_behalf_of: [{ actor_type: 'user', actor_id: 'tom' }],
      target_type: 'mcp_server',
      target_id: 'shop',
      source_service: 'tally-mcp',
      context: { action: 'echo', arguments: { a: 'ü', b: 1.5 }, 'gen_ai.tool.name': 'echo' },
    });
    expect(records[1]).toMatchObject({ decision: { effect: 'allow', rule: 'rest' } });
    expect(records[2]!.outcome).toMatchObject({
      outcome_status: 'success',
      result_digest: digestOf(answer.result),
    });
    expect(JSON.stringify(records)).not.toContain('4711');
  });

  test('keeps numbers and texts apart as ids', async () => {
    const client = start();
    const [number, text] = await Promise.all([
      client.call(7, 'echo', { n: 1 }),
      client.call('7', 'echo', { n: 2 }),
    ]);
    expect([number.id, text.id]).toEqual([7, '7']);
    expect(JSON.stringify(number.result)).toContain('1');
    expect(JSON.stringify(text.result)).toContain('2');
  });

  test('that fails is recorded as a failure, and its answer passes unchanged', async () => {
    const client = start();
    const [fails, error, asks] = [uniqueId(), uniqueId(), uniqueId()];
    expect((await client.call(fails, 'fails')).result).toEqual({
      content: [{ type: 'text', text: 'no such order' }],
      isError: true,
    });
    expect((await client.call(error, 'error')).error).toEqual({ code: -32603, message: 'inner' });
    await client.call(asks, 'asks');
    await client.end();
    const end = async (id: string) => (await story(id)).at(-1)!.outcome;
    expect(await end(fails)).toMatchObject({ outcome_status: 'failure', error_code: 'TOOL_ERROR' });
    expect(await end(error)).toMatchObject({ outcome_status: 'failure', error_code: 'JSON_RPC_-32603' });
    expect(await end(asks)).toMatchObject({ outcome_status: 'success', result_type: 'input_required' });
  });

  test('may have a result of many megabytes', async () => {
    const client = start();
    const id = uniqueId();
    const size = 24 * 1024 * 1024;
    const [big] = await Promise.all([
      client.call(id, 'big', { size }),
      client.call(uniqueId(), 'echo', { sql: 'drop' }),
    ]);
    const { text } = (big.result as { content: { text: string }[] }).content[0]!;
    expect(text.length).toBe(size);
    await client.end();
    const raw = JSON.stringify(big.result);
    expect((await story(id)).at(-1)!.outcome).toMatchObject({
      outcome_status: 'success',
      result_bytes: raw.length,
      result_bytes_digest: `sha256:${createHash('sha256').update(raw).digest('hex')}`,
    });
  });
});

describe('a call that is not executed', () => {
  test('is answered with a tool result that says so', async () => {
    const client = start();
    const id = uniqueId();
    const { result } = await client.call(id, 'echo', { sql: 'drop table' });
    expect(result).toEqual({
      content: [
        { type: 'text', text: 'The call of echo was not executed: the policy denies echo: never (DENIED).' },
      ],
      isError: true,
      _meta: { 'tallystick/code': 'DENIED', 'tallystick/intent': expect.any(String) },
    });
    const modern = { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } };
    const versioned = await client.call(uniqueId(), 'echo', { sql: 'drop' }, modern);
    expect(versioned.result).toMatchObject({ resultType: 'complete', isError: true });
    const deep = `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`;
    const invalid = await client.call(uniqueId(), 'echo', JSON.parse(deep) as object);
    expect(invalid.result).toMatchObject({
      isError: true,
      _meta: { 'tallystick/code': 'ARGUMENTS_INVALID' },
    });
    const { result: seen } = await client.request(uniqueId(), 'test/seen');
    expect((seen as { seen: string[] }).seen).toHaveLength(1);
    await client.end();
    expect((await story(id)).map(({ event_type }) => event_type)).toEqual([
      'agent.action.intended',
      'agent.action.decided',
    ]);
  });

  test('without the service, unless its rule fails open', async () => {
    const client = start({ url: 'http://127.0.0.1:9' });
    const [denied, allowed] = await Promise.all([
      client.call(uniqueId(), 'echo', {}),
      client.call(uniqueId(), 'big', { size: 3 }),
    ]);
    expect(denied.result).toMatchObject({ isError: true, _meta: { 'tallystick/code': 'NOT_ACKNOWLEDGED' } });
    expect(allowed.result).toEqual({ content: [{ type: 'text', text: 'xxx' }] });
    open.pop();
    await client.end();
  }, 60_000);
});

describe('an approval', () => {
  async function pending(client: RawClient): Promise<{ id: string; digest: string }> {
    await until(() => client.stderr().includes('waits for approval'), {
      timeoutMs: 60_000,
      what: 'the approval',
    });
    const id = /waits for approval (\S+)/.exec(client.stderr())![1]!;
    const shown = await tally(['approvals', 'show', id, '--json'], { env: env(), cwd: dir.path });
    return { id, digest: (shown.json()[0] as { document_digest: string }).document_digest.slice(7, 39) };
  }
  const decide = (words: readonly string[]) =>
    tally(['approvals', ...words], { env: { ...env(), TALLYSTICK_API_KEY: maria }, cwd: dir.path });

  test('is waited for with progress, and other messages pass meanwhile', async () => {
    const client = start();
    const id = uniqueId();
    const answer = client.call(id, 'echo', { amount: 60 }, { _meta: { progressToken: 't' } });
    const progress = await client.message(({ method }) => method === 'notifications/progress');
    expect(progress.params).toMatchObject({
      progressToken: 't',
      message: expect.stringContaining('tally approvals show'),
    });
    const { result: seen } = await client.request(uniqueId(), 'test/seen');
    expect((seen as { seen: string[] }).seen).toHaveLength(1);
    const { id: approvalId, digest } = await pending(client);
    expect((await decide(['grant', approvalId, '--digest', digest])).exitCode).toBe(0);
    expect((await answer).result).toEqual({ content: [{ type: 'text', text: '{"amount":60}' }] });
    await client.end();
    expect((await story(id)).at(-1)).toMatchObject({
      event_type: 'agent.action.completed',
      context: { approval_id: approvalId },
    });
  });

  test('that is denied reaches the model', async () => {
    const client = start();
    const answer = client.call(uniqueId(), 'echo', { amount: 61 });
    const { id } = await pending(client);
    await decide(['deny', id]);
    expect((await answer).result).toMatchObject({
      isError: true,
      _meta: { 'tallystick/code': 'APPROVAL_DENIED', 'tallystick/approval': id },
    });
  });

  test('is withdrawn when the client cancels, and the call never runs', async () => {
    const client = start();
    const id = uniqueId();
    void client.call(id, 'echo', { amount: 62 }).catch(() => {});
    const { id: approvalId } = await pending(client);
    client.line(
      JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } }),
    );
    const state = async () =>
      (
        (
          await tally(['approvals', 'show', approvalId, '--json'], { env: env(), cwd: dir.path })
        ).json()[0] as {
          state: string;
        }
      ).state;
    await until(async () => (await state()) === 'withdrawn', { timeoutMs: 60_000, what: 'the withdrawal' });
    const { result: seen } = await client.request(uniqueId(), 'test/seen');
    expect((seen as { seen: string[] }).seen).toHaveLength(1);
    expect(client.lines.some((line) => line.includes(id))).toBe(false);
    await client.end();
    expect((await story(id)).at(-1)).toMatchObject({
      event_type: 'agent.action.abandoned',
      outcome: { error_code: 'ABORTED' },
    });
  });

  test('is withdrawn when the client disconnects', async () => {
    const client = start();
    const id = uniqueId();
    void client.call(id, 'echo', { amount: 63 }).catch(() => {});
    await pending(client);
    expect(await client.end()).toBe(0);
    expect((await story(id)).at(-1)).toMatchObject({ event_type: 'agent.action.abandoned' });
  });

  test('is withdrawn when the server changes the tool, and the call never runs', async () => {
    const client = start();
    const id = uniqueId();
    await client.request(uniqueId(), 'tools/list');
    const held = client.call(id, 'echo', { amount: 65 });
    await pending(client);
    await client.request(uniqueId(), 'tools/list');
    expect((await held).result).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('the server changed echo') }],
    });
    const { result: seen } = await client.request(uniqueId(), 'test/seen');
    expect((seen as { seen: string[] }).seen.join()).not.toContain('tools/call');
    await client.end();
    expect((await story(id)).at(-1)).toMatchObject({ event_type: 'agent.action.abandoned' });
  });

  test('of a call that the server pretends to answer never runs', async () => {
    const client = start();
    const id = uniqueId();
    const held = client.call(id, 'echo', { amount: 64 });
    await pending(client);
    await client.call(uniqueId(), 'guesses', { id });
    expect((await held).result).toMatchObject({ content: [{ text: 'guessed' }] });
    await client.end();
    expect((await story(id)).at(-1)).toMatchObject({ event_type: 'agent.action.abandoned' });
    expect(client.stderr()).toContain('before it got the call');
  });
});

describe('messages that are no calls', () => {
  test('pass byte for byte, in both directions', async () => {
    const client = start();
    const lines = [
      '{"jsonrpc":"2.0", "method":"notifications/future", "params":{"n":12345678901234567890,"s":"\\u00fc"}}',
      '{"id":"s-0","result":{"roots":[]},"jsonrpc":"2.0"}',
      '[{"jsonrpc":"2.0","method":"a"},{"jsonrpc":"2.0","method":"b"}]',
      '{"jsonrpc":"2.0","method":"test/sample"}',
    ];
    for (const line of lines) client.line(line);
    await client.message(({ id, method }) => id === 's-1' && method === 'sampling/createMessage');
    expect(client.lines).toEqual([
      '{"jsonrpc":"2.0","method":"test/batch","params":{"size":2}}',
      '{"jsonrpc":"2.0","id":"s-1","method":"sampling/createMessage","params":{}}',
    ]);
    const { result } = await client.request(uniqueId(), 'test/seen');
    expect((result as { seen: string[] }).seen.slice(0, -1)).toEqual(lines);
  });

  test('a batch with a call is split, and its call is gated', async () => {
    const client = start();
    const [one, two] = [uniqueId(), uniqueId()];
    const message = (id: string, args: object) =>
      ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'echo', arguments: args } }) as const;
    client.line(
      JSON.stringify([
        message(one, { sql: 'drop' }),
        message(two, { n: 1 }),
        { jsonrpc: '2.0', method: 'x' },
      ]),
    );
    expect((await client.message(({ id }) => id === one)).result).toMatchObject({ isError: true });
    expect((await client.message(({ id }) => id === two)).result).toEqual({
      content: [{ type: 'text', text: '{"n":1}' }],
    });
  });

  test('malformed lines do not pass, from either side', async () => {
    const client = start();
    client.line('{"jsonrpc":"2.0","id":1,"method":"tools/call"');
    client.line('{"id":1,"method":"ping","method":"tools/call","params":{"name":"echo"}}');
    expect(await client.message(({ error }) => error?.code === -32700)).toMatchObject({ id: null });
    expect(await client.message(({ error }) => error?.code === -32600)).toMatchObject({ id: null });
    await client.call(uniqueId(), 'garbage');
    expect(client.lines.every((line) => line.startsWith('{'))).toBe(true);
    expect(client.stderr()).toContain('a line of the server was dropped: the line is not JSON');
    const { result } = await client.request(uniqueId(), 'test/seen');
    expect((result as { seen: string[] }).seen).toHaveLength(2);
  });

  test('the server does not get the key of the service', async () => {
    expect((await start().request(uniqueId(), 'test/env')).result).toEqual({ key: null });
  });
});

describe('ends', () => {
  test('a repeated id in flight is refused, and free again after the answer', async () => {
    const client = start();
    const id = uniqueId();
    client.line(JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'slow' } }));
    await client.message(({ method }) => method === 'notifications/progress');
    expect((await client.call(id, 'echo')).error).toMatchObject({ code: -32600 });
  });

  /** Calls echo with an id that is taken, lets the server answer the first request, and calls again. */
  async function reuse(client: RawClient, id: string): Promise<void> {
    const call = { jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'echo', arguments: { id } } };
    client.line(JSON.stringify(call));
    await client.message((message) => message.id === id && message.error?.code === -32600);
    client.line(JSON.stringify({ jsonrpc: '2.0', method: 'test/answer', params: { id } }));
    await client.message((message) => message.id === id && textOf(message) === 'late');
    const { result } = await client.request(uniqueId(), 'test/seen');
    expect((result as { seen: string[] }).seen).not.toContain(JSON.stringify(call));
  }
  const textOf = ({ result }: { readonly result?: unknown }) =>
    (result as { content?: { text: string }[] } | undefined)?.content?.[0]?.text;
  const slow = (id: string) => {
    const params = { name: 'slow', _meta: { progressToken: 5 } };
    return JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params });
  };
  const refusals = async () => {
    const client = createClient({ url: service.url, apiKey: service.key });
    const found: AuditEvent[] = [];
    const query = { tenant_id: 'acme', filters: { event_type: 'agent.message.refused' } } as const;
    for await (const event of client.events.listAll(query)) found.push(event as unknown as AuditEvent);
    return found;
  };

  test('the id of a cancelled call is taken until the server answers it', async () => {
    const client = start();
    const id = uniqueId();
    client.line(slow(id));
    await client.message(({ method }) => method === 'notifications/progress');
    const params = { requestId: id };
    client.line(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params }));
    await reuse(client, id);
    client.line(slow(id).replace('slow', 'echo'));
    await client.message((message) => message.id === id && textOf(message) === 'null');
    await client.end();
    const ends = (await story(id)).filter(({ event_type }) => event_type === 'agent.action.completed');
    expect(ends.map(({ outcome }) => outcome)).toMatchObject([{ error_code: 'CANCELLED' }]);
  });

  test('the id of a timed-out call is taken until its late answer, which is recorded as its end', async () => {
    const client = start({ args: ['--effect-timeout', '1s'] });
    const id = uniqueId();
    client.line(slow(id));
    await until(() => client.stderr().includes('has not ended within'), {
      timeoutMs: 60_000,
      what: 'the time-out',
    });
    await reuse(client, id);
    await client.end();
    const ends = (await story(id)).filter(({ event_type }) => event_type === 'agent.action.completed');
    expect(ends.map(({ outcome }) => outcome?.outcome_status)).toEqual(['timed_out', 'success']);
    expect(ends[1]!.context).toMatchObject({ late: true });
  });

  test('the id of any other request is taken until the server answers it, also one in a batch', async () => {
    const client = start();
    const [single, batched] = [uniqueId(), uniqueId()];
    client.line(JSON.stringify({ jsonrpc: '2.0', id: single, method: 'test/hang' }));
    client.line(JSON.stringify([{ jsonrpc: '2.0', id: batched, method: 'test/hang' }]));
    await reuse(client, single);
    await reuse(client, batched);
  });

  test('another request can not get the id of a call, so its answer does not end the call', async () => {
    const client = start();
    const id = uniqueId();
    client.line(slow(id));
    await client.message(({ method }) => method === 'notifications/progress');
    client.line(JSON.stringify({ jsonrpc: '2.0', id, method: 'test/env' }));
    client.line(JSON.stringify({ jsonrpc: '2.0', id, method: 'test/env' }));
    await reuse(client, id);
    await client.end();
    expect((await story(id)).at(-1)!.outcome).toMatchObject({
      outcome_status: 'success',
      result_digest: digestOf({ content: [{ type: 'text', text: 'late' }] }),
    });
  });

  test('messages that did not pass are recorded with their numbers', async () => {
    const before = new Set((await refusals()).map(({ audit_id }) => audit_id));
    const client = start();
    for (let count = 0; count < 3; count++) client.line('{"id":1}');
    client.line('no JSON');
    await client.call(uniqueId(), 'garbage');
    await client.message(({ error }) => error?.code === -32700);
    await client.end();
    const records = (await refusals()).filter(({ audit_id }) => !before.has(audit_id));
    const counts = new Map<string, number>();
    for (const { context } of records) {
      const { sender, refused } = context as {
        sender: string;
        refused: { reason: string; count: number }[];
      };
      for (const { reason, count } of refused) {
        const key = `${sender}: ${reason}`;
        counts.set(key, (counts.get(key) ?? 0) + count);
      }
    }
    expect(Object.fromEntries(counts)).toEqual({
      'client: a message must be a request, a notification or a response': 3,
      'client: the message is not JSON in UTF-8': 1,
      'server: the line is not JSON': 1,
    });
    expect(records[0]).toMatchObject({ actor_id: 'buyer', target_id: 'shop', source_service: 'tally-mcp' });
  });

  test('a cancellation after the call was forwarded reaches the server', async () => {
    const client = start();
    const id = uniqueId();
    const meta = { _meta: { progressToken: 5 } };
    void client.call(id, 'slow', {}, meta).catch(() => {});
    await client.message(({ method }) => method === 'notifications/progress');
    const cancel = JSON.stringify({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: id },
    });
    client.line(cancel);
    const { result } = await client.request(uniqueId(), 'test/seen');
    expect((result as { seen: string[] }).seen).toContain(cancel);
    await client.end();
    expect((await story(id)).at(-1)).toMatchObject({
      event_type: 'agent.action.completed',
      outcome: { outcome_status: 'failure', error_code: 'CANCELLED' },
    });
  });

  test('a call that takes too long is recorded, and its late answer still passes', async () => {
    const client = start({ args: ['--effect-timeout', '1s'] });
    const id = uniqueId();
    client.line(JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'slow' } }));
    await until(() => client.stderr().includes('has not ended within'), {
      timeoutMs: 60_000,
      what: 'the time-out',
    });
    await client.end();
    expect((await story(id)).find(({ event_type }) => event_type === 'agent.action.completed')).toMatchObject(
      {
        outcome: { outcome_status: 'timed_out' },
      },
    );
  });

  test('a server that dies: its exit code passes, and open calls get an answer and an end', async () => {
    const client = start();
    const [slow, dies] = [uniqueId(), uniqueId()];
    const answered = client.call(slow, 'slow');
    await client.message(({ method }) => method === 'notifications/progress');
    const died = client.call(dies, 'dies');
    expect((await answered).error).toMatchObject({ code: -32000 });
    expect((await died).error).toMatchObject({ code: -32000 });
    expect(await client.ended).toBe(7);
    for (const id of [slow, dies])
      expect((await story(id)).at(-1)!.outcome).toMatchObject({
        outcome_status: 'failure',
        error_code: 'SERVER_ENDED',
      });
  });

  test('a signal reaches the server, and its exit code passes', async () => {
    const stopping = new AbortController();
    const client = start({ stopped: stopping.signal });
    client.line('{"jsonrpc":"2.0","method":"test/stubborn"}');
    await client.request(uniqueId(), 'test/seen');
    stopping.abort('SIGTERM');
    expect(await client.ended).toBe(9);
    const killed = new AbortController();
    const second = start({ stopped: killed.signal });
    await second.request(uniqueId(), 'test/seen');
    killed.abort('SIGINT');
    expect(await second.ended).toBe(130);
  });

  test('what the server writes on stderr stays there', async () => {
    const client = start();
    await client.request(uniqueId(), 'test/seen');
    await client.end();
    expect(client.stderr()).toContain('server started\n');
    expect(client.lines.join()).not.toContain('server started');
  });
});

test('mistakes of the command line are named', async () => {
  const run = (...args: string[]) => tally(['mcp', ...args], { env: env(), cwd: dir.path });
  writeFileSync(join(dir.path, 'wrong.json'), '{"name":"p",\n"version":1}');
  expect(await run('--policy', 'wrong.json', '--', 'x')).toMatchObject({
    exitCode: 3,
    stderr: 'error: wrong.json: the policy at /rules is required (POLICY_INVALID)\n',
  });
  expect((await run('--policy', 'rules.json')).stderr).toContain('name the server to start after --');
  const wrong = async (...args: string[]) => (await run('--policy', 'rules.json', ...args)).stderr;
  expect(await wrong('--url', 'https://a.example', '--', 'x')).toContain('not with both');
  expect(await wrong('--url', 'ftp://a.example')).toContain('--url must be an address');
  expect(await wrong('--header', 'a: b', '--', 'x')).toContain('--header needs a server with --url');
  expect(await wrong('--listen', '1', '--', 'x')).toContain('--listen needs a server with --url');
  const url = ['--url', 'https://a.example'];
  expect(await wrong(...url, '--listen', '0.0.0.0:1')).toContain('the listener is for this machine alone');
  expect(await wrong(...url, '--allow-origin', 'http://a')).toContain('--allow-origin needs --listen');
  expect(await wrong(...url, '--listen', '0', '--allow-origin', 'a')).toContain('must be an origin');
  expect((await run('--policy', 'rules.json', '--', '/no/such/program')).stderr).toContain(
    "can't start /no/such/program: ENOENT",
  );
  const embedded = await tally(['mcp', '--policy', 'rules.json', '--data', 'x', '--', 'y'], {
    env: { TALLYSTICK_TENANT: 'acme' },
    cwd: dir.path,
  });
  expect(embedded.stderr).toContain('needs a running service');
});
