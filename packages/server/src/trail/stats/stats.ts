import { randomBytes } from 'node:crypto';
import type { EventFilters, Grouping } from '@tallystick/event';
import type { Stats } from '@tallystick/protocol';
import * as z from 'zod';
import { ServerError } from '../../errors.ts';
import type { Database } from '../../store/database.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { leavesOutReads } from '../filters.ts';
import { readerOf, type Trail } from '../trail.ts';
import type { ViewOptions } from '../view.ts';
import { countListed } from './count-listed.ts';
import { coverageOf } from './coverage.ts';
import { hoursOf, wholeHoursOf } from './hours.ts';
import { countRolledUp, type RolledUp, type StatsLimits } from './rolled-up.ts';
import { type CountsPlace, SealedPlaces } from './sealed-places.ts';

/** Which records to count, and by what. */
export interface StatsQuery {
  readonly tenantId: string;
  readonly filters?: EventFilters | undefined;
  /** What the texts of the records must have: a search. The hourly counts can't answer it. */
  readonly q?: string | undefined;
  readonly groupings: readonly Grouping[];
  /** Most values of the fields of a grouping. @defaultValue 50 */
  readonly limit?: number | undefined;
  /** `next_cursor` of the page before. */
  readonly cursor?: string | undefined;
  /** Whether records of reads are counted where no filter names their type. @defaultValue false */
  readonly includeReads?: boolean | undefined;
}

/** Where a page of counts begins: at a place of the hourly counts, encrypted, or at a cursor of the list of events. */
const placeSchema = z.tuple([z.enum(['counts', 'list']), z.string().max(512)]);

/** Counts the records of a tenant. */
export class TrailStats {
  readonly #database: Database;
  readonly #trail: Trail;
  readonly #limits: StatsLimits & { readonly listed?: number | undefined };
  readonly #places: SealedPlaces;

  /**
   * @param limits how much one request may read
   * @param secret for cursors. @defaultValue a random one: cursors then work with this object alone
   */
  constructor(
    database: Database,
    trail: Trail,
    limits: StatsLimits & { readonly listed?: number | undefined } = {},
    secret: Uint8Array = randomBytes(32),
  ) {
    this.#database = database;
    this.#trail = trail;
    this.#limits = limits;
    this.#places = new SealedPlaces(secret);
  }

  /** @throws {ServerError} `PARAMETER_INVALID` for a text that is not a search, or a cursor of another request */
  async count(query: StatsQuery, view: ViewOptions): Promise<Stats> {
    const { sensitive, within } = view;
    const { tenantId, filters = {}, q, groupings, limit = 50, includeReads = false } = query;
    const leaveOutReads = leavesOutReads(filters, includeReads);
    const request = [
      'stats',
      tenantId,
      filters,
      groupings,
      limit,
      leaveOutReads,
      sensitive,
      ...(q === undefined ? [] : [{ q }]),
      ...(within === undefined ? [] : [{ within }]),
    ];
    const [kind, text] = query.cursor === undefined ? [] : decodeCursor(query.cursor, request, placeSchema);
    const after = kind === 'counts' ? this.#placeOf(text!, request) : undefined;
    const answer = {
      tenant_id: tenantId,
      reads_left_out: leaveOutReads,
      sensitive_left_out: !sensitive,
      time_zone: 'UTC',
    } as const;
    // The hourly counts have the records of all readers: they can't answer a reader of a part of the trail.
    if (kind !== 'list' && q === undefined && within === undefined) {
      const rolledUp = await this.#rolledUp(query, { sensitive, leaveOutReads }, after);
      if (rolledUp !== undefined) {
        const { records, groupings: counted, next, countedTo, edgeIsCut } = rolledUp;
        return {
          ...answer,
          records,
          groupings: counted,
          complete: next === undefined && countedTo === undefined,
          ...(next !== undefined && {
            next_cursor: encodeCursor(request, [
              'counts',
              this.#places.seal([edgeIsCut ? 'hours' : 'exact', next.hour, next.combination], request),
            ]),
          }),
          ...(countedTo !== undefined && { counted_to: countedTo }),
          ...(edgeIsCut && { estimate: true }),
        };
      }
    }
    const listed = await countListed(this.#trail, tenantId, {
      filters,
      q,
      groupings,
      limit,
      view,
      includeReads: !leaveOutReads,
      after: kind === 'list' ? text : undefined,
      records: this.#limits.listed,
    });
    return {
      ...answer,
      records: listed.records,
      groupings: listed.groupings,
      complete: listed.next === undefined,
      ...(listed.next !== undefined && { next_cursor: encodeCursor(request, ['list', listed.next]) }),
    };
  }

  #placeOf(sealed: string, request: unknown): CountsPlace {
    const place = this.#places.open(sealed, request);
    if (place !== undefined) return place;
    throw new ServerError('PARAMETER_INVALID', 'the cursor was not made by this service', {
      details: { parameter: 'cursor' },
    });
  }

  async #rolledUp(
    { tenantId, filters = {}, groupings, limit = 50 }: StatsQuery,
    how: { readonly sensitive: boolean; readonly leaveOutReads: boolean },
    after: CountsPlace | undefined,
  ): Promise<RolledUp | undefined> {
    const coverage = coverageOf(filters, groupings);
    if (coverage === undefined) return undefined;
    const { from, to } = filters;
    const place = after === undefined ? undefined : { hour: after[1], combination: after[2] };
    const request = { ...how, filters, groupings, limit, coverage, after: place, limits: this.#limits };
    const counted = await this.#database.transaction(readerOf(tenantId), async (session) => {
      const exact =
        after?.[0] === 'hours'
          ? undefined
          : await countRolledUp(session, tenantId, { ...request, hours: hoursOf(from, to) });
      if (exact === undefined && after?.[0] !== 'hours') return undefined;
      if (exact?.edgeIsCut === false) return exact;
      // The whole hours are known without reading their records.
      const whole = await countRolledUp(session, tenantId, { ...request, hours: wholeHoursOf(from, to) });
      return whole === undefined ? undefined : { ...whole, edgeIsCut: true };
    });
    if (counted === undefined && after !== undefined) {
      throw new ServerError('PARAMETER_INVALID', 'the counts are being made anew: begin without a cursor', {
        details: { parameter: 'cursor' },
      });
    }
    return counted;
  }
}
