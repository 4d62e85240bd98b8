import { createHash } from 'node:crypto';
import type { LanguageModelV4 } from '@ai-sdk/provider';
import type { Actuators } from '../../src/actuators/actuators.ts';
import type { ObserverLog } from './observer-log.ts';

/** The model, and a line before and after each call. Each call takes a turn of the event loop, so that a kill can hit it. */
export function observedModel(model: LanguageModelV4, log: ObserverLog): LanguageModelV4 {
  return {
    ...model,
    async doGenerate(options) {
      const user = options.prompt.flatMap(({ role, content }) => (role === 'user' ? content : []));
      const text = user.map((part) => (part.type === 'text' ? part.text : '')).join('');
      const prompt = `sha256:${createHash('sha256').update(text).digest('hex')}`;
      log.write({ what: 'model called', prompt });
      const result = await model.doGenerate(options);
      log.write({ what: 'model answered', prompt });
      return result;
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
