import type { Client } from '@tallystick/client';
import type { ProducerAccount, ProducerState } from '@tallystick/protocol';
import type { ItemPage } from '../elements/tables/paged-table.tsx';

/** The order of the list: what is missing first, then what may be, then the rest. */
const order: { readonly incomplete: readonly ProducerState[]; readonly all: readonly ProducerState[] } = {
  incomplete: ['open', 'unclosed'],
  all: ['open', 'unclosed', 'running', 'closed'],
};
const pageSize = 100;

/**
 * A page of the accounts of producers, those with gaps first. The service lists accounts in an order that does not change, so each state is
 * read as a list of its own.
 *
 * @param cursor of the page before: the state that it ended in, a space, and the service's cursor there
 */
export async function producersByState(
  client: Client,
  { tenant, all }: { readonly tenant: string; readonly all: boolean },
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<ItemPage<ProducerAccount>> {
  const states = all ? order.all : order.incomplete;
  const [begin = states[0]!, after = ''] = (cursor?.split(' ') ?? []) as [ProducerState?, string?];
  const from = states.indexOf(begin);
  const items: ProducerAccount[] = [];
  for (const state of states.slice(from)) {
    const query = {
      ...{ tenant_id: tenant, state, limit: pageSize },
      ...(all && { all }),
      ...(state === begin && after !== '' && { cursor: after }),
    };
    const { producers, next_cursor } = await client.producers.list(query, { signal });
    items.push(...producers);
    if (next_cursor !== undefined) return { items, cursor: `${state} ${next_cursor}` };
    const next = states[states.indexOf(state) + 1];
    if (items.length >= pageSize && next !== undefined) return { items, cursor: `${next} ` };
  }
  return { items };
}
