import type { OpenIntent, OpenIntentPage, OpenIntentState } from '@tallystick/protocol';
import { defaultPageSize, itemsOf } from '../pages.ts';
import type { CallOptions, Sender } from '../sender.ts';
import type { PageQuery } from './tenants.ts';

/** Which actions of agents. */
export interface OpenIntentQuery {
  /** @defaultValue every tenant of the API key */
  readonly tenant_id?: string | undefined;
  readonly state?: OpenIntentState | undefined;
  /** The agent. */
  readonly actor_id?: string | undefined;
  /** The tool or the action. */
  readonly action?: string | undefined;
  /** Only actions whose record was chained at least so many seconds ago. */
  readonly min_age_seconds?: number | undefined;
}

/** Actions of agents of which the chains have the intent or the end, and not both. */
export interface OpenIntentsResource {
  /** In the order of their deadlines. */
  list(query?: OpenIntentQuery & PageQuery, options?: CallOptions): Promise<OpenIntentPage>;
  listAll(query?: OpenIntentQuery, options?: CallOptions): AsyncIterable<OpenIntent>;
}

export function openIntentsResource(sender: Sender): OpenIntentsResource {
  const list: OpenIntentsResource['list'] = async (query = {}, { signal } = {}) =>
    await sender.json({ path: 'v1/audit/open-intents', query: { ...query }, signal });
  return {
    list,
    listAll: (query = {}, options = {}) =>
      itemsOf(
        (cursor) => list({ ...query, limit: defaultPageSize, cursor }, options),
        ({ open_intents }) => open_intents,
      ),
  };
}
