/** Events that producers numbered and that the service does not have: they belong to no record, so only the accounts show them. */
import type { Client } from '@tallystick/client';
import type { ProducerAccount } from '@tallystick/protocol';
import { withVisibleDirections } from './directions.ts';

/** Accounts that are read. */
const accountsRead = 100;
/** Characters of the name of a service that a sentence shows. */
const nameLength = 24;

/** The accounts with gaps, and whether there are more that were not read. */
export interface Gaps {
  readonly accounts: readonly ProducerAccount[];
  readonly more: boolean;
}

export async function gapsOf(client: Client, tenant: string, signal: AbortSignal): Promise<Gaps> {
  const { producers, next_cursor } = await client.producers.list(
    { tenant_id: tenant, state: 'open', limit: accountsRead },
    { signal },
  );
  return { accounts: producers, more: next_cursor !== undefined };
}

/**
 * The gaps of producers that sent something in a time. A missing event has no time of its own, so this is as exact as it can be.
 *
 * @param from,to in ms; absent: without this end
 */
export function gapsIn(
  { accounts, more }: Gaps,
  {
    from = Number.NEGATIVE_INFINITY,
    to = Number.POSITIVE_INFINITY,
  }: { readonly from?: number | undefined; readonly to?: number | undefined },
): Gaps {
  const sent = accounts.filter(
    ({ first_seen_at, last_seen_at }) => Date.parse(first_seen_at) < to && Date.parse(last_seen_at) >= from,
  );
  return { accounts: sent, more };
}

/**
 * How many events are missing, and of which services: `3 events of turnstiles, mail and others have not arrived`.
 *
 * @param named the services that it names
 */
export function missingEventsText({ accounts, more }: Gaps, named = 2): string {
  const count = accounts.reduce((sum, { open_numbers }) => sum + open_numbers, 0);
  const services = [...new Set(accounts.map(({ service }) => service ?? 'an unnamed producer'))];
  const names = services.slice(0, named).map(nameText);
  if (more || services.length > named) names.push('others');
  const last = names.pop();
  const list = names.length === 0 ? last : `${names.join(', ')} and ${last}`;
  const events =
    count === 1 && !more ? '1 event' : `${count.toLocaleString()}${more ? ' or more' : ''} events`;
  return `${events} of ${list} ${count === 1 && !more ? 'has' : 'have'} not arrived`;
}

/**
 * A producer chose its name. The two characters around it keep its direction of writing from the rest of the sentence, as `bdi` does. Such
 * characters of its own, which could end that, are shown as escapes.
 */
function nameText(name: string): string {
  const shown = name.length > nameLength ? `${name.slice(0, nameLength)}…` : name;
  return `\u2068${withVisibleDirections(shown)}\u2069`;
}
