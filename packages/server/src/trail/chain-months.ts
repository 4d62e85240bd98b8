import type { Queries } from '../store/database.ts';
import { monthStart } from '../store/partitions.ts';
import { readSql } from '../store/sql.ts';

const monthStartsSql = readSql('month-starts');

/** Chains whose months are kept. */
const maxChains = 10_000;

/** Bounds of `ingested_at` for a statement: from the first one, before the second one. */
export interface ChainedBetween {
  readonly from: string;
  readonly to: string;
}

/** No bounds: every month. */
export const anyTime: ChainedBetween = { from: '-infinity', to: 'infinity' };

/** A month in which records of a chain were chained. */
interface Month {
  /** Start of the month (UTC), ms since the epoch. */
  readonly start: number;
  /** Its first record. */
  readonly first: number;
}

/**
 * In which months the records of one epoch of a chain were chained. Records are partitioned by month, and in a chain `ingested_at` never
 * decreases, so a range of sequence numbers lies in few partitions. A statement that says so looks at these alone: with 84 partitions, a page of
 * 50 takes 0.3 ms of the server instead of 16 ms.
 *
 * What is known never changes. A month that has begun since only makes the bounds wider than they need to be.
 */
export class ChainMonths {
  readonly epoch: number;
  readonly #months: readonly Month[];

  constructor(epoch: number, months: readonly Month[]) {
    this.epoch = epoch;
    this.#months = months;
  }

  /** The first record of the newest month that is known; 0 if none is. */
  get newest(): number {
    return this.#months.at(-1)?.first ?? 0;
  }

  get newestStart(): string | null {
    const month = this.#months.at(-1);
    return month === undefined ? null : textOf(month.start);
  }

  /** When the records from one position to another were chained, by the month. */
  between(low: number, high: number): ChainedBetween {
    const from = this.#months.findLast(({ first }) => first <= low);
    const to = this.#months.find(({ first }) => first > high);
    return {
      from: from === undefined ? anyTime.from : textOf(from.start),
      to: textOf(to?.start),
    };
  }

  /** The same for each month with records in which the range lies, the first one first. */
  each(low: number, high: number): ChainedBetween[] {
    const first = Math.max(0, this.#at(low));
    const months = this.#months.slice(first, this.#at(high) + 1);
    if (months.length === 0) return [anyTime];
    return months.map(({ start }, nth) => ({
      from: nth === 0 && this.#at(low) < 0 ? anyTime.from : textOf(start),
      to: textOf(this.#months[first + nth + 1]?.start),
    }));
  }

  /** The positions between which the first record is that was chained at this time or later. */
  around(ms: number): { readonly low: number; readonly high: number } {
    return {
      low: this.#months.findLast(({ start }) => start <= ms)?.first ?? 0,
      high: this.#months.find(({ start }) => start > ms)?.first ?? Number.MAX_SAFE_INTEGER,
    };
  }

  /** About how many records were chained between two times (ms), if each month's came evenly. Infinite where that is not known. */
  expected(from: number, to: number): number {
    const count = this.#about(to) - this.#about(from);
    return Number.isNaN(count) ? Number.POSITIVE_INFINITY : count;
  }

  #about(ms: number): number {
    const at = this.#months.findLastIndex(({ start }) => start <= ms);
    const [month, next] = [this.#months[at], this.#months[at + 1]];
    if (month === undefined) return ms < (this.#months[0]?.start ?? Number.NaN) ? 0 : Number.NaN;
    if (next === undefined) return Number.NaN;
    return month.first + ((next.first - month.first) * (ms - month.start)) / (next.start - month.start);
  }

  /** In how many months with records a range lies. */
  count(low: number, high: number): number {
    return this.#at(high) - Math.max(0, this.#at(low)) + 1;
  }

  /** The first record of a month with records, counted from that of a position; 0 before the first one, and without an end after the last one. */
  firstOf(position: number, months: number): number {
    const at = this.#at(position) + months;
    return at < 0 ? 0 : (this.#months[at]?.first ?? Number.MAX_SAFE_INTEGER);
  }

  #at(position: number): number {
    return this.#months.findLastIndex(({ first }) => first <= position);
  }

  with(more: readonly Month[]): ChainMonths {
    const last = this.#months.at(-1)?.start ?? Number.NEGATIVE_INFINITY;
    return new ChainMonths(this.epoch, [...this.#months, ...more.filter(({ start }) => start > last)]);
  }
}

function textOf(ms: number | undefined): string {
  return ms === undefined ? anyTime.to : new Date(ms).toISOString();
}

interface Known {
  readonly months: ChainMonths;
  /** The month of this process's clock in which they were read. */
  readonly readIn: number;
}

/** The months of chains that were read. */
export class KnownMonths {
  /** By tenant and epoch. Owned by this object, as the next one is. */
  readonly #known = new Map<string, Known>();
  /** The newest epoch of each tenant that is known. */
  readonly #heads = new Map<string, number>();

  /** The months of an epoch; of the newest one where absent. Reads them if they are not known, or a month has begun since. */
  async of(queries: Pick<Queries, 'query'>, tenantId: string, epoch?: number): Promise<ChainMonths> {
    const wanted = epoch ?? this.#heads.get(tenantId);
    const known = wanted === undefined ? undefined : this.#known.get(`${tenantId}\n${wanted}`);
    const now = monthStart(Date.now());
    if (known?.readIn === now) return known.months;
    const values = [tenantId, wanted ?? null, known?.months.newestStart ?? null];
    const rows = await queries.query<MonthRow>(monthStartsSql, values);
    const [row] = rows;
    if (row === undefined) return new ChainMonths(wanted ?? 1, []);
    const months = (known?.months ?? new ChainMonths(row.epoch, [])).with(
      rows.flatMap(({ month, first }) => (first === null ? [] : [{ start: month.getTime(), first }])),
    );
    this.#keep(tenantId, { months, readIn: now });
    return months;
  }

  #keep(tenantId: string, known: Known): void {
    if (this.#known.size >= maxChains) {
      this.#known.clear();
      this.#heads.clear();
    }
    const { epoch } = known.months;
    this.#known.set(`${tenantId}\n${epoch}`, known);
    this.#heads.set(tenantId, Math.max(epoch, this.#heads.get(tenantId) ?? 0));
  }
}

interface MonthRow {
  readonly epoch: number;
  readonly month: Date;
  /** Null for a month without records. */
  readonly first: number | null;
}
