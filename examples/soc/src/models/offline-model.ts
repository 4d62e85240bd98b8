import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4GenerateResult,
} from '@ai-sdk/provider';
import { judgeEvidence } from './offline-rules.ts';

/** A usual rule of thumb for English text. */
const charactersPerToken = 4;

export function estimateTokens(text: string): number {
  return Math.ceil(text.length / charactersPerToken);
}

/**
 * A model without a network: it answers from the text that it is sent, by the written rules in `offline-rules.ts`. The same text always
 * gets the same answer. It is labelled `offline` everywhere, so that nobody takes its answers for those of a language model.
 */
export function offlineModel(provider: string, modelId: string): LanguageModelV4 {
  return {
    specificationVersion: 'v4',
    provider,
    modelId,
    supportedUrls: {},
    async doGenerate(options) {
      options.abortSignal?.throwIfAborted();
      return answer(options);
    },
    async doStream() {
      throw new Error('the offline model does not stream');
    },
  };
}

function answer({ prompt }: LanguageModelV4CallOptions): LanguageModelV4GenerateResult {
  let system = '';
  let user = '';
  for (const message of prompt) {
    if (message.role === 'system') system += message.content;
    if (message.role === 'user') {
      for (const part of message.content) if (part.type === 'text') user += part.text;
    }
  }
  const text = JSON.stringify(judgeEvidence(user));
  const inputTokens = estimateTokens(system + user);
  const outputTokens = estimateTokens(text);
  return {
    content: [{ type: 'text', text }],
    finishReason: { unified: 'stop', raw: 'stop' },
    usage: {
      inputTokens: { total: inputTokens, noCache: inputTokens, cacheRead: 0, cacheWrite: 0 },
      outputTokens: { total: outputTokens, text: outputTokens, reasoning: 0 },
    },
    warnings: [],
  };
}
