import type { EventFilters } from '@tallystick/event';
import type { TopEvent, TopEvents } from '@tallystick/protocol';
import * as z from 'zod';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { leavesOutReads } from './filters.ts';
import type { Ranking } from './ranking.ts';
import { scanBudget } from './scan-budget.ts';
import { maxListLimit, type Trail } from './trail.ts';
import { toView } from './view.ts';

/** Which events to rank, and by what. */
export interface TopQuery {
  readonly tenantId: string;
  readonly filters?: EventFilters | undefined;
  /** What the texts of the events must have: a search. */
  readonly q?: string | undefined;
  readonly ranking: Ranking;
  /** Most events. */
  readonly limit: number;
  /** `next_cursor` of the answer before. */
  readonly cursor?: string | undefined;
  /** Whether records of reads are ranked where no filter names their type. @defaultValue false */
  readonly includeReads?: boolean | undefined;
}

const placeSchema = z.tuple([z.string().max(512)]);

/** Events that one request reads. */
const maxRead = 5_000;

/**
 * The events with the greatest values. No index has the order of these values, so the events that match are read, the newest first and up
 * to a bound. What is beyond it comes with the next cursor. Events with the same value keep this order.
 *
 * @param options.read events that one request reads. @defaultValue 5000
 * @throws {ServerError} `PARAMETER_INVALID` for a text that is not a search, or a cursor of another request
 */
export async function topEvents(
  trail: Trail,
  query: TopQuery,
  { sensitive, read = maxRead }: { readonly sensitive: boolean; readonly read?: number | undefined },
): Promise<TopEvents> {
  const { tenantId, filters = {}, q, ranking, limit, includeReads = false } = query;
  const leaveOutReads = leavesOutReads(filters, includeReads);
  const request = ['top', tenantId, filters, { q }, ranking.name, limit, leaveOutReads, sensitive];
  let cursor = query.cursor === undefined ? undefined : decodeCursor(query.cursor, request, placeSchema)[0];
  const ranked = new Ranked(limit);
  let left = read;
  let { characters } = scanBudget();
  do {
    const list = { tenantId, filters, q, limit: Math.min(maxListLimit, left), cursor, includeReads };
    const page = await trail.rows(list, { sensitive });
    for (const row of page.rows) {
      characters -= row.record?.length ?? 0;
      const event = toView(tenantId, row, { sensitive });
      // Such an event does not show its values, or has none.
      if (event.redacted === true || event.damaged === true) continue;
      const value = ranking.valueOf(event);
      if (value !== undefined) ranked.add({ value: value.value, event }, value.rank);
    }
    left -= page.rows.length;
    cursor = page.nextCursor;
    if (page.isCut) break;
  } while (cursor !== undefined && left > 0 && characters > 0);
  return {
    tenant_id: tenantId,
    by: ranking.name,
    records: ranked.seen,
    events: ranked.events,
    complete: cursor === undefined,
    ...(cursor !== undefined && { next_cursor: encodeCursor(request, [cursor]) }),
    reads_left_out: leaveOutReads,
    sensitive_left_out: !sensitive,
  };
}

/** The first events by their rank. It holds no more than it shows. */
class Ranked {
  readonly #limit: number;
  /** The greatest rank first. */
  readonly #places: { readonly entry: TopEvent; readonly rank: number }[] = [];
  seen = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(entry: TopEvent, rank: number): void {
    this.seen++;
    const after = this.#places.findLastIndex((place) => place.rank >= rank);
    this.#places.splice(after + 1, 0, { entry, rank });
    if (this.#places.length > this.#limit) this.#places.pop();
  }

  get events(): readonly TopEvent[] {
    return this.#places.map(({ entry }) => entry);
  }
}
