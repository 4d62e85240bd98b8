import { type EventFieldName, fieldValue } from '@tallystick/event';

import type { EventView } from '@tallystick/protocol';
import { displayWidth, printable } from './printable.ts';
import type { Column } from './table.ts';
import type { Style } from './terminal.ts';

const eventColumns: readonly Column<EventView>[] = [
  { title: 'SEQ', value: ({ sequence_number }) => String(sequence_number), align: 'right' },
  { title: 'TIME', value: (event) => shortTime(event.timestamp ?? event.ingested_at) },
  { title: 'TYPE', value: typeOf, style: styleOf, flexible: true },
  { title: 'ACTOR', value: actorOf, flexible: true },
  { title: 'TARGET', value: targetOf, flexible: true },
  { title: 'OUTCOME', value: outcomeOf, style: styleOf },
];

const idColumn: Column<EventView> = { title: 'ID', value: (event) => textOf(event, 'audit_id') };
/** On a narrower terminal the id would take the place of what happened. `tally show` takes the number as well. */
const widthForIds = 110;

/** The columns of a list of events, on a terminal of this width. */
export function eventColumnsAt(width: number): readonly Column<EventView>[] {
  return width < widthForIds ? eventColumns : [...eventColumns, idColumn];
}

/** Widths of the columns of `tally tail`. Later events are not known yet, so a longer value moves the rest of its line. */
const tailWidths: { readonly [title: string]: number } = {
  SEQ: 6,
  TIME: 19,
  TYPE: 28,
  ACTOR: 16,
  TARGET: 20,
  OUTCOME: 11,
};

/** The heading of `tally tail`. */
export function tailHeading(width: number): string {
  return tailLine(width, ({ title }) => title);
}

/** One line of `tally tail`. */
export function eventLine(event: EventView, width: number): string {
  return tailLine(width, ({ value }) => String(value(event) ?? ''));
}

function tailLine(width: number, textOf: (column: Column<EventView>) => string): string {
  return eventColumnsAt(width)
    .map((column) => {
      const cell = printable(textOf(column));
      const padding = ' '.repeat(Math.max(0, (tailWidths[column.title] ?? 0) - displayWidth(cell)));
      return column.align === 'right' ? padding + cell : cell + padding;
    })
    .join('  ')
    .trimEnd();
}

function typeOf(event: EventView): string {
  if (event.redacted === true) return '(sensitive)';
  if (event.damaged === true) return '(damaged)';
  const type = textOf(event, 'event_type') ?? '';
  // It reads as the word of the service, but a client submitted it.
  return event.claimed === true ? `${type} (claimed)` : type;
}

function actorOf(event: EventView): string {
  return textOf(event, 'actor_id') ?? '';
}

function targetOf(event: EventView): string {
  return [textOf(event, 'target_type'), textOf(event, 'target_id')]
    .filter((part) => part !== undefined)
    .join(' ');
}

function outcomeOf(event: EventView): string | undefined {
  return textOf(event, 'outcome_status');
}

const bad = ['failure', 'denied', 'timed_out', 'blocked', 'rolled_back'];

export function styleOf(event: EventView): Style | undefined {
  if (event.damaged === true || event.severity === 'critical') return 'red';
  return event.severity === 'warning' || bad.includes(outcomeOf(event) ?? '') ? 'yellow' : undefined;
}

/** A time for people: to the second, without T and Z. */
export function shortTime(value: unknown): string {
  return (
    text(value)
      ?.replace('T', ' ')
      .replace(/(?:\.\d+)?Z$/, '') ?? ''
  );
}

function textOf(event: EventView, name: EventFieldName): string | undefined {
  return text(fieldValue(event, name));
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
