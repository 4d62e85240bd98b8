import type { AgentRun, OpenModelCall } from '../agent/agent-run.ts';
import { providerName } from '../agent/provider-name.ts';

/** What is used of a model. Declared here, so that the types of the AI SDK need not be installed. */
interface ModelIdentity {
  readonly provider: string;
  readonly modelId: string;
}

/** What is used of a model's answer. */
interface GenerateResult {
  readonly content: readonly { readonly type: string }[];
  readonly finishReason: FinishReason;
  readonly usage: ModelUsage;
  readonly response?: ResponseIdentity | undefined;
}

interface FinishReason {
  readonly unified: string;
  readonly raw: string | undefined;
}

interface ModelUsage {
  readonly inputTokens: {
    readonly total: number | undefined;
    readonly cacheRead: number | undefined;
    readonly cacheWrite: number | undefined;
  };
  readonly outputTokens: { readonly total: number | undefined };
}

interface ResponseIdentity {
  readonly id?: string | undefined;
  readonly modelId?: string | undefined;
}

/** What is used of a model's answer that is streamed. */
interface StreamResult {
  // biome-ignore lint/suspicious/noExplicitAny: each version of the library has its own union of parts
  readonly stream: ReadableStream<any>;
}

/** A language model middleware of the AI SDK. */
export interface ModelMiddleware {
  readonly specificationVersion: 'v4';
  wrapGenerate<R extends GenerateResult>(options: {
    readonly doGenerate: () => PromiseLike<R>;
    readonly params: { readonly prompt: unknown };
    readonly model: ModelIdentity;
  }): Promise<R>;
  wrapStream<R extends StreamResult>(options: {
    readonly doStream: () => PromiseLike<R>;
    readonly params: { readonly prompt: unknown };
    readonly model: ModelIdentity;
  }): Promise<R>;
}

/**
 * A middleware for `wrapLanguageModel`. It records each model call of a run as `agent.model.called`, with tokens, duration, finish
 * reason, and digests of prompt and answer. The answer is passed on as it is.
 */
export function auditModelCalls(run: AgentRun): ModelMiddleware {
  return {
    specificationVersion: 'v4',
    async wrapGenerate({ doGenerate, params, model }) {
      const call = run.openModelCall(params.prompt);
      const answer = new ModelAnswer(run, call, model);
      const result = await answer.unlessItThrows(doGenerate);
      answer.observe(() => {
        for (const part of result.content) answer.add(part);
        answer.respondedAs(result.response);
        answer.finish(result);
      });
      answer.end();
      return result;
    },
    async wrapStream({ doStream, params, model }) {
      const call = run.openModelCall(params.prompt);
      const answer = new ModelAnswer(run, call, model);
      const result = await answer.unlessItThrows(doStream);
      if (typeof result?.stream?.getReader === 'function')
        return { ...result, stream: observed(result.stream, answer) };
      // What is no stream is the application's to deal with.
      answer.end();
      return result;
    },
  };
}

/** What a model answers, from its parts. A streamed answer and the same answer in one piece have the same digest. */
class ModelAnswer {
  readonly #run: AgentRun;
  readonly #call: OpenModelCall;
  readonly #model: ModelIdentity;
  readonly #content: { type: string; [member: string]: unknown }[] = [];
  /** Texts of a stream that are not complete, by their id. */
  readonly #texts = new Map<string, { type: string; text: string }>();
  #response: ResponseIdentity = {};
  #finished: { readonly finishReason: FinishReason; readonly usage: ModelUsage } | undefined;
  #failure: { readonly error: unknown } | undefined;
  #ended = false;

  constructor(run: AgentRun, call: OpenModelCall, model: ModelIdentity) {
    this.#run = run;
    this.#call = call;
    this.#model = model;
  }

  async unlessItThrows<R>(answer: () => PromiseLike<R>): Promise<R> {
    try {
      return await answer();
    } catch (error) {
      this.fail(error);
      this.end();
      throw error;
    }
  }

  /** Reads what a provider answered. A provider may answer anything, and its answer must reach the application all the same. */
  observe(read: () => void): void {
    try {
      read();
    } catch (error) {
      this.#run.fault(error);
    }
  }

  /** A part of the content, complete or of a stream. */
  add(part: { readonly type: string }): void {
    const { type, id, delta, ...rest } = part as { type: string; [member: string]: unknown };
    const [kind, phase] = type.split('-');
    switch (type) {
      case 'text':
      case 'reasoning':
        this.#content.push({ type, text: rest.text });
        break;
      case 'text-start':
      case 'reasoning-start': {
        const started = { type: kind!, text: '' };
        this.#texts.set(`${kind} ${id}`, started);
        this.#content.push(started);
        break;
      }
      case 'text-delta':
      case 'reasoning-delta': {
        const started = this.#texts.get(`${kind} ${id}`);
        if (started !== undefined) started.text += delta;
        break;
      }
      case 'tool-call': {
        const { toolCallId, toolName, input } = rest;
        if (typeof toolCallId === 'string') this.#run.toolCallFrom(toolCallId, this.#call.auditId);
        this.#content.push({ type, toolCallId, toolName, input });
        break;
      }
      case 'response-metadata':
        this.respondedAs({ ...rest, ...(typeof id === 'string' && { id }) });
        break;
      case 'finish':
        this.finish(rest as unknown as GenerateResult);
        break;
      case 'error':
        this.fail(rest.error);
        break;
      default:
        // The pieces of an input are complete in its tool call.
        if (phase === 'input' || type === 'stream-start' || type === 'ping' || type === 'raw') break;
        if (!type.endsWith('-end')) this.#content.push({ type, ...rest });
    }
  }

  respondedAs(response: ResponseIdentity | undefined): void {
    this.#response = { ...this.#response, ...response };
  }

  finish({ finishReason, usage }: Pick<GenerateResult, 'finishReason' | 'usage'>): void {
    this.#finished = { finishReason, usage };
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /** The call has ended. Writes its record once. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.observe(() => this.#record());
  }

  #record(): void {
    const { finishReason, usage } = this.#finished ?? {};
    this.#run.closeModelCall(this.#call, {
      provider: this.#model.provider && providerName(this.#model.provider),
      requestModel: this.#model.modelId,
      responseModel: this.#response.modelId,
      responseId: this.#response.id,
      finishReasons: finishReason && [finishReason.raw ?? finishReason.unified],
      inputTokens: usage?.inputTokens?.total,
      outputTokens: usage?.outputTokens?.total,
      cacheReadTokens: usage?.inputTokens?.cacheRead,
      cacheWriteTokens: usage?.inputTokens?.cacheWrite,
      responseDigest: this.#content.length === 0 ? undefined : this.#run.digest(this.#content),
      failed: this.#failure !== undefined,
      error: this.#failure?.error,
    });
  }
}

/** Passes a stream on, and shows its parts to the answer. The record is written when it ends, fails or is cancelled. */
function observed(source: ReadableStream, answer: ModelAnswer): ReadableStream {
  const reader = source.getReader();
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) {
            answer.end();
            controller.close();
            return;
          }
          answer.observe(() => answer.add(value as { type: string }));
          controller.enqueue(value);
        } catch (error) {
          answer.fail(error);
          answer.end();
          controller.error(error);
        }
      },
      async cancel(reason) {
        answer.fail(new DOMException('the stream was cancelled', 'AbortError'));
        answer.end();
        await reader.cancel(reason);
      },
    },
    // Nothing is read ahead of the consumer.
    { highWaterMark: 0 },
  );
}
