import { z } from 'zod';
import type { ModelAnswer, ModelCall, ModelRouter } from '../../platform/reasoning.ts';
import type { Units } from '../../platform/unit-of-work.ts';
import type { CallClient } from './call-client.ts';
import type { Calls } from './call-server.ts';
import { modelForm, nameForm } from './forms.ts';

/** Two providers may use their whole time, one after the other. */
const timeoutMs = 100_000;

const callForm = z.object({
  ...modelForm,
  templateVersion: nameForm,
  system: z.string(),
  user: z.string(),
  contextTokens: z.number().min(0),
}) satisfies z.ZodType<ModelCall>;

/** The LLM router, for the context gateway in another process. Each call is a call of a model. */
export function routerCalls(router: ModelRouter, units: Units): Calls {
  return {
    complete: (argument) => {
      const call = callForm.parse(argument);
      return units.run(() => router.complete(call));
    },
    spentUsd: (argument) => router.spentUsd(nameForm.parse(argument)),
  };
}

/** The LLM router in another process. Calls throw `Unavailable` while that process can't be reached. */
export function remoteRouter(router: CallClient): ModelRouter {
  return {
    complete: async (call) => (await router.call('complete', call, timeoutMs)) as ModelAnswer,
    spentUsd: async (tenantId) => (await router.call('spentUsd', tenantId, 10_000)) as number,
  };
}
