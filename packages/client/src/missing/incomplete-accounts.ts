import type { DeadLetterInfo, OpenIntent, ProducerAccount, ProducerPage } from '@tallystick/protocol';
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
 * What the accounts of a service say that the trail of a tenant lacks: producers, dead letters and actions of agents. Five requests.
 *
 * @param limit most items of each list, 1 to 1000
 */
export async function incompleteAccounts(
  client: Client,
  { tenant_id, limit }: { readonly tenant_id: string; readonly limit: number },
  options: CallOptions = {},
): Promise<IncompleteAccounts> {
  const query = { tenant_id, limit };
  const [open, unclosed, letters, unresolved, unexplained] = await Promise.all([
    client.producers.list({ ...query, state: 'open' }, options),
    client.producers.list({ ...query, state: 'unclosed' }, options),
    client.deadLetters.list(query, options),
    client.openIntents.list({ ...query, state: 'unresolved' }, options),
    client.openIntents.list({ ...query, state: 'unexplained' }, options),
  ]);
  const accounts = ({ producers, next_cursor }: ProducerPage) => ({
    found: producers,
    more: next_cursor !== undefined,
  });
  return {
    gaps: accounts(open),
    // The service lists producers that may end without notice only if it is asked for all.
    unclosed: accounts(unclosed),
    refused: { found: letters.dead_letters, more: letters.next_cursor !== undefined },
    actions: {
      found: [...unresolved.open_intents, ...unexplained.open_intents],
      more: [unresolved, unexplained].some(({ next_cursor }) => next_cursor !== undefined),
    },
  };
}
