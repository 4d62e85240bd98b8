import { createHash } from 'node:crypto';
import type { LanguageModelV4 } from '@ai-sdk/provider';
import type { Actuators } from '../../src/actuators/actuators.ts';
import type { ObserverLog } from './observer-log.ts';

/**
 * The model, and a line before and after each call.
 *
 * @param fails whether the provider fails now. A call that fails has ended, too.
 */
export function observedModel(
  model: LanguageModelV4,
  log: ObserverLog,
  fails: (provider: string) => boolean = () => false,
): LanguageModelV4 {
  return {
    ...model,
    async doGenerate(options) {
      const user = options.prompt.flatMap(({ role, content }) => (role === 'user' ? content : []));
      const text = user.map((part) => (part.type === 'text' ? part.text : '')).join('');
      const prompt = `sha256:${createHash('sha256').update(text).digest('hex')}`;
      log.write({ what: 'model called', prompt });
      try {
        if (fails(model.provider)) throw new Error(`${model.provider} answered 503`);
        return await model.doGenerate(options);
      } finally {
        log.write({ what: 'model answered', prompt });
      }
    },
  };
}

/** The actuators, and a line before and after each action. */
export function observedActuators(log: ObserverLog): Actuators {
  const observed =
    (what: 'action' | 'undo'): Actuators['execute'] =>
    async (tenantId, { action_id: actionId }) => {
      log.write({ what: `${what} begun`, tenantId, actionId });
      await new Promise(setImmediate);
      log.write({ what: `${what} done`, tenantId, actionId });
      return { reference: `${what}-${actionId}` };
    };
  return { execute: observed('action'), undo: observed('undo') };
}

/** Providers that fail for some calls in a row, and then work again. */
export function failing(random: () => number): () => boolean {
  let left = 0;
  return () => {
    if (left === 0 && random() < 0.05) left = 1 + Math.floor(random() * 6);
    if (left === 0) return false;
    left -= 1;
    return true;
  };
}
