/** Data about a call of a language model, for an event's `context`. */
export interface LlmCall {
  provider?: string;
  modelId?: string;
  modelTier?: string;
  systemPromptHash?: string;
  userContentHash?: string;
  promptTemplateId?: string;
  promptTemplateVersion?: string;
  inputTokens?: number;
  outputTokens?: number;
  cacheReadTokens?: number;
  cacheWriteTokens?: number;
  costUsd?: number;
  latencyMs?: number;
  rawResponseHash?: string;
  extendedThinkingUsed?: boolean;
  toolUseSchema?: string;
}

const wireNames = {
  provider: 'llm_provider',
  modelId: 'llm_model_id',
  modelTier: 'llm_model_tier',
  systemPromptHash: 'llm_system_prompt_hash',
  userContentHash: 'llm_user_content_hash',
  promptTemplateId: 'llm_prompt_template_id',
  promptTemplateVersion: 'llm_prompt_template_version',
  inputTokens: 'llm_input_tokens',
  outputTokens: 'llm_output_tokens',
  cacheReadTokens: 'llm_cache_read_tokens',
  cacheWriteTokens: 'llm_cache_write_tokens',
  costUsd: 'llm_cost_usd',
  latencyMs: 'llm_latency_ms',
  rawResponseHash: 'llm_raw_response_hash',
  extendedThinkingUsed: 'llm_extended_thinking_used',
  toolUseSchema: 'llm_tool_use_schema',
} as const satisfies { [K in keyof Required<LlmCall>]: string };

/** The same data under its wire names. */
export type LlmContext = {
  [K in keyof LlmCall as (typeof wireNames)[K & keyof typeof wireNames]]?: LlmCall[K];
};

/** Data about a call of a language model as members of an event's `context`. Members that are `undefined` are left out. */
export function buildLlmContext(call: LlmCall): LlmContext {
  const context: Record<string, unknown> = {};
  for (const [name, wire] of Object.entries(wireNames)) {
    const value = call[name as keyof LlmCall];
    if (value !== undefined) context[wire] = value;
  }
  return context as LlmContext;
}
