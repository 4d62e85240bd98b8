import type { Clock } from '@tallystick/sdk';
import { generateText } from 'ai';
import type { CatalogedModel } from '../models/model-catalog.ts';
import type { ModelCall, ModelUsage } from '../platform/reasoning.ts';

export interface ProviderAnswer {
  readonly text: string;
  readonly usage: ModelUsage;
}

/**
 * Calls one model once, through the AI SDK.
 *
 * @throws whatever the provider throws, or an error after `timeoutMs`
 */
export async function callProvider(
  { model, extendedThinking }: Pick<CatalogedModel, 'model' | 'extendedThinking'>,
  { system, user }: ModelCall,
  timeoutMs: number,
  clock: Clock,
): Promise<ProviderAnswer> {
  const controller = new AbortController();
  let cancelTimer: () => void = () => undefined;
  const timedOut = new Promise<never>((_, reject) => {
    cancelTimer = clock.schedule(
      timeoutMs,
      () => {
        const error = new Error(`no answer within ${timeoutMs} ms`);
        controller.abort(error);
        // The provider may ignore the signal.
        reject(error);
      },
      true,
    );
  });
  // The router fails over by itself, so the AI SDK must not try again.
  const generated = generateText({
    model,
    system,
    prompt: user,
    maxRetries: 0,
    ...(extendedThinking && { reasoning: 'high' as const }),
    abortSignal: controller.signal,
  });
  try {
    const { text, usage } = await Promise.race([generated, timedOut]);
    return {
      text,
      usage: {
        inputTokens: usage.inputTokens ?? 0,
        outputTokens: usage.outputTokens ?? 0,
        cacheReadTokens: usage.inputTokenDetails.cacheReadTokens ?? 0,
        cacheWriteTokens: usage.inputTokenDetails.cacheWriteTokens ?? 0,
      },
    };
  } finally {
    cancelTimer();
  }
}
