import type { EventFilters, TopEvent, TopEvents } from '@tallystick/protocol';
import { filterParametersOf } from '../filter-parameters.ts';
import type { CallOptions, Sender } from '../sender.ts';

/** Which events to rank, and by what. */
export interface TopQuery {
  /** Needed where the API key is valid for several tenants. */
  readonly tenant_id?: string | undefined;
  /** As of a list of events. */
  readonly filters?: EventFilters | undefined;
  /** As of a list of events: a search of their texts. */
  readonly q?: string | undefined;
  /** `timestamp`, or the path of a number below `context`, `metadata`, `outcome` or `decision`: `context.llm_cost_usd`. */
  readonly by: string;
  /** Most events, 1 to 50. @defaultValue 10 */
  readonly limit?: number | undefined;
  /** Whether to rank the service's bookkeeping (`audit.read`, `audit.accounts_changed`). @defaultValue false */
  readonly include_reads?: boolean | undefined;
}

const standardLimit = 10;

/** The methods `top` and `topAll` of the events. */
export function topEvents(sender: Sender) {
  const top = async (
    { filters, ...rest }: TopQuery & { readonly cursor?: string | undefined },
    { signal }: CallOptions = {},
  ): Promise<TopEvents> =>
    await sender.json({
      path: 'v1/audit/events/top',
      query: { ...filterParametersOf(filters), ...rest },
      signal,
    });
  const topAll = async (query: TopQuery, options: CallOptions = {}): Promise<TopEvents> => {
    let best = await top(query, options);
    for (let cursor = best.next_cursor; cursor !== undefined; cursor = best.next_cursor) {
      const older = await top({ ...query, cursor }, options);
      if (older.next_cursor === cursor) throw sender.invalid('sent the same cursor twice');
      best = {
        ...older,
        records: best.records + older.records,
        events: [...best.events, ...older.events].toSorted(byValue).slice(0, query.limit ?? standardLimit),
      };
    }
    return best;
  };
  return { top, topAll };
}

/** The greatest value first. Events with the same value keep their order: the newer answer is before the older one. */
function byValue({ value: a }: TopEvent, { value: b }: TopEvent): number {
  return rankOf(b) - rankOf(a);
}

function rankOf(value: number | string): number {
  return typeof value === 'number' ? value : Date.parse(value);
}
