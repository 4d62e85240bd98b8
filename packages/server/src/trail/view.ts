import {
  type AnyEvent,
  type EventFilters,
  type FilterCondition,
  filterMatcher,
  readFilters,
  speaksForService,
} from '@tallystick/event';
import { type AuditRecord, flattenRecord, readRecord } from '@tallystick/log';
import type { EventView } from '@tallystick/protocol';
import { timeText } from '../store/time-text.ts';

/** Which parts of a record a reader gets. */
export interface ViewOptions {
  /** Whether the reader may see sensitive records. */
  readonly sensitive: boolean;
  /** Adds `record`, the text that was hashed. @defaultValue false */
  readonly withRecord?: boolean | undefined;
  /**
   * Filters that a record must match besides those of the request: this reader gets no other record, also not by its id. Sensitive
   * records are left out as a whole. @defaultValue every record
   */
  readonly within?: EventFilters | undefined;
  /** Leaves `ingest` out of views: how and by whom the event was submitted. @defaultValue false */
  readonly withoutIngest?: boolean | undefined;
}

/** What a record must meet to be in an answer: the filters of the request, and those that bind the reader. */
export function conditionsWithin(filters: EventFilters, { within }: ViewOptions): FilterCondition[] {
  return [...readFilters(filters), ...(within === undefined ? [] : readFilters(within))];
}

/** Whether the reader gets the record of a row at all. The record's bytes decide, not the columns beside them. */
export function isWithin(row: EventRow, { sensitive, within }: ViewOptions): boolean {
  if (within === undefined) return true;
  const event = eventIn(row);
  if (event === undefined || (event.is_sensitive === true && !sensitive)) return false;
  return filterMatcher(readFilters(within))(event);
}

/** The event of a row; undefined where the reader may not see it, or the bytes are no record. They are not checked strictly. */
export function eventIn({ record }: Pick<EventRow, 'record'>): AnyEvent | undefined {
  if (record === null) return undefined;
  try {
    const { event } = JSON.parse(record) as { readonly event?: AnyEvent };
    return typeof event === 'object' && event !== null ? event : undefined;
  } catch {
    return undefined;
  }
}

/** A row of list-events.sql or get-event.sql. */
export interface EventRow {
  readonly epoch: number;
  readonly sequence_number: number;
  readonly audit_id: string;
  readonly ingested_at: Date;
  readonly is_sensitive: boolean;
  readonly previous_hash: string;
  readonly record_hash: string;
  /** Null where the reader may not see it. */
  readonly record: string | null;
}

/**
 * Makes the view of a row. Its content comes from the record's bytes and never from the columns beside them: an attacker who
 * altered a column changes which rows a query finds, not what they show.
 */
export function toView(tenantId: string, row: EventRow, options: ViewOptions): EventView {
  const identity = {
    tenant_id: tenantId,
    audit_id: row.audit_id,
    epoch: row.epoch,
    sequence_number: row.sequence_number,
    previous_hash: row.previous_hash,
    record_hash: row.record_hash,
    ingested_at: timeText(row.ingested_at),
  };
  const redacted = { ...identity, is_sensitive: true, redacted: true };
  if (row.record === null) return redacted;
  const raw = options.withRecord === true ? { record: row.record } : {};
  let record: AuditRecord;
  try {
    record = readRecord(row.record);
  } catch {
    // The bytes were tampered with. The verification reports it; the list must still contain the row.
    return { ...identity, damaged: true, ...(options.sensitive && raw) };
  }
  // The record decides too, not only the column: a changed column must not disclose a sensitive record.
  if (record.event.is_sensitive === true && !options.sensitive) return redacted;
  // A client of an older version, which did not refuse such events, or an attacker with the database's password wrote it.
  const isClaimed = speaksForService(record.event) && record.ingest.trust !== 'service';
  const { ingest, ...shown } = flattenRecord(record, row.record_hash);
  return {
    ...shown,
    ...(options.withoutIngest !== true && { ingest }),
    epoch: row.epoch,
    ...(isClaimed && { claimed: true }),
    ...raw,
  };
}
