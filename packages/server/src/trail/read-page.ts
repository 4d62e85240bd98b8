import { type EventFilters, limits, parseTimestamp } from '@tallystick/event';
import type { SearchQuery } from '@tallystick/event/search';
import type { Session } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import type { ChainMonths } from './chain-months.ts';
import type { Position } from './cursor.ts';
import type { Order } from './list-rows.ts';
import type { ScanBudget } from './scan-budget.ts';
import { type ScannedPage, scanPage } from './scan-page.ts';
import type { ViewOptions } from './view.ts';

const sequenceAtSql = readSql('sequence-at');

/** Added to how far a time of an event may be ahead of the service's clock, because the clock of the database may differ from it, ms. */
const clockDifferenceMs = 24 * 60 * 60 * 1000;

interface PageRequest {
  readonly filters: EventFilters;
  readonly search?: SearchQuery | undefined;
  readonly view: ViewOptions;
  readonly order: Order;
  readonly epoch: number;
  /** Its last sequence number, if that is known. */
  readonly endOfEpoch?: number | undefined;
  readonly months: ChainMonths;
  readonly after?: Position | undefined;
  readonly from?: number;
  readonly to?: number;
  readonly limit: number;
  /** Whether records of reads are left out. @defaultValue false */
  readonly leaveOutReads?: boolean;
  readonly budget: ScanBudget;
}

/** Rows of one epoch, and whether there are more. */
export async function readPage(
  session: Session,
  tenantId: string,
  request: PageRequest,
): Promise<ScannedPage> {
  const { filters, order, epoch, months, after, leaveOutReads = false, budget } = request;
  // Sequence numbers have no gaps, so "after this record" is one more bound of the range.
  let from = Math.max(0, filters.sequence_from ?? 0, request.from ?? 0);
  let to = Math.min(
    request.endOfEpoch ?? (await endOfEpoch(session, tenantId, epoch)),
    filters.sequence_to ?? Number.MAX_SAFE_INTEGER,
    request.to ?? Number.MAX_SAFE_INTEGER,
  );
  if (after !== undefined && order === 'asc') from = Math.max(from, after.sequence + 1);
  if (after !== undefined && order === 'desc') to = Math.min(to, after.sequence - 1);
  // The times at which records were chained are bounds of the range too.
  const sequenceAt = async (time: string, countsAsBefore: boolean) => {
    const around = months.around(parseTimestamp(time));
    const [low, high] = [Math.max(from, around.low), Math.min(to, around.high - 1)];
    if (low > to || high < low) return Math.min(low, to + 1);
    const chained = months.between(low, high);
    const values = [tenantId, epoch, low, high, time, countsAsBefore, chained.from, chained.to];
    const [row] = await session.query<{ first: number }>(sequenceAtSql, values);
    return row!.first;
  };
  const chainedFrom = earliestChained(filters);
  if (from <= to && chainedFrom !== undefined) from = await sequenceAt(chainedFrom, false);
  if (from <= to && filters.ingested_to !== undefined) to = (await sequenceAt(filters.ingested_to, true)) - 1;
  if (from > to) return { rows: [], more: false, readsLeftOut: false };
  return await scanPage(session, tenantId, { ...request, from, to, leaveOutReads }, budget);
}

/** The time from which records that match may have been chained: an event is hardly chained before it happens. */
function earliestChained({ from, ingested_from }: EventFilters): string | undefined {
  const times = [
    parseTimestamp(ingested_from ?? ''),
    parseTimestamp(from ?? '') - limits.maxAheadMs - clockDifferenceMs,
  ].filter((time) => time > 0);
  return times.length === 0 ? undefined : new Date(Math.max(...times)).toISOString();
}

/** The last sequence number of an epoch; -1 if the chain does not have it. */
async function endOfEpoch(session: Session, tenantId: string, epoch: number): Promise<number> {
  const [row] = await session.query<{ last_sequence: number | null }>(
    'select min(last_sequence) as last_sequence from audit_chain_ranges where tenant_id = $1 and epoch = $2::integer',
    [tenantId, epoch],
  );
  return row?.last_sequence ?? -1;
}
