import type { AnyEvent } from '../fields/filter-match.ts';
import { parseTimestamp } from '../validation/check.ts';
import { anyTerm, summaryScope, type TermScope, termHashes } from './field-terms.ts';

/** A block with more distinct terms has {@link anyTerm} alone. */
const maxTerms = 1 << 18;

/** What an index of terms says of a block as a whole (spec/field-index.md). */
export interface SummaryRow {
  /** The time of the block's earliest event: RFC 3339 with milliseconds, or `-infinity` where an event has no time. */
  readonly oldest: string;
  /** After the time of its latest event: a millisecond at most, or `infinity` where an event has no time. */
  readonly newest: string;
  /** Hashes of the terms of all events, ascending, each once. */
  readonly terms: Int32Array;
}

/** Collects the terms and times of a block's events. The events may be forged. */
export class BlockSummary {
  readonly #scope: TermScope;
  #terms = new Set<number>();
  #hasTooMany = false;
  #oldest = Number.POSITIVE_INFINITY;
  #newest = Number.NEGATIVE_INFINITY;

  /** @param block of the events; all of them are of this block */
  constructor(block: TermScope) {
    this.#scope = summaryScope(block);
  }

  /** How many hashes are kept. */
  get size(): number {
    return this.#terms.size;
  }

  /** @param terms of this event, by the index that is summarised */
  add(event: AnyEvent, terms: readonly string[]): void {
    const ms = typeof event.timestamp === 'string' ? parseTimestamp(event.timestamp) : Number.NaN;
    const hasTime = !Number.isNaN(ms);
    this.#oldest = Math.min(this.#oldest, hasTime ? ms : Number.NEGATIVE_INFINITY);
    this.#newest = Math.max(this.#newest, hasTime ? ms + 1 : Number.POSITIVE_INFINITY);
    if (this.#hasTooMany) return;
    for (const hash of termHashes(this.#scope, terms)) this.#terms.add(hash);
    if (this.#terms.size <= maxTerms) return;
    this.#hasTooMany = true;
    this.#terms = new Set(termHashes(this.#scope, [anyTerm]));
  }

  row(): SummaryRow {
    return {
      oldest: timeText(this.#oldest),
      newest: timeText(this.#newest),
      terms: Int32Array.from(this.#terms).sort(),
    };
  }
}

function timeText(ms: number): string {
  if (Number.isFinite(ms)) return new Date(ms).toISOString();
  return ms < 0 ? '-infinity' : 'infinity';
}
