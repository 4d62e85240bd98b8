import {
  type EventFilters,
  type EventPage,
  type EventView,
  type ItemResult,
  preferChained,
  type ReceivedDelivery,
  type TopEvents,
} from '@tallystick/protocol';
import { chunksOf } from '../body.ts';
import { ClientError } from '../errors.ts';
import { readMessages, type StreamState } from '../event-stream.ts';
import { filterParametersOf } from '../filter-parameters.ts';
import { defaultPageSize, itemsOf } from '../pages.ts';
import { pause } from '../retry.ts';
import type { CallOptions, Sender } from '../sender.ts';
import { type ExportPart, type ExportQuery, exportEvents } from './event-export.ts';
import { type EvidencePart, type EvidenceQuery, exportEvidence } from './evidence-export.ts';
import { type TopQuery, topEvents } from './top-events.ts';

/** Which events of a tenant. */
export interface EventQuery {
  /** Needed where the API key is valid for several tenants. */
  readonly tenant_id?: string | undefined;
  /**
   * What events must match; `event_type: 'alert.*'` matches a prefix. A list of values means any of them, and `not` holds what events
   * must not match. A member is named by its path: `'metadata.platform': 'web'`.
   */
  readonly filters?: EventFilters | undefined;
  /**
   * A search of the texts of events: words, `"phrases"`, `begin*`, `field:value`, IP addresses and ranges; `-` before a part leaves its
   * events out. All parts must match, unless `OR` divides them; parentheses group parts: `a (b OR -c)`.
   */
  readonly q?: string | undefined;
  /** Order of the records in the chain. @defaultValue 'desc', the newest first */
  readonly order?: 'asc' | 'desc' | undefined;
  /** `record` adds to each event the text that was hashed. */
  readonly include?: 'record' | undefined;
  /**
   * Whether to list records that the trail was read (`audit.read`) and that the accounts of producers changed
   * (`audit.accounts_changed`) too.
   * @defaultValue false, unless a filter names their type
   */
  readonly include_reads?: boolean | undefined;
}

/** One page of a list of events. */
export interface EventPageQuery extends EventQuery {
  /** Events of the page, 1 to 1000. @defaultValue 50 */
  readonly limit?: number | undefined;
  /** `next_cursor` of the page before. */
  readonly cursor?: string | undefined;
  /**
   * Adds the bytes of each event and the page's `evidence`, which `verifyPage` of `@tallystick/verify` judges. A page then has at most 200
   * events.
   * @defaultValue false
   */
  readonly verify?: boolean | undefined;
}

/** Which events to follow. */
export interface FollowQuery {
  readonly tenant_id?: string | undefined;
  /**
   * What events must match; `event_type: 'alert.*'` matches a prefix. A list of values means any of them, and `not` holds what events
   * must not match. A member is named by its path: `'metadata.platform': 'web'`.
   */
  readonly filters?: EventFilters | undefined;
  /** Begin with this record of the current epoch. @defaultValue the next one that is chained */
  readonly sequence_from?: number | undefined;
  /** Begin with the first record that was chained at this time or later, RFC 3339 in UTC. */
  readonly since?: string | undefined;
  /** As of {@link EventQuery}. */
  readonly q?: string | undefined;
  /** As of {@link EventQuery}. */
  readonly include_reads?: boolean | undefined;
}

/** An event of a stream. */
export interface FollowedEvent {
  /** Names the event in the stream, `<epoch>-<sequence_number>`; pass it as `lastEventId` to go on after it. */
  readonly id: string | undefined;
  readonly event: EventView;
}

/** Events of the trail, and the way in for new ones. */
export interface EventsResource {
  /** One page of a tenant's events. */
  list(query?: EventPageQuery, options?: CallOptions): Promise<EventPage>;
  /**
   * One page of the events that a search finds: {@link list} with `q`.
   *
   * @throws {ClientError} `PARAMETER_INVALID` for a text that is not a search. The message names the place of the fault
   */
  search(q: string, query?: Omit<EventPageQuery, 'q'>, options?: CallOptions): Promise<EventPage>;
  /** The events with the greatest values, as far as the budget of one request goes. */
  top(query: TopQuery & { readonly cursor?: string | undefined }, options?: CallOptions): Promise<TopEvents>;
  /** The events with the greatest values of all that match, with as many requests as it takes. */
  topAll(query: TopQuery, options?: CallOptions): Promise<TopEvents>;
  /** All events that match, page by page as they are read. */
  listAll(query?: EventQuery, options?: CallOptions): AsyncIterable<EventView>;
  /**
   * All events that match as lines of CSV or JSON, oldest first, as they arrive. A connection that breaks is opened again, and the export
   * goes on after the last whole line.
   *
   * @throws {ClientError} where the service refuses the export, or can't be reached after the retries
   */
  export(query?: ExportQuery, options?: CallOptions): AsyncIterable<ExportPart>;
  /**
   * The records of all events that match, oldest first, with one proof that a signed tree contains them, as they arrive. A connection that
   * breaks is opened again.
   *
   * @throws {ClientError} as of {@link export}
   */
  exportEvidence(query?: EvidenceQuery, options?: CallOptions): AsyncIterable<EvidencePart>;
  /** @throws {ClientError} `NOT_FOUND` */
  get(
    auditId: string,
    query?: Pick<EventQuery, 'tenant_id' | 'include'>,
    options?: CallOptions,
  ): Promise<EventView>;
  /**
   * Events as they are chained, until the signal aborts; the iteration then ends without an error. A connection that
   * breaks is opened again and continues after the last event, so no event is missed and none is repeated.
   *
   * @throws {ClientError} where the service refuses the stream, or can't be reached after the retries
   */
  follow(
    query?: FollowQuery,
    options?: CallOptions & { readonly lastEventId?: string | undefined },
  ): AsyncIterable<FollowedEvent>;
  /**
   * Submits events and returns one result per event, in their order. It is safe to repeat: an event whose `audit_id` is
   * in the chain already is a `duplicate`. Applications that must not lose events use `@tallystick/sdk`, which buffers
   * and spools them.
   *
   * @param events objects, or the JSON text of an event, which is sent as it is
   */
  submit(
    events: readonly (string | object)[],
    options?: CallOptions & {
      readonly delivery?: ReceivedDelivery | undefined;
      /**
       * A value of your own, unique to these events. The service then fills a missing `audit_id` and `timestamp`, and uses the same
       * ones if the same events are sent with the same key within seven days.
       */
      readonly idempotencyKey?: string | undefined;
      /**
       * Whether a service with a queue in front of the chain should chain the events before it answers. An older service does not: the
       * results say what was done.
       *
       * @defaultValue false
       */
      readonly chained?: boolean | undefined;
    },
  ): Promise<readonly ItemResult[]>;
}

/** Pause before a broken stream is opened again, ms, where the service names none. */
const reconnectMs = 1_000;

export function eventsResource(sender: Sender): EventsResource {
  const list: EventsResource['list'] = async (query = {}, { signal } = {}) => {
    const { filters, ...rest } = query;
    return await sender.json({
      path: 'v1/audit/events',
      query: { ...filterParametersOf(filters), ...rest },
      signal,
    });
  };
  return {
    list,
    search: (q, query = {}, options = {}) => list({ ...query, q }, options),
    listAll: (query = {}, options = {}) =>
      itemsOf(
        (cursor) => list({ ...query, limit: defaultPageSize, cursor }, options),
        ({ events }) => events,
      ),
    ...topEvents(sender),
    export: (query = {}, options = {}) => exportEvents(sender, query, options),
    exportEvidence: (query = {}, options = {}) => exportEvidence(sender, query, options),
    get: async (auditId, query = {}, { signal } = {}) =>
      await sender.json({
        path: `v1/audit/events/${encodeURIComponent(auditId)}`,
        query: { ...query },
        signal,
      }),
    follow: (query = {}, options = {}) => follow(sender, query, options),
    submit: async (events, { delivery, idempotencyKey, chained, signal } = {}) => {
      // Joined as texts: parsing and writing them again would change numbers that a double can't hold.
      const texts = events.map((event) => (typeof event === 'string' ? event : JSON.stringify(event)));
      const deliveryMember = delivery === undefined ? '' : `"delivery":${JSON.stringify(delivery)},`;
      const { results } = await sender.json<{ results?: unknown }>({
        method: 'POST',
        path: 'v1/audit/events/batch',
        body: `{${deliveryMember}"events":[${texts.join(',')}]}`,
        // An event is known by its `audit_id`: sent twice, it is chained once.
        idempotent: true,
        headers: {
          ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
          ...(chained === true && preferChained),
        },
        signal,
      });
      if (!Array.isArray(results) || results.length !== events.length)
        throw sender.invalid('did not answer with one result per event');
      return results.map(({ index: _, ...result }: ItemResult & { index?: number }) => result as ItemResult);
    },
  };
}

async function* follow(
  sender: Sender,
  { filters, ...query }: FollowQuery,
  { signal, lastEventId }: CallOptions & { readonly lastEventId?: string | undefined },
): AsyncGenerator<FollowedEvent> {
  const state: StreamState = { lastEventId, reconnectMs };
  const isAborted = () => signal?.aborted === true;
  while (!isAborted()) {
    const headers = {
      accept: 'text/event-stream',
      ...(state.lastEventId !== undefined && { 'last-event-id': state.lastEventId }),
    };
    const request = {
      path: 'v1/audit/events/stream',
      query: { ...filterParametersOf(filters), ...query },
      headers,
      signal,
    };
    try {
      const body = chunksOf(await sender.send(request, (response) => response));
      for await (const { id, data } of readMessages(body, state))
        yield { id, event: sender.parse<EventView>(data) };
    } catch (error) {
      if (isAborted()) return;
      if (error instanceof ClientError) throw error;
      if (error instanceof RangeError)
        throw sender.invalid('sent a message that is too long', { cause: error });
    }
    await pause(state.reconnectMs, signal).catch(() => {});
  }
}
