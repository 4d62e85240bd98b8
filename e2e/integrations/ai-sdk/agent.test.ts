import { agent } from '@tallystick/event';
import { auditModelCalls, gatedTools, startAgentRun } from '@tallystick/sdk/ai';
import { createGate, createMemoryDesk, functionPolicy, type PolicyRequest } from '@tallystick/sdk/gate';
import { createTestAudit } from '@tallystick/sdk/testing';
import { until } from '@tallystick/testing';
import { generateText, isStepCount, streamText, tool, wrapLanguageModel } from 'ai';
import { convertArrayToReadableStream, MockLanguageModelV4 } from 'ai/test';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { story } from '../story.ts';

const usage = {
  inputTokens: { total: 12, noCache: 8, cacheRead: 4, cacheWrite: 0 },
  outputTokens: { total: 5, text: 5, reasoning: 0 },
};
type GenerateResult = Awaited<ReturnType<MockLanguageModelV4['doGenerate']>>;
type StreamPart =
  Awaited<ReturnType<MockLanguageModelV4['doStream']>>['stream'] extends ReadableStream<infer P> ? P : never;
type Part = GenerateResult['content'][number];

const answer = (content: Part[]): GenerateResult => ({
  content,
  usage,
  warnings: [],
  finishReason: content.some((part) => part.type === 'tool-call')
    ? { unified: 'tool-calls', raw: 'tool_use' }
    : { unified: 'stop', raw: 'end_turn' },
  response: { id: 'resp-1', modelId: 'claude-x-2026' },
});
const asks = (toolName: string, input: object, toolCallId = `call-${toolName}`): Part => ({
  type: 'tool-call',
  toolCallId,
  toolName,
  input: JSON.stringify(input),
});
const says = (text: string): Part => ({ type: 'text', text });

/** The parts of an answer as a provider streams them. */
function streamOf(content: Part[]): ReadableStream<StreamPart> {
  const { finishReason, response } = answer(content);
  const parts = content.flatMap((part, index): StreamPart[] => {
    if (part.type !== 'text') return [part as StreamPart];
    const id = String(index);
    const deltas = part.text.match(/..?/gs) ?? [];
    return [
      { type: 'text-start', id },
      ...deltas.map((delta): StreamPart => ({ type: 'text-delta', id, delta })),
      { type: 'text-end', id },
    ];
  });
  return convertArrayToReadableStream([
    { type: 'stream-start', warnings: [] },
    { type: 'response-metadata', ...response },
    ...parts,
    { type: 'finish', finishReason, usage },
  ]);
}

type Decide = Parameters<typeof functionPolicy>[0]['decide'];
const smallOnly: Decide = ({ arguments: args }: PolicyRequest) =>
  (args as { amount: number }).amount <= 50
    ? { effect: 'allow', rule: 'small' }
    : { effect: 'deny', rule: 'large', reason: 'at most 50' };

function open(decide: Decide = smallOnly) {
  const audit = createTestAudit({ taxonomy: agent });
  const desk = createMemoryDesk();
  const policy = functionPolicy({ name: 'refunds', version: '1', decide });
  const gate = createGate({ audit: audit.emitter, policy, desk, ledger: desk });
  const run = startAgentRun({
    audit: audit.emitter,
    tenantId: 'acme',
    actor: { actorType: 'agent', actorId: 'refund-bot' },
    onBehalfOf: [{ actorType: 'user', actorId: 'maria' }],
    conversationId: 'conv-7',
  });
  const model = (...answers: Part[][]) => {
    let calls = 0;
    const mock = new MockLanguageModelV4({
      provider: 'anthropic.messages',
      modelId: 'claude-x',
      doGenerate: async () => answer(answers[calls++]!),
      doStream: async () => ({ stream: streamOf(answers[calls++]!) }),
    });
    return { mock, model: wrapLanguageModel({ model: mock, middleware: auditModelCalls(run) }) };
  };
  return { audit, gate, run, desk, model, events: audit.events };
}

const refund = (execute: (input: { order: string; amount: number }) => unknown) =>
  tool({
    description: 'Refunds an order',
    inputSchema: z.object({ order: z.string(), amount: z.number() }),
    execute: async (input) => execute(input),
  });

test('a run ends in a trail that tells it: order, parents, outcomes, one correlation', async () => {
  const { events, gate, run, model } = open();
  const refunded: unknown[] = [];
  const { model: wrapped } = model([asks('refund', { order: 'o-17', amount: 40 })], [says('Done.')]);
  const { text } = await generateText({
    model: wrapped,
    tools: gatedTools(
      gate,
      { refund: refund((input) => refunded.push(input)) },
      { run, describe: () => ({ target: { type: 'order', id: 'o-17' } }) },
    ),
    stopWhen: isStepCount(3),
    prompt: 'Refund order o-17, card of Maria Lopez',
  });
  run.end();
  expect(text).toBe('Done.');
  expect(refunded).toEqual([{ order: 'o-17', amount: 40 }]);
  expect(story(events)).toEqual([
    'run.started: pending',
    'model.called < run.started: success',
    'action.intended < model.called: pending',
    'action.decided < action.intended: success',
    'action.completed < action.intended: success',
    'model.called 2 < run.started: success',
    'run.completed < run.started: success',
  ]);
  expect(new Set(events.map((event) => event.correlation_id))).toEqual(new Set([run.correlationId]));
  expect(events[1]).toMatchObject({
    tenant_id: 'acme',
    actor_type: 'agent',
    actor_id: 'refund-bot',
    on_behalf_of: [{ actor_type: 'user', actor_id: 'maria' }],
    context: {
      ai_agent: { uid: 'refund-bot' },
      'gen_ai.operation.name': 'chat',
      'gen_ai.conversation.id': 'conv-7',
      'gen_ai.provider.name': 'anthropic',
      'gen_ai.request.model': 'claude-x',
      'gen_ai.response.model': 'claude-x-2026',
      'gen_ai.response.id': 'resp-1',
      'gen_ai.response.finish_reasons': ['tool_use'],
      'gen_ai.usage.input_tokens': 12,
      'gen_ai.usage.output_tokens': 5,
      'gen_ai.usage.cache_read.input_tokens': 4,
      prompt_digest: expect.stringMatching(/^sha256:/),
      response_digest: expect.stringMatching(/^sha256:/),
    },
    outcome: { duration_ms: expect.any(Number) },
  });
  expect(events[2]).toMatchObject({
    target_type: 'order',
    context: { action: 'refund', 'gen_ai.tool.call.id': 'call-refund', ai_agent: { uid: 'refund-bot' } },
  });
  for (const secret of ['Lopez', 'Done.']) expect(JSON.stringify(events)).not.toContain(secret);
});

test('the model gets a denied call as the error of its tool, and can go on', async () => {
  const { events, gate, run, model } = open();
  const { mock, model: wrapped } = model([asks('refund', { order: 'o-1', amount: 900 })], [says('Sorry.')]);
  const tools = gatedTools(gate, { refund: refund(() => expect.unreachable()) }, { run });
  const result = await generateText({ model: wrapped, tools, stopWhen: isStepCount(3), prompt: 'Refund it' });
  expect(result.text).toBe('Sorry.');
  expect(mock.doGenerateCalls[1]!.prompt.at(-1)).toMatchObject({
    role: 'tool',
    content: [
      {
        type: 'tool-result',
        toolCallId: 'call-refund',
        output: { type: 'error-text', value: 'GateError: the policy denies refund: at most 50' },
      },
    ],
  });
  expect(story(events).slice(2)).toEqual([
    'action.intended < model.called: pending',
    'action.decided < action.intended: denied',
    'model.called 2 < run.started: success',
  ]);
});

test('an approval is waited for while a parallel call runs; each call has its id and its parent', async () => {
  const { events, gate, run, model, desk } = open(({ arguments: args }) => ({
    effect: (args as { amount: number }).amount > 50 ? 'ask' : 'allow',
  }));
  const { model: wrapped } = model(
    [asks('refund', { order: 'a', amount: 90 }, 'c-1'), asks('refund', { order: 'b', amount: 10 }, 'c-2')],
    [says('ok')],
  );
  const ran: string[] = [];
  const execute = async ({ order }: { order: string }) => {
    ran.push(order);
    if (order !== 'b') return;
    // The other call waits meanwhile.
    await until(() => desk.list().length === 1);
    await desk.decide('acme', desk.list()[0]!.id, { subject: 'boss', verdict: 'grant' });
  };
  const tools = gatedTools(gate, { refund: refund(execute) }, { run });
  await generateText({ model: wrapped, tools, stopWhen: isStepCount(3), prompt: 'Refund both' });
  expect(ran).toEqual(['b', 'a']);
  const intents = events.filter(({ event_type }) => event_type === 'agent.action.intended');
  expect(intents.map(({ context }) => context!['gen_ai.tool.call.id'])).toEqual(['c-1', 'c-2']);
  expect(new Set(intents.map(({ parent_id }) => parent_id))).toEqual(new Set([events[1]!.audit_id]));
  expect(events.filter(({ event_type }) => event_type === 'agent.action.completed')).toHaveLength(2);
});

test('the signal of the call ends the wait for an approval, and reaches the tool', async () => {
  const { events, gate, run, model, desk } = open(() => ({ effect: 'ask' }));
  const { model: wrapped } = model([asks('refund', { order: 'a', amount: 90 })]);
  const abort = new AbortController();
  const tools = gatedTools(gate, { refund: refund(() => expect.unreachable()) }, { run });
  const call = generateText({ model: wrapped, tools, prompt: 'x', abortSignal: abort.signal });
  await until(() => desk.list().length === 1);
  abort.abort();
  // The tool's error is its result; without a further step the call resolves.
  await call.catch(() => undefined);
  await until(() => events.some(({ event_type }) => event_type === 'agent.action.abandoned'));
  expect(events.at(-1)).toMatchObject({
    event_type: 'agent.action.abandoned',
    outcome: { error_code: 'ABORTED' },
  });
  expect(desk.list()[0]!.state).toBe('withdrawn');
});

test('the signal of the call reaches the tool', async () => {
  const { gate, run, events } = open(() => ({ effect: 'allow' }));
  const wait = tool({
    inputSchema: z.object({}),
    execute: (_input, { abortSignal }) =>
      new Promise((_resolve, reject) => {
        abortSignal!.addEventListener('abort', () => reject(abortSignal!.reason));
      }),
  });
  const leave = new AbortController();
  const options = { messages: [], context: {}, abortSignal: leave.signal, toolCallId: 't' };
  // Neither the call nor its gate names a tenant.
  await expect(gatedTools(gate, { wait }).wait.execute!({}, options)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
  });
  const running = gatedTools(gate, { wait }, { run }).wait.execute!({}, options);
  await until(() => events.length === 3);
  leave.abort(new RangeError('enough'));
  await expect(running).rejects.toThrow('enough');
  expect(events.at(-1)!.outcome).toMatchObject({ outcome_status: 'failure', error_code: 'RangeError' });
});

test('a tool that streams is drained in its effect; its outputs arrive while it runs', async () => {
  const { events, gate, run, model } = open(() => ({ effect: 'allow' }));
  const { model: wrapped } = model([asks('track', { order: 'a' })], [says('ok')]);
  const track = tool({
    inputSchema: z.object({ order: z.string() }),
    async *execute({ order }) {
      yield { order, state: 'packed' };
      expect(events.at(-1)!.event_type).toBe('agent.action.decided');
      yield { order, state: 'sent' };
    },
  });
  const tools = gatedTools(gate, { track }, { run });
  const result = streamText({ model: wrapped, tools, stopWhen: isStepCount(3), prompt: 'Where is it?' });
  const outputs = [];
  for await (const part of result.stream)
    if (part.type === 'tool-result') outputs.push([part.preliminary, part.output]);
  expect(outputs).toEqual([
    [true, { order: 'a', state: 'packed' }],
    [true, { order: 'a', state: 'sent' }],
    [undefined, { order: 'a', state: 'sent' }],
  ]);
  run.end();
  const told = story(events);
  expect(told).toContain('action.completed < action.intended: success');
  // A streamed answer asks for its tools before it is complete. The parent is the same.
  expect(told).toContain('action.intended < model.called: pending');
});

test('a tool that streams and is denied, fails, or is no longer read', async () => {
  const { events, gate, run } = open(({ arguments: args }) => ({
    effect: (args as { denied?: boolean }).denied === true ? 'deny' : 'allow',
  }));
  let finished = false;
  const { count } = gatedTools(
    gate,
    {
      count: tool({
        inputSchema: z.object({ denied: z.boolean().optional(), fails: z.boolean().optional() }),
        async *execute({ fails }) {
          yield 1;
          if (fails === true) throw new RangeError('secret');
          yield 2;
          finished = true;
        },
      }),
    },
    { run },
  );
  const options = { toolCallId: 't', messages: [], context: {} };
  const read = async (input: object) => {
    const outputs: number[] = [];
    for await (const output of count.execute!(input, options) as AsyncIterable<number>) outputs.push(output);
    return outputs;
  };
  await expect(read({ denied: true })).rejects.toMatchObject({ code: 'DENIED' });
  await expect(read({ fails: true })).rejects.toThrow('secret');
  expect(events.at(-1)!.outcome).toMatchObject({ outcome_status: 'failure', error_code: 'RangeError' });
  for await (const first of count.execute!({}, options) as AsyncIterable<number>) {
    expect(first).toBe(1);
    break;
  }
  await until(() => events.at(-1)!.outcome?.outcome_status === 'success');
  expect(finished).toBe(true);
  expect(JSON.stringify(events)).not.toContain('secret');
});

test('a streamed answer is passed on unchanged, and has the record of the same answer in one piece', async () => {
  const content = [says('Good morning, Maria'), asks('refund', { order: 'o-1', amount: 1 })];
  const records = [];
  for (const streams of [false, true]) {
    const { events, model } = open();
    const { model: wrapped } = model(content);
    if (streams) expect(await streamText({ model: wrapped, prompt: 'hi' }).text).toBe('Good morning, Maria');
    else await generateText({ model: wrapped, prompt: 'hi' });
    const { audit_id, timestamp, correlation_id, parent_id, outcome, ...record } = events[1]!;
    records.push({ ...record, status: outcome?.outcome_status, sequence: undefined });
  }
  const [whole, streamed] = records.map(({ event_type, context, status }) => ({
    event_type,
    context,
    status,
  }));
  expect(streamed).toEqual(whole);
  expect(streamed!.context!.response_digest).toMatch(/^sha256:/);
});

test('a stream that breaks or is cancelled, and a call that fails, are failures with the class of the error', async () => {
  const { events, run } = open();
  const broken = new ReadableStream<StreamPart>({
    start: (controller) => controller.error(new TypeError('prompt: secret')),
  });
  const endless = new ReadableStream<StreamPart>({
    pull: (controller) => controller.enqueue({ type: 'text-delta', id: '1', delta: 'x' }),
  });
  const streams = [broken, endless];
  const wrapped = wrapLanguageModel({
    model: new MockLanguageModelV4({
      doGenerate: () => Promise.reject(new RangeError('secret')),
      doStream: async () => ({ stream: streams.shift()! }),
    }),
    middleware: auditModelCalls(run),
  });
  const prompt = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'hi' }] }];
  await expect(wrapped.doGenerate({ prompt })).rejects.toThrow('secret');
  await expect((await wrapped.doStream({ prompt })).stream.getReader().read()).rejects.toThrow('secret');
  const reader = (await wrapped.doStream({ prompt })).stream.getReader();
  await reader.read();
  await reader.cancel();
  expect(events.slice(1).map(({ outcome }) => [outcome!.outcome_status, outcome!.error_code])).toEqual([
    ['failure', 'RangeError'],
    ['failure', 'TypeError'],
    ['failure', 'AbortError'],
  ]);
  expect(JSON.stringify(events)).not.toContain('secret');
});

test('a tool without an execute function is refused: a gate could not stop it', () => {
  const { gate } = open();
  const client = tool({ inputSchema: z.object({}), outputSchema: z.string() });
  expect(() => gatedTools(gate, { client })).toThrow(/the tool client has no execute function/);
});

test('a fault of the records does not affect the model call', async () => {
  const errors: unknown[] = [];
  const audit = createTestAudit();
  const run = startAgentRun({
    audit: audit.emitter,
    actor: { actorType: 'agent', actorId: 'bot' },
    onError: (error) => errors.push(error),
  });
  const model = wrapLanguageModel({
    model: new MockLanguageModelV4({ doGenerate: async () => answer([says('hi')]) }),
    middleware: auditModelCalls(run),
  });
  expect((await generateText({ model, prompt: 'x' })).text).toBe('hi');
  // No tenant is named.
  expect(errors).toHaveLength(2);
});
