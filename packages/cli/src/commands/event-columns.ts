import { type EventFieldName, fieldValue } from '@tallystick/event';

import type { EventView } from '@tallystick/protocol';
import type { Column } from '../terminal/table.ts';
import type { Style } from '../terminal/terminal.ts';

/** The columns of a list of events. */
export const eventColumns: readonly Column<EventView>[] = [
  { title: 'SEQ', value: ({ sequence_number }) => String(sequence_number), align: 'right' },
  { title: 'TIME', value: (event) => shortTime(event.timestamp ?? event.ingested_at) },
  { title: 'TYPE', value: typeOf, style: styleOf, flexible: true },
  { title: 'ACTOR', value: actorOf, flexible: true },
  { title: 'TARGET', value: targetOf, flexible: true },
  { title: 'OUTCOME', value: outcomeOf, style: styleOf },
];

/** One line of `tally tail`. Later events are not known yet, so the columns can't be aligned. */
export function eventLine(event: EventView): string {
  const parts = [
    shortTime(event.timestamp ?? event.ingested_at),
    typeOf(event),
    actorOf(event),
    targetOf(event),
    outcomeOf(event),
  ];
  return `${String(event.sequence_number).padStart(6)}  ${parts.filter((part) => part !== undefined && part !== '').join('  ')}`;
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
