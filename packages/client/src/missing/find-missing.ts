import {
  type EventView,
  type MissingMatter,
  type OpenIntent,
  type Readiness,
  readUnknownCauses,
  type TimelineView,
  textIn,
  type UnknownCause,
} from '@tallystick/protocol';
import type { Client } from '../client.ts';
import { ClientError } from '../errors.ts';
import type { CallOptions } from '../sender.ts';
import { type Found, type IncompleteAccounts, incompleteAccounts } from './incomplete-accounts.ts';

/** Where to look for what is missing. */
export interface MissingQuery {
  readonly tenant_id: string;
  /** Only what concerns this investigation. */
  readonly investigation_id?: string | undefined;
  /** Only losses that were declared, and causes that were named, from this time on, RFC 3339. Accounts have no time. */
  readonly from?: string | undefined;
  /** Most items of each list, 1 to 1000. @defaultValue 100 */
  readonly limit?: number | undefined;
  /** The newest records whose causes are looked up, 1 to 10000. @defaultValue 1000 */
  readonly records?: number | undefined;
}

/** What the trail of a tenant lacks, as far as the service knows. It is what the service says, and proves nothing. */
export interface Missing extends IncompleteAccounts {
  /** The service's records about lost events, contradictions and producers that ended without a word, the newest first. */
  readonly declared: Found<EventView>;
  /** Causes (`parent_id`) that are not in the trail. */
  readonly causes: Found<UnknownCause> & { readonly read: number };
  /** What an investigation's records show to be missing; empty without an investigation. */
  readonly investigation: readonly MissingMatter[];
  /** Actions of agents whose end or intent may still come. */
  readonly pending: Found<OpenIntent>;
  /** Whether the service can chain events, or batches wait in their senders; absent if a proxy does not show it. */
  readonly readiness?: Readiness | undefined;
  /** Age of the oldest record that the list of actions does not take into account yet, seconds. */
  readonly behind_seconds: number;
}

/** Types of the service's records that declare a loss. Refused events are in the list of dead letters until they are settled. */
const lossTypes = ['delivery.gap', 'delivery.unclosed', 'delivery.conflict', 'delivery.contradiction'];

/**
 * What is missing of a tenant's trail, or of one investigation. The number of requests is bounded: what was not read is marked with `more`.
 *
 * @throws {ClientError} `NOT_FOUND` for an investigation without records
 */
export async function findMissing(
  client: Client,
  { tenant_id, investigation_id, from, limit = 100, records = 1_000 }: MissingQuery,
  options: CallOptions = {},
): Promise<Missing> {
  const [accounts, ready, pending] = await Promise.all([
    incompleteAccounts(client, { tenant_id, limit }, options),
    readinessOf(client, options),
    pendingActions(client, { tenant_id, limit }, options),
  ]);
  const common = { ...accounts, ...pending, readiness: ready };
  if (investigation_id !== undefined) {
    const view = await client.timelines.get({ tenant_id, investigation_id, limit: records }, options);
    if (view.records.length === 0)
      throw new ClientError(
        'NOT_FOUND',
        `${tenant_id} has no record of the investigation ${investigation_id}`,
      );
    return { ...common, ...ofInvestigation(view, common) };
  }
  const filters = from === undefined ? {} : { from };
  const losses = await client.events.list(
    { tenant_id, filters: { ...filters, event_type: lossTypes } as never, limit },
    options,
  );
  return {
    ...common,
    declared: {
      // A client may have written others before these types were reserved.
      found: losses.events.filter((event) => event.claimed !== true),
      more: losses.next_cursor !== undefined,
    },
    causes: await unknownCauses(client, { tenant_id, filters, records }, options),
    investigation: [],
  };
}

async function readinessOf(client: Client, options: CallOptions): Promise<Readiness | undefined> {
  try {
    return await client.health.ready(options);
  } catch (error) {
    // A proxy may pass on the API alone.
    if (error instanceof ClientError && error.code !== 'UNREACHABLE') return undefined;
    throw error;
  }
}

async function pendingActions(
  client: Client,
  query: { readonly tenant_id: string; readonly limit: number },
  options: CallOptions,
): Promise<Pick<Missing, 'pending' | 'behind_seconds'>> {
  const pages = await Promise.all(
    (['open', 'early'] as const).map((state) => client.openIntents.list({ ...query, state }, options)),
  );
  return {
    pending: {
      found: pages.flatMap(({ open_intents }) => open_intents),
      more: pages.some(({ next_cursor }) => next_cursor !== undefined),
    },
    behind_seconds: Math.max(...pages.map(({ behind_seconds }) => behind_seconds)),
  };
}

/** What concerns an investigation: what its records show, and the accounts of the producers that wrote them. */
function ofInvestigation(
  { records, summary, outside }: TimelineView,
  { gaps, unclosed, refused }: IncompleteAccounts,
): Omit<Missing, 'readiness' | 'behind_seconds'> {
  const producers = new Set(records.map(({ event }) => textIn(event, 'ingest', 'producer_id')));
  const unknown = new Set(outside.filter(({ event }) => event === undefined).map(({ audit_id }) => audit_id));
  const some = <T>({ found, more }: Found<T>, isIt: (item: T) => boolean) => ({
    found: found.filter(isIt),
    more,
  });
  const none = { found: [], more: false };
  return {
    gaps: some(gaps, ({ producer_id }) => producers.has(producer_id)),
    unclosed: some(unclosed, ({ producer_id }) => producers.has(producer_id)),
    refused: some(refused, ({ audit_id }) => audit_id !== null && unknown.has(audit_id)),
    // The summary says what is missing of actions, causes and deliveries.
    actions: none,
    pending: none,
    declared: none,
    causes: { ...none, read: records.length },
    investigation: summary.missing,
  };
}

async function unknownCauses(
  client: Client,
  {
    tenant_id,
    filters,
    records,
  }: { readonly tenant_id: string; readonly filters: { readonly from?: string }; readonly records: number },
  options: CallOptions,
): Promise<Missing['causes']> {
  return await readUnknownCauses(
    {
      list: (query) => client.events.list({ tenant_id, ...query }, options),
      async get(auditId) {
        try {
          return await client.events.get(auditId, { tenant_id }, options);
        } catch (error) {
          if (error instanceof ClientError && error.code === 'NOT_FOUND') return undefined;
          throw error;
        }
      },
    },
    { filters, records },
  );
}
