/** A call of a model, as its record has it: the names of OpenTelemetry, and digests in place of texts. */

/** What is known of a model call when it ends. */
export interface ModelCall {
  readonly provider: string | undefined;
  readonly requestModel: string | undefined;
  readonly responseModel?: string | undefined;
  readonly responseId?: string | undefined;
  readonly finishReasons?: readonly string[] | undefined;
  readonly inputTokens?: number | undefined;
  readonly outputTokens?: number | undefined;
  readonly cacheReadTokens?: number | undefined;
  readonly cacheWriteTokens?: number | undefined;
  readonly promptDigest: string | undefined;
  readonly responseDigest?: string | undefined;
  readonly durationMs: number;
  /** What was thrown. Its class is recorded, and not its message, which may quote the prompt. */
  readonly error?: unknown;
  /** Whether the call failed. Needed because anything can be thrown, also `undefined`. */
  readonly failed: boolean;
}

/** The members of a model call's `context`. */
export function modelContext(call: ModelCall): Record<string, unknown> {
  const names = {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': text(call.provider),
    'gen_ai.request.model': text(call.requestModel),
    'gen_ai.response.model': text(call.responseModel),
    'gen_ai.response.id': text(call.responseId),
    'gen_ai.response.finish_reasons': call.finishReasons?.flatMap((reason) => text(reason) ?? []),
    'gen_ai.usage.input_tokens': count(call.inputTokens),
    'gen_ai.usage.output_tokens': count(call.outputTokens),
    'gen_ai.usage.cache_read.input_tokens': count(call.cacheReadTokens),
    'gen_ai.usage.cache_creation.input_tokens': count(call.cacheWriteTokens),
    prompt_digest: call.promptDigest,
    response_digest: call.responseDigest,
  };
  return Object.fromEntries(Object.entries(names).filter(([, value]) => value !== undefined));
}

/** The class of an error, for `error_code`. */
export function errorName(thrown: unknown): string {
  const name = (thrown as { name?: unknown } | null | undefined)?.name;
  return (typeof name === 'string' ? text(name) : undefined) ?? 'Error';
}

/** Model and provider control these texts. A text that an event can't hold would lose the record. */
export function text(given: unknown): string | undefined {
  if (typeof given !== 'string' || given === '') return undefined;
  return given.slice(0, 256).toWellFormed().replaceAll('\0', '\ufffd');
}

function count(given: number | undefined): number | undefined {
  return typeof given === 'number' && Number.isFinite(given) && given >= 0 ? given : undefined;
}
