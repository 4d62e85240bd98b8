import type { EventFilters, Stats, StatsGroup, StatsGrouping } from '@tallystick/protocol';
import { filterParametersOf } from '../filter-parameters.ts';
import type { CallOptions, Sender } from '../sender.ts';

/** Which events to count, and by what. */
export interface StatsQuery {
  /** Needed where the API key is valid for several tenants. */
  readonly tenant_id?: string | undefined;
  /** As of a list of events. */
  readonly filters?: EventFilters | undefined;
  /** As of a list of events: a search of their texts. */
  readonly q?: string | undefined;
  /**
   * What the counts are divided by, each one or two of the fields with a comma between them: `event_type`, `event_category`, `severity`,
   * `actor`, `actor_type`, `target_type`, `outcome_status`, `source_service`, `hour`, `day`. Up to ten.
   */
  readonly by?: string | readonly string[] | undefined;
  /** Most values of the fields of a grouping, 1 to 1000. @defaultValue 50 */
  readonly limit?: number | undefined;
  /** Whether to count the service's bookkeeping (`audit.read`, `audit.accounts_changed`). @defaultValue false */
  readonly include_reads?: boolean | undefined;
}

/** Counts of events. */
export interface StatsResource {
  /** Counts as far as the budget of one request goes. */
  get(query?: StatsQuery & { readonly cursor?: string | undefined }, options?: CallOptions): Promise<Stats>;
  /**
   * Counts to the end, with as many requests as it takes, and adds the counts. Groups that a part left out may be missing in the sum, and
   * `groups_left_out` then says so.
   */
  getAll(query?: StatsQuery, options?: CallOptions): Promise<Stats>;
}

export function statsResource(sender: Sender): StatsResource {
  const get: StatsResource['get'] = async ({ filters, ...rest } = {}, { signal } = {}) =>
    await sender.json({ path: 'v1/audit/stats', query: { ...filterParametersOf(filters), ...rest }, signal });
  return {
    get,
    getAll: async (query = {}, options = {}) => {
      let sum = await get(query, options);
      for (let cursor = sum.next_cursor; cursor !== undefined; cursor = sum.next_cursor) {
        sum = added(sum, await get({ ...query, cursor }, options));
        if (sum.next_cursor === cursor) throw sender.invalid('sent the same cursor twice');
      }
      return sum;
    },
  };
}

/** The sum of the counts so far and of a further page, which says how to go on. */
function added(sum: Stats, page: Stats): Stats {
  const countedTo = sum.counted_to ?? page.counted_to;
  return {
    ...page,
    records: sum.records + page.records,
    groupings: sum.groupings.map((grouping, at) => addedGrouping(grouping, page.groupings[at] ?? grouping)),
    complete: page.complete && countedTo === undefined,
    ...(countedTo !== undefined && { counted_to: countedTo }),
    ...((sum.estimate ?? page.estimate) === true && { estimate: true }),
  };
}

function addedGrouping(sum: StatsGrouping, page: StatsGrouping): StatsGrouping {
  const groups = new Map<string, StatsGroup>();
  for (const { values, records } of [...sum.groups, ...page.groups]) {
    const id = JSON.stringify(sum.by.map((part) => values[part] ?? null));
    groups.set(id, { values, records: (groups.get(id)?.records ?? 0) + records });
  }
  return {
    by: sum.by,
    groups: inOrder(sum.by, [...groups.values()]),
    // A group may be left out by both parts.
    groups_left_out: Math.max(sum.groups_left_out, page.groups_left_out),
    records_left_out: sum.records_left_out + page.records_left_out,
  };
}

/** As the service orders them: the values with the most records first, and the groups of a value in the order of time. */
function inOrder(by: readonly string[], groups: readonly StatsGroup[]): StatsGroup[] {
  const time = by.find((part) => part === 'hour' || part === 'day');
  const ofFields = ({ values }: StatsGroup) =>
    JSON.stringify(by.filter((part) => part !== time).map((part) => values[part] ?? null));
  const totals = new Map<string, number>();
  for (const group of groups) totals.set(ofFields(group), (totals.get(ofFields(group)) ?? 0) + group.records);
  const timeOf = ({ values }: StatsGroup) => (time === undefined ? '' : (values[time] ?? ''));
  return groups.toSorted((a, b) => {
    const [ofA, ofB] = [ofFields(a), ofFields(b)];
    if (ofA !== ofB) return totals.get(ofB)! - totals.get(ofA)! || (ofA < ofB ? -1 : 1);
    return timeOf(a) < timeOf(b) ? -1 : 1;
  });
}
