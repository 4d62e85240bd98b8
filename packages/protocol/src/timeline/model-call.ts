import { numberIn, type TimelineRecord, textIn } from './timeline-record.ts';

/** What a record says about a call of a model. */
export interface ModelCall {
  /** Provider, model and tier, as far as they are known. */
  readonly model: string;
  readonly inputTokens: number | undefined;
  readonly outputTokens: number | undefined;
  readonly cachedTokens: number | undefined;
  readonly costUsd: number | undefined;
  readonly latencyMs: number | undefined;
}

/** The call that a record is about; undefined for every other record. */
export function modelCallOf({ event, type }: TimelineRecord): ModelCall | undefined {
  const provider = textIn(event, 'context', 'llm_provider');
  const model = textIn(event, 'context', 'llm_model_id');
  const tier = textIn(event, 'context', 'llm_model_tier');
  if (provider !== undefined || model !== undefined || tier !== undefined) {
    const parts = [provider, model, tier === undefined ? undefined : `tier ${tier}`];
    return {
      model: parts.filter((part) => part !== undefined).join(' '),
      inputTokens: numberIn(event, 'context', 'llm_input_tokens'),
      outputTokens: numberIn(event, 'context', 'llm_output_tokens'),
      cachedTokens: numberIn(event, 'context', 'llm_cache_read_tokens'),
      costUsd: numberIn(event, 'context', 'llm_cost_usd') ?? costOf(event),
      latencyMs: numberIn(event, 'context', 'llm_latency_ms') ?? numberIn(event, 'outcome', 'duration_ms'),
    };
  }
  if (type !== 'agent.model.called') return undefined;
  const names = [
    textIn(event, 'context', 'gen_ai.provider.name') ?? textIn(event, 'context', 'ai_model', 'ai_provider'),
    textIn(event, 'context', 'gen_ai.response.model') ??
      textIn(event, 'context', 'gen_ai.request.model') ??
      textIn(event, 'context', 'ai_model', 'name'),
  ].filter((part) => part !== undefined);
  return {
    model: names.length === 0 ? 'unnamed model' : names.join(' '),
    inputTokens: numberIn(event, 'context', 'gen_ai.usage.input_tokens'),
    outputTokens: numberIn(event, 'context', 'gen_ai.usage.output_tokens'),
    cachedTokens: numberIn(event, 'context', 'gen_ai.usage.cache_read.input_tokens'),
    costUsd: costOf(event),
    latencyMs: numberIn(event, 'outcome', 'duration_ms'),
  };
}

function costOf(event: TimelineRecord['event']): number | undefined {
  return numberIn(event, 'outcome', 'cost_incurred_usd') ?? numberIn(event, 'outcome', 'cost_usd');
}

/** What the calls of one model have in common, and what they took together. */
export interface ModelTotal {
  readonly model: string;
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number;
  readonly latencyMs: number;
  /** Calls whose record does not say what they cost. */
  readonly withoutCost: number;
}

/** The calls by model, in the order of the first call. */
export function modelTotals(records: readonly TimelineRecord[]): ModelTotal[] {
  const totals = new Map<string, ModelTotal>();
  for (const call of records.map(modelCallOf)) {
    if (call === undefined) continue;
    const { model, inputTokens = 0, outputTokens = 0, costUsd, latencyMs = 0 } = call;
    const before = totals.get(model);
    totals.set(model, {
      model,
      calls: (before?.calls ?? 0) + 1,
      inputTokens: (before?.inputTokens ?? 0) + inputTokens,
      outputTokens: (before?.outputTokens ?? 0) + outputTokens,
      costUsd: (before?.costUsd ?? 0) + (costUsd ?? 0),
      latencyMs: (before?.latencyMs ?? 0) + latencyMs,
      withoutCost: (before?.withoutCost ?? 0) + (costUsd === undefined ? 1 : 0),
    });
  }
  return [...totals.values()];
}
