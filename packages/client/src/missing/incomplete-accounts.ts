import type { DeadLetterInfo, OpenIntent, ProducerAccount } from '@tallystick/protocol';
import type { Client } from '../client.ts';
import type { CallOptions } from '../sender.ts';

/** What was found, and whether there is more that was not read. */
export interface Found<T> {
  readonly found: readonly T[];
  readonly more: boolean;
}

/** What the accounts of a service say that its trail lacks. */
export interface IncompleteAccounts {
  /** Producers with numbers whose outcome is not known. */
  readonly gaps: Found<ProducerAccount>;
  /** Producers that fell silent without their last number. Those whose runtime may end them without notice are not among them. */
  readonly unclosed: Found<ProducerAccount>;
  /** Events that were refused and wait for a decision. */
  readonly refused: Found<DeadLetterInfo>;
  /** Actions of agents whose end or whose intent did not come in time. */
  readonly actions: Found<OpenIntent>;
}

/**
 * What the accounts of a service say that the trail of a tenant lacks: producers, dead letters and actions of agents. Four requests.
 *
 * @param limit most items of each list, 1 to 1000
 */
export async function incompleteAccounts(
  client: Client,
  { tenant_id, limit }: { readonly tenant_id: string; readonly limit: number },
  options: CallOptions = {},
): Promise<IncompleteAccounts> {
  const query = { tenant_id, limit };
  const [producers, letters, unresolved, unexplained] = await Promise.all([
    client.producers.list(query, options),
    client.deadLetters.list(query, options),
    client.openIntents.list({ ...query, state: 'unresolved' }, options),
    client.openIntents.list({ ...query, state: 'unexplained' }, options),
  ]);
  const accounts = (isIt: (account: ProducerAccount) => boolean) => ({
    found: producers.producers.filter(isIt),
    more: producers.next_cursor !== undefined,
  });
  return {
    gaps: accounts(({ state }) => state === 'open'),
    unclosed: accounts(({ state, ephemeral }) => state === 'unclosed' && !ephemeral),
    refused: { found: letters.dead_letters, more: letters.next_cursor !== undefined },
    actions: {
      found: [...unresolved.open_intents, ...unexplained.open_intents],
      more: [unresolved, unexplained].some(({ next_cursor }) => next_cursor !== undefined),
    },
  };
}
