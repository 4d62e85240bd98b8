import type { LanguageModelV4 } from '@ai-sdk/provider';
import type { ModelCall } from '../../src/platform/reasoning.ts';
import { newLineage } from '../platform-parts.ts';

export function modelCall(change: Partial<ModelCall> = {}): ModelCall {
  return {
    lineage: newLineage(),
    task: 'alert.classify',
    templateVersion: '1',
    system: 'Judge.',
    user: 'failed password',
    severity: 'medium',
    tenantTier: 'premium',
    contextTokens: 10,
    needsReasoning: false,
    ...change,
  };
}

/** Whether a provider works, by its name. A test changes it at any time. */
export type ProviderStates = Record<string, 'works' | 'fails' | 'hangs'>;

/** A model whose provider fails or hangs when the test says so. */
export function controlled(states: ProviderStates): (model: LanguageModelV4) => LanguageModelV4 {
  return (model) => ({
    ...model,
    doGenerate: async (options) => {
      if (states[model.provider] === 'fails') throw new Error(`${model.provider} answered 503`);
      if (states[model.provider] === 'hangs') return new Promise(() => {});
      return model.doGenerate(options);
    },
  });
}
