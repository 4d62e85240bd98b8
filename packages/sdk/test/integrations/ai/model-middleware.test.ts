import { expect, test, vi } from 'vitest';
import { auditModelCalls, startAgentRun } from '../../../src/integrations/ai.ts';
import { createTestAudit } from '../../../src/testing/index.ts';

function open() {
  const audit = createTestAudit({ tenantId: 'acme' });
  const onError = vi.fn();
  const actor = { actorType: 'agent', actorId: 'bot' } as const;
  const middleware = auditModelCalls(
    startAgentRun({ audit: audit.emitter, tenantId: 'acme', actor, onError }),
  );
  const calls = () => audit.events.filter(({ event_type }) => event_type === 'agent.model.called');
  return { middleware, calls, onError };
}
const model = { provider: 'openai.chat', modelId: 'm-1' };
const answer = {
  content: [{ type: 'text', text: 'hi' }],
  finishReason: { unified: 'stop' },
  usage: { inputTokens: { total: 1 }, outputTokens: { total: 2 } },
};

function streamOf(parts: readonly unknown[]): ReadableStream<unknown> {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      controller.close();
    },
  });
}

// Providers are written by others, and versions of the library differ. An odd answer used to become an error of this middleware.
test.each<[what: string, answer: unknown, model?: object]>([
  ['no content', { ...answer, content: undefined }],
  ['usage without tokens', { ...answer, usage: {} }],
  ['no usage', { ...answer, usage: undefined }],
  ['no finish reason', { ...answer, finishReason: undefined }],
  ['a part without a type', { ...answer, content: [{}] }],
  ['a part that is null', { ...answer, content: [null] }],
  ['nothing', undefined],
  ['a model without a provider', answer, { modelId: 'm-1' }],
])('%s: the answer is passed on, and the call is recorded', async (_, given, of = model) => {
  const { middleware, calls } = open();
  const passed = await middleware.wrapGenerate({
    doGenerate: async () => given as never,
    params: { prompt: [] },
    model: of as never,
  });
  expect(passed).toBe(given);
  expect(calls()).toMatchObject([{ outcome: { outcome_status: 'success' } }]);
});

test.each<[what: string, parts: unknown[]]>([
  ['a part that is null', [null, { type: 'finish', ...answer }]],
  ['a part without a type', [{ a: 1 }]],
  ['an end without usage', [{ type: 'finish', usage: {}, finishReason: {} }]],
])('a stream with %s is passed on, and the call is recorded', async (_, parts) => {
  const { middleware, calls } = open();
  const { stream } = await middleware.wrapStream({
    doStream: async () => ({ stream: streamOf(parts) }),
    params: { prompt: [] },
    model,
  });
  expect(await Array.fromAsync(stream)).toEqual(parts);
  expect(calls()).toMatchObject([{ outcome: { outcome_status: 'success' } }]);
});

test('an answer without a stream is passed on, and the call is recorded', async () => {
  const { middleware, calls } = open();
  const doStream = async () => ({}) as never;
  expect(await middleware.wrapStream({ doStream, params: { prompt: [] }, model })).toEqual({});
  expect(calls()).toHaveLength(1);
});
