import type { EventFilters } from '@tallystick/event';
import type { SearchQuery } from '@tallystick/event/search';
import type { EventView } from '@tallystick/protocol';
import type { Position } from './cursor.ts';
import { leavesOutReads } from './filters.ts';
import type { HeadWatch } from './tail.ts';
import type { Trail } from './trail.ts';
import { toView, type ViewOptions } from './view.ts';

/** Which records to follow, and where to begin. */
export interface FollowQuery {
  readonly tenantId: string;
  readonly filters?: EventFilters | undefined;
  /** What the texts of the records must have. */
  readonly search?: SearchQuery | undefined;
  /** The last record that the reader has. Where absent, the reader gets only records that are chained from now on. */
  readonly after?: Position | undefined;
  readonly view: ViewOptions;
  /** Whether records of reads are yielded where no filter names their type. @defaultValue true */
  readonly includeReads?: boolean | undefined;
}

/** Records of one page: a follower keeps so many in memory. */
const pageRecords = 64;
/** Before the first record of the first epoch. */
const beforeAll: Position = { epoch: 1, sequence: -1 };

/**
 * Yields a tenant's records after a position, and then new records as they are chained, until the signal aborts.
 *
 * No record is skipped. Commits of one tenant wait for each other at the lock of its head, so all records up to a head that
 * was read are visible.
 */
export async function* follow(
  trail: Trail,
  heads: HeadWatch,
  query: FollowQuery,
  signal: AbortSignal,
): AsyncGenerator<{ readonly position: Position; readonly view: EventView }> {
  const { tenantId, filters = {}, search, view } = query;
  const leaveOutReads = leavesOutReads(filters, query.includeReads ?? true);
  let position = query.after ?? (await trail.head(tenantId)) ?? beforeAll;
  for (;;) {
    const head = await heads.beyond(tenantId, position, signal);
    if (head === undefined) return;
    while (!signal.aborted) {
      // Records after this head come with the next head. A closed epoch is read to its end.
      const to = position.epoch < head.epoch ? Number.MAX_SAFE_INTEGER : head.sequence;
      if (position.sequence >= to) break;
      const { rows, cutAt } = await trail.part(tenantId, {
        epoch: position.epoch,
        from: position.sequence + 1,
        to,
        limit: pageRecords,
        view,
        filters,
        search,
        leaveOutReads,
      });
      for (const row of rows) {
        yield {
          position: { epoch: row.epoch, sequence: row.sequence_number },
          view: toView(tenantId, row, view),
        };
      }
      const last = rows.at(-1);
      if (cutAt !== undefined) position = { epoch: position.epoch, sequence: cutAt };
      else if (last !== undefined) position = { epoch: last.epoch, sequence: last.sequence_number };
      else if (position.epoch < head.epoch) position = { epoch: position.epoch + 1, sequence: -1 };
      else position = { epoch: head.epoch, sequence: head.sequence };
    }
  }
}
