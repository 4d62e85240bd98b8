import { z } from 'zod';
import type { DurableStore } from '../../platform/durable/store.ts';
import type { Reasoner, Reasoning, ReasoningRequest } from '../../platform/reasoning.ts';
import type { CallClient } from './call-client.ts';
import type { Calls } from './call-server.ts';
import { modelForm } from './forms.ts';
import { KeptAnswers } from './kept-answers.ts';

/** Two providers of the router may use their whole time, one after the other. */
const timeoutMs = 120_000;

const requestForm = z.object({
  ...modelForm,
  instructions: z.string(),
  evidence: z.array(z.object({ ref: z.string(), text: z.string() })),
}) satisfies z.ZodType<ReasoningRequest>;

/**
 * The context gateway, for services in other processes. A request that comes again, because the caller was killed before it could use the
 * answer, gets the same answer, and no second call of a model.
 */
export function reasonerCalls(
  reasoner: Reasoner,
  store: DurableStore,
): { readonly calls: Calls; readonly busy: () => number } {
  // A provider that does not answer now, and a budget that is used up, may be there again later.
  const answers = new KeptAnswers<Reasoning>(
    store,
    ({ status }) => status === 'answered' || status === 'quarantined',
  );
  const calls: Calls = {
    reason: async (argument) => {
      const request = requestForm.parse(argument);
      return answers.of(request, () => reasoner.reason(request));
    },
  };
  return { calls, busy: () => answers.open };
}

/** The context gateway in another process. Calls throw `Unavailable` while that process can't be reached. */
export function remoteReasoner(gateway: CallClient): Reasoner {
  return { reason: async (request) => (await gateway.call('reason', request, timeoutMs)) as Reasoning };
}
