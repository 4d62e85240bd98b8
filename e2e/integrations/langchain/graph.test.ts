import { AIMessage, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { FakeListChatModel } from '@langchain/core/utils/testing';
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { ToolNode, toolsCondition } from '@langchain/langgraph/prebuilt';
import { agent } from '@tallystick/event';
import { createGate, createMemoryDesk, functionPolicy } from '@tallystick/sdk/gate';
import { auditCallbacks, gatedTools } from '@tallystick/sdk/langchain';
import { createTestAudit } from '@tallystick/sdk/testing';
import { until } from '@tallystick/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { story } from '../story.ts';

type Decide = Parameters<typeof functionPolicy>[0]['decide'];

/** A chat model that gives the prepared messages. */
class ScriptedModel extends FakeListChatModel {
  readonly #answers: readonly (AIMessage | Error)[];
  #next = 0;

  constructor(answers: readonly (AIMessage | Error)[]) {
    super({ responses: [''] });
    this.#answers = answers;
  }

  override async _generate() {
    const message = this.#answers[this.#next++]!;
    if (message instanceof Error) throw message;
    return { generations: [{ message, text: String(message.content) }] };
  }
}

const asks = (amount: number) => {
  const message = new AIMessage({
    content: '',
    tool_calls: [{ id: `call-${amount}`, name: 'refund', args: { order: 'o-1', amount } }],
    response_metadata: { finish_reason: 'tool_calls', model_name: 'fake-1' },
  });
  const usage_metadata = { input_tokens: 12, output_tokens: 5, total_tokens: 17 };
  return Object.assign(message, { usage_metadata });
};

function open(answers: readonly (AIMessage | Error)[], decide: Decide = () => ({ effect: 'allow' })) {
  const audit = createTestAudit({ taxonomy: agent });
  const desk = createMemoryDesk();
  const policy = functionPolicy({ name: 'refunds', version: '1', decide });
  const gate = createGate({ audit: audit.emitter, policy, desk });
  const callbacks = auditCallbacks({
    audit: audit.emitter,
    tenantId: 'acme',
    actor: { actorType: 'agent', actorId: 'refund-bot' },
  });
  const ran: unknown[] = [];
  const refund = tool(
    async (args) => {
      ran.push(args);
      if (args.order === 'broken') throw new RangeError('secret database');
      return `refunded ${args.amount}`;
    },
    { name: 'refund', description: 'Refunds', schema: z.object({ order: z.string(), amount: z.number() }) },
  );
  const model = new ScriptedModel(answers);
  const graphOf = (tools: (typeof refund)[]) =>
    new StateGraph(MessagesAnnotation)
      .addNode('agent', async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
      .addNode('tools', new ToolNode(tools))
      .addEdge(START, 'agent')
      .addConditionalEdges('agent', toolsCondition, ['tools', END])
      .addEdge('tools', 'agent')
      .compile();
  const ask = { messages: [new HumanMessage('Refund the order of Maria Lopez')] };
  return { events: audit.events, gate, desk, callbacks, ran, refund, model, graphOf, ask };
}

test('a graph ends in a trail that tells it: states, model calls and gated tools, with parents', async () => {
  const { events, gate, callbacks, ran, refund, graphOf, ask } = open([asks(40), new AIMessage('Done.')]);
  const graph = graphOf(gatedTools(gate, [refund]));
  const { messages } = await graph.invoke(ask, { callbacks: [callbacks] });
  expect(messages.at(-1)!.content).toBe('Done.');
  expect(ran).toEqual([{ order: 'o-1', amount: 40 }]);
  expect(story(events)).toEqual([
    'run.started: pending',
    'state.changed < run.started: success',
    'model.called < state.changed: success',
    'state.changed 2 < run.started: success',
    'action.intended < model.called: pending',
    'action.decided < action.intended: success',
    'action.completed < action.intended: success',
    'state.changed 3 < run.started: success',
    'model.called 2 < state.changed 3: success',
    'state.changed 4 < run.started: success',
    'run.completed < run.started: success',
  ]);
  const states = events.filter(({ event_type }) => event_type === 'agent.state.changed');
  expect(states.map(({ outcome }) => [outcome!.state_before, outcome!.state_after])).toEqual([
    ['__start__', 'agent'],
    ['agent', 'tools'],
    ['tools', 'agent'],
    ['agent', '__end__'],
  ]);
  expect(new Set(events.map((event) => event.correlation_id)).size).toBe(1);
  expect(events[2]).toMatchObject({
    tenant_id: 'acme',
    actor_id: 'refund-bot',
    context: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.response.model': 'fake-1',
      'gen_ai.response.finish_reasons': ['tool_calls'],
      'gen_ai.usage.input_tokens': 12,
      'gen_ai.usage.output_tokens': 5,
      prompt_digest: expect.stringMatching(/^sha256:/),
      response_digest: expect.stringMatching(/^sha256:/),
    },
  });
  expect(events[4]!.context).toMatchObject({ 'gen_ai.tool.call.id': 'call-40', action: 'refund' });
  for (const secret of ['Lopez', 'Done.']) expect(JSON.stringify(events)).not.toContain(secret);
});

test('the model gets a denied call as a tool message with an error, and can go on', async () => {
  const { events, gate, callbacks, ran, refund, graphOf, ask } = open(
    [asks(900), new AIMessage('Sorry.')],
    () => ({ effect: 'deny', reason: 'at most 50' }),
  );
  const { messages } = await graphOf(gatedTools(gate, [refund])).invoke(ask, { callbacks: [callbacks] });
  const answer = messages.find((message) => message instanceof ToolMessage)!;
  expect(answer.status).toBe('error');
  expect(answer.content).toContain('the policy denies refund: at most 50');
  expect(messages.at(-1)!.content).toBe('Sorry.');
  expect(ran).toEqual([]);
  expect(story(events)).toContain('action.decided < action.intended: denied');
});

test('a tool without a gate is recorded when it has ended, also when it throws', async () => {
  const { events, callbacks, refund, graphOf, ask } = open([asks(40), new AIMessage('Done.')]);
  await graphOf([refund]).invoke(ask, { callbacks: [callbacks] });
  expect(story(events)).toContain('tool.called < model.called: success');
  await expect(refund.invoke({ order: 'broken', amount: 1 }, { callbacks: [callbacks] })).rejects.toThrow();
  expect(events.slice(-2)).toMatchObject([
    { event_type: 'agent.tool.called', outcome: { outcome_status: 'failure', error_code: 'RangeError' } },
    { event_type: 'agent.run.completed', outcome: { outcome_status: 'failure' } },
  ]);
  expect(JSON.stringify(events)).not.toContain('secret');
});

test('an approval waits in the tool call, and the signal of the run ends the wait', async () => {
  const { events, gate, desk, refund } = open([], () => ({ effect: 'ask' }));
  const [gated] = gatedTools(gate, [refund], {
    describe: () => ({ tenantId: 'acme', actorType: 'agent', actorId: 'cron' }),
  });
  const granted = gated!.invoke({ order: 'o-1', amount: 90 });
  await until(() => desk.list().length === 1);
  await desk.decide('acme', desk.list()[0]!.id, { subject: 'boss', verdict: 'grant' });
  expect(await granted).toBe('refunded 90');
  const leave = new AbortController();
  const aborted = gated!.invoke({ order: 'o-2', amount: 90 }, { signal: leave.signal });
  const refused = expect(aborted).rejects.toThrow();
  await until(() => desk.list().length === 2);
  leave.abort();
  await refused;
  await until(() => events.at(-1)!.event_type === 'agent.action.abandoned');
  expect(desk.list()[1]!.state).toBe('withdrawn');
});

test('a model that fails ends its node and its run as failures, with the class of the error', async () => {
  const { events, callbacks, refund, graphOf, ask } = open([new RangeError('secret prompt')]);
  await expect(graphOf([refund]).invoke(ask, { callbacks: [callbacks] })).rejects.toThrow('secret');
  expect(events.slice(2).map(({ event_type, outcome }) => [event_type, outcome!.error_code])).toEqual([
    ['agent.model.called', 'RangeError'],
    ['agent.state.changed', 'RangeError'],
    ['agent.run.completed', 'RangeError'],
  ]);
  expect(JSON.stringify(events)).not.toContain('secret');
});

test('one handler serves runs in parallel, each with its own correlation', async () => {
  const { events, callbacks, model } = open(Array.from({ length: 5 }, () => new AIMessage('hi')));
  await Promise.all(Array.from({ length: 5 }, () => model.invoke('hello', { callbacks: [callbacks] })));
  expect(new Set(events.map(({ correlation_id }) => correlation_id)).size).toBe(5);
  expect(events).toHaveLength(15);
});
