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
