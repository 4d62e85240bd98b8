import { type EventFilters, facetValue, type Grouping, timeFacetValue } from '@tallystick/event';
import type { EventView, StatsGrouping } from '@tallystick/protocol';
import { scanBudget } from '../scan-budget.ts';
import type { Trail } from '../trail.ts';
import { toView, type ViewOptions } from '../view.ts';
import { type GroupKey, groupingOf, groupOf } from './counted.ts';

export interface ListedRequest {
  readonly filters: EventFilters;
  /** What the texts of the records must have. */
  readonly q?: string | undefined;
  readonly groupings: readonly Grouping[];
  /** Most groups of fields in a grouping. */
  readonly limit: number;
  readonly view: ViewOptions;
  readonly includeReads: boolean;
  /** Cursor of the list. */
  readonly after: string | undefined;
  /** Records that are read. @defaultValue 5000 */
  readonly records?: number | undefined;
}

export interface Listed {
  readonly records: number;
  readonly groupings: readonly StatsGrouping[];
  /** Cursor of the list, where there may be more. */
  readonly next: string | undefined;
}

const pageSize = 1_000;

/** Counts by listing the records, the newest first: for filters and searches that the hourly counts can't answer. */
export async function countListed(trail: Trail, tenantId: string, request: ListedRequest): Promise<Listed> {
  const { filters, q, groupings, view, includeReads, records: budget = 5_000 } = request;
  const tallies = groupings.map((grouping) => new Tally(grouping));
  let records = 0;
  let left = budget;
  let { characters } = scanBudget();
  let cursor = request.after;
  do {
    const limit = Math.min(pageSize, left);
    const page = await trail.rows({ tenantId, filters, q, limit, cursor, includeReads }, view);
    for (const row of page.rows) {
      characters -= row.record?.length ?? 0;
      const event = toView(tenantId, row, view);
      if (event.redacted === true || event.damaged === true) continue;
      records++;
      for (const tally of tallies) tally.add(event);
    }
    left -= page.rows.length;
    cursor = page.nextCursor;
    if (page.isCut) break;
  } while (cursor !== undefined && left > 0 && characters > 0);
  return { records, groupings: tallies.map((tally) => tally.result(request.limit, records)), next: cursor };
}

/** The groups of one grouping. */
class Tally {
  readonly #grouping: Grouping;
  readonly #groups = new Map<
    string,
    { readonly key: GroupKey; readonly ofFields: string; records: number }
  >();
  /** Records by the values of the fields alone. */
  readonly #ofFields = new Map<string, number>();

  constructor(grouping: Grouping) {
    this.#grouping = grouping;
  }

  add(event: EventView): void {
    const { fields, time } = this.#grouping;
    const key: GroupKey = {
      fields: fields.map((name) => facetValue(event, name)),
      time: time === undefined ? null : timeFacetValue(event, time),
    };
    const ofFields = JSON.stringify(key.fields);
    const id = `${ofFields}${key.time}`;
    const group = this.#groups.get(id) ?? { key, ofFields, records: 0 };
    group.records++;
    this.#groups.set(id, group);
    this.#ofFields.set(ofFields, (this.#ofFields.get(ofFields) ?? 0) + 1);
  }

  result(limit: number, records: number): StatsGrouping {
    const ranked = [...this.#ofFields].sort(([a, ofA], [b, ofB]) => ofB - ofA || (a < b ? -1 : 1));
    const place = new Map(ranked.slice(0, limit).map(([ofFields], at) => [ofFields, at]));
    const shown = [...this.#groups.values()]
      .filter(({ ofFields }) => place.has(ofFields))
      .sort(
        (a, b) =>
          place.get(a.ofFields)! - place.get(b.ofFields)! ||
          (String(a.key.time) < String(b.key.time) ? -1 : 1),
      )
      .map(({ key, records: own }) => groupOf(this.#grouping, key, own));
    return groupingOf(this.#grouping, shown, { groups: this.#groups.size, records });
  }
}
