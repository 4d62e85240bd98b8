import {
  type EventFilters,
  type ExportFormatName,
  type ExportPosition,
  exportFormat,
  exportUntilHeader,
  formatExportPosition,
  parseExportEnd,
  parseExportPosition,
} from '@tallystick/protocol';
import { chunksOf } from '../body.ts';
import { ClientError } from '../errors.ts';
import { filterParametersOf } from '../filter-parameters.ts';
import { pause } from '../retry.ts';
import type { CallOptions, Sender } from '../sender.ts';

/** Which events to export, and how. */
export interface ExportQuery {
  /** Needed where the API key is valid for several tenants. */
  readonly tenant_id?: string | undefined;
  readonly filters?: EventFilters | undefined;
  /** As of a list of events: a search of their texts. */
  readonly q?: string | undefined;
  /** As of a list of events. @defaultValue false, unless a filter names their type */
  readonly include_reads?: boolean | undefined;
  /** @defaultValue 'csv' */
  readonly format?: ExportFormatName | undefined;
  /** Begin after the event at this position: goes on with an export that ended early. */
  readonly after?: ExportPosition | undefined;
  /** Where to end. @defaultValue the newest record when the export begins */
  readonly until?: ExportPosition | undefined;
}

/** A part of an export: whole lines. */
export interface ExportPart {
  readonly text: string;
  /** How many events they are. */
  readonly events: number;
  /** Where the last event of this part is; that of the part before if this part has no event. */
  readonly position: ExportPosition | undefined;
  /** Where the export ends. */
  readonly until: ExportPosition;
}

/** How often the export goes on after a broken connection without having received a line in between. */
const maxBreaks = 5;
const reconnectMs = 1_000;

/**
 * The lines of an export. A connection that breaks is opened again, and the export goes on after the last whole line. So is one that ends without
 * the line that states the number of events.
 */
export async function* exportEvents(
  sender: Sender,
  query: ExportQuery,
  { signal }: CallOptions,
): AsyncGenerator<ExportPart> {
  const { filters, format = 'csv', ...rest } = query;
  const { header } = exportFormat(format);
  let { after, until } = query;
  let hasHeader = after !== undefined || header === '';
  const open = async function* (): AsyncGenerator<ExportPart> {
    const request = {
      path: 'v1/audit/events/export',
      query: {
        ...filterParametersOf(filters),
        ...rest,
        format,
        end: true,
        after: after && formatExportPosition(after),
        until: until && formatExportPosition(until),
      },
      signal,
    };
    const response = await sender.send(request, (response) => response);
    until ??= parseExportPosition(response.headers.get(exportUntilHeader) ?? '');
    if (until === undefined) throw sender.invalid('did not say where the export ends');
    let received = 0;
    for await (const lines of wholeLines(sender, response)) {
      const repeatsHeader = hasHeader && after === undefined && header !== '' && lines.startsWith(header);
      const isFirst = !hasHeader;
      hasHeader = true;
      const last = lastLineOf(lines);
      const stated = parseExportEnd(last);
      const text = lines.slice(
        repeatsHeader ? header.length : 0,
        stated === undefined ? undefined : -last.length,
      );
      const events = linesIn(text) - (isFirst && text.startsWith(header) ? 1 : 0);
      received += events;
      after = exportFormat(format).positionOf(lastLineOf(text)) ?? after;
      if (text !== '') yield { text, events, position: after, until };
      if (stated === undefined) continue;
      if (stated !== received) throw sender.invalid(`sent ${received} events, and stated ${stated}`);
      return;
    }
    throw new Error('the connection ended before the export');
  };
  yield* reopened(open, signal);
}

/**
 * The items of a connection. One that breaks is opened again, unless it breaks several times without progress in between.
 *
 * @param isProgress whether the next connection goes on after this item. @defaultValue after each
 */
export async function* reopened<T>(
  open: () => AsyncGenerator<T>,
  signal: AbortSignal | undefined,
  isProgress: (item: T) => boolean = () => true,
): AsyncGenerator<T> {
  let breaks = 0;
  for (;;) {
    try {
      for await (const item of open()) {
        if (isProgress(item)) breaks = 0;
        yield item;
      }
      return;
    } catch (error) {
      if (signal?.aborted === true || error instanceof ClientError) throw error;
      if (++breaks > maxBreaks) throw error;
    }
    await pause(reconnectMs, signal);
  }
}

/** Characters of one line. Far above any record with its proof: a longer line does not come from an audit service. */
const maxLineLength = 8 << 20;

/** The text of an answer, cut at the ends of lines. */
export async function* wholeLines(sender: Sender, response: Response): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  /** The beginning of a line, in parts: a text that grows with each chunk would be copied with each. */
  let rest: string[] = [];
  let length = 0;
  for await (const chunk of chunksOf(response)) {
    const text = decoder.decode(chunk, { stream: true });
    const end = text.lastIndexOf('\n') + 1;
    if (end > 0) {
      yield rest.join('') + text.slice(0, end);
      rest = [];
      length = 0;
    }
    rest.push(text.slice(end));
    length += text.length - end;
    if (length > maxLineLength) throw sender.invalid('sent a line that is too long');
  }
  if (length > 0) throw sender.invalid('sent an export that ends within a line');
}

function linesIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

function lastLineOf(lines: string): string {
  return lines.slice(lines.lastIndexOf('\n', lines.length - 2) + 1);
}
