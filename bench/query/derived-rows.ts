import { type AnyEvent, storedTermHashes, termBlockRecords } from '@tallystick/event';
import { storedSearchHashes } from '@tallystick/event/search';
import {
  type Count,
  countedColumns,
  countsOf,
} from '../../packages/server/src/followers/hourly-counts/hourly-counts.ts';
import { benchTenant } from './made-events.ts';

/** A row of the field index and one of the search index, as their followers store them. */
export function termRows(
  sequence: number,
  event: AnyEvent,
): { readonly fields: string; readonly texts: string } {
  const scope = { tenantId: benchTenant, epoch: 1, block: Math.floor(sequence / termBlockRecords) };
  const row = (hashes: readonly number[]) =>
    hashes.length === 0 ? '' : `1\t${benchTenant}\t1\t${sequence}\t{${hashes.join(',')}}\n`;
  return { fields: row(storedTermHashes(scope, event)), texts: row(storedSearchHashes(scope, event)) };
}

export const copyFields = 'copy audit_field_terms from stdin';
export const copyTexts = 'copy audit_search_terms from stdin';
export const copyCounts = `copy audit_hourly_counts (generation, tenant_id, detailed, hour, combination, ${countedColumns.join(', ')}, is_sensitive, records) from stdin`;

/** Adds up the hourly counts of a chain whose events come nearly in the order of their times. */
export class CountRows {
  readonly #counts = new Map<string, Count>();
  #waiting: AnyEvent[] = [];
  #hour = '';

  /** @returns rows for COPY that no later event changes, except those of {@link late} */
  add(event: AnyEvent): string {
    const hour = String(event.timestamp).slice(0, 13);
    if (hour < this.#hour) {
      this.late.push(event);
      return '';
    }
    const rows = hour > this.#hour ? this.finish() : '';
    this.#hour = hour;
    this.#waiting.push(event);
    if (this.#waiting.length >= 1_000) this.#count();
    return rows;
  }

  /** Events of hours whose rows are written: their follower adds them. */
  readonly late: AnyEvent[] = [];

  /** The rows of the hour that has begun. */
  finish(): string {
    this.#count();
    const rows = [...this.#counts.values()].map(rowOf).join('');
    this.#counts.clear();
    return rows;
  }

  #count(): void {
    for (const [key, count] of countsOf(this.#waiting)) {
      const known = this.#counts.get(key);
      if (known === undefined) this.#counts.set(key, count);
      else known.records += count.records;
    }
    this.#waiting = [];
  }
}

function rowOf({ detailed, hour, combination, values, sensitive, records }: Count): string {
  const texts = countedColumns.map((_, at) => values[at] ?? '\\N').join('\t');
  return `1\t${benchTenant}\t${detailed}\t${hour}\t\\\\x${combination}\t${texts}\t${sensitive}\t${records}\n`;
}
