import { type EventFilters, type ExportFormat, type ExportPosition, exportEndLine } from '@tallystick/event';
import type { EventView } from '@tallystick/protocol';
import { maxListLimit, type Trail } from './trail.ts';
import type { ViewOptions } from './view.ts';

/** Which records an export has. */
export interface ExportRequest {
  readonly tenantId: string;
  readonly filters: EventFilters;
  /** What the texts of the events must have. */
  readonly q?: string | undefined;
  readonly format: ExportFormat;
  /** Begin after this position; with the first record where absent. The header of the format is then left out. */
  readonly after?: ExportPosition | undefined;
  /** The last position that belongs to the export. */
  readonly until: ExportPosition;
  readonly includeReads: boolean;
  /** Whether a last line states the number of events. */
  readonly withEnd?: boolean | undefined;
}

/**
 * The lines of all records that match, oldest first, page by page as they are read: the memory that it takes does not depend on the
 * number of records.
 *
 * @param signal ends the export; the iteration then throws the signal's reason
 */
export async function* exportLines(
  trail: Trail,
  request: ExportRequest,
  view: ViewOptions,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const { format, after, withEnd = false } = request;
  if (after === undefined && format.header !== '') yield format.header;
  let written = 0;
  for await (const events of exportPages(trail, request, view, signal)) {
    yield events.map((event) => format.line(event)).join('');
    written += events.length;
  }
  if (withEnd) yield exportEndLine(written);
}

/** The records of {@link exportLines}, page by page. No page is empty. */
export async function* exportPages(
  trail: Trail,
  request: Omit<ExportRequest, 'format' | 'withEnd'>,
  view: ViewOptions,
  signal: AbortSignal,
): AsyncGenerator<readonly EventView[]> {
  const { tenantId, filters, q, after, until, includeReads } = request;
  const list = { tenantId, filters, q, order: 'asc', limit: maxListLimit, includeReads } as const;
  let place: { readonly after?: ExportPosition | undefined; readonly cursor?: string } = { after };
  for (;;) {
    signal.throwIfAborted();
    const page = await trail.list({ ...list, ...place }, view);
    const due = page.events.filter((event) => !isBeyond(event, until));
    if (due.length > 0) yield due;
    if (page.nextCursor === undefined || due.length < page.events.length) return;
    place = { cursor: page.nextCursor };
  }
}

function isBeyond(event: { readonly [field: string]: unknown }, until: ExportPosition): boolean {
  const epoch = Number(event.epoch);
  return epoch > until.epoch || (epoch === until.epoch && Number(event.sequence_number) > until.sequence);
}
