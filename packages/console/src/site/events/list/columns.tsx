import type { EventView } from '@tallystick/protocol';
import type { ComponentChildren } from 'preact';
import { Badge, toneOfOutcome, toneOfSeverity } from '../../elements/signs/badge.tsx';
import { Time } from '../../elements/signs/time.tsx';
import { textOf } from '../../trail/event-text.ts';

/** A column of the list of events. */
export interface Column {
  /** In the address: `columns=timestamp,event_type`. */
  readonly name: string;
  readonly title: string;
  /** Least width, rem. */
  readonly width: number;
  /** Share of the room that is left; 0: the column does not grow. */
  readonly grow: number;
  readonly cell: (event: EventView) => ComponentChildren;
}

const plain = (name: string) => (event: EventView) => textOf(event, name) ?? '';

function named(event: EventView, type: string, id: string): ComponentChildren {
  const text = textOf(event, id);
  if (text === undefined) return null;
  return (
    <>
      <span class="faint">{textOf(event, type)}</span> {text}
    </>
  );
}

function outcome(event: EventView): ComponentChildren {
  const status = textOf(event, 'outcome_status');
  return status === undefined ? null : (
    <Badge tone={toneOfOutcome(status)}>{status.replaceAll('_', ' ')}</Badge>
  );
}

function severity(event: EventView): ComponentChildren {
  const text = textOf(event, 'severity') ?? 'info';
  return text === 'info' ? (
    <span class="faint">info</span>
  ) : (
    <Badge tone={toneOfSeverity(text)}>{text}</Badge>
  );
}

/** Every column that the list can show, in their order. */
export const columns: readonly Column[] = [
  {
    name: 'timestamp',
    title: 'Time',
    width: 7.5,
    grow: 0,
    cell: ({ timestamp }) => <Time value={timestamp} />,
  },
  { name: 'event_type', title: 'Event', width: 10, grow: 1.4, cell: eventName },
  {
    name: 'actor',
    title: 'Actor',
    width: 8,
    grow: 1,
    cell: (event) => named(event, 'actor_type', 'actor_id'),
  },
  {
    name: 'target',
    title: 'Target',
    width: 8,
    grow: 1.2,
    cell: (event) => named(event, 'target_type', 'target_id'),
  },
  { name: 'outcome', title: 'Outcome', width: 6.5, grow: 0, cell: outcome },
  { name: 'severity', title: 'Severity', width: 5.5, grow: 0, cell: severity },
  { name: 'source_service', title: 'Service', width: 7, grow: 0.8, cell: plain('source_service') },
  { name: 'event_category', title: 'Category', width: 6.5, grow: 0, cell: plain('event_category') },
  { name: 'investigation_id', title: 'Investigation', width: 8, grow: 1, cell: plain('investigation_id') },
  { name: 'correlation_id', title: 'Correlation', width: 8, grow: 1, cell: plain('correlation_id') },
  { name: 'source_ip', title: 'Address', width: 8, grow: 0, cell: plain('source_ip') },
  {
    name: 'ingested_at',
    title: 'Chained',
    width: 7.5,
    grow: 0,
    cell: ({ ingested_at }) => <Time value={ingested_at} />,
  },
  { name: 'sequence_number', title: 'Record', width: 5, grow: 0, cell: plain('sequence_number') },
];

/** As events.css has them. */
const gapRem = 0.75;
const edgesRem = 2;
/** What a reader sees who has chosen no columns: the first of these for which the list has room, so that it does not scroll sideways. */
const shownAtFirst = [
  ['timestamp', 'event_type', 'actor', 'target', 'outcome', 'source_service'],
  ['timestamp', 'event_type', 'actor', 'target', 'outcome'],
  ['timestamp', 'event_type', 'actor', 'outcome'],
  ['timestamp', 'event_type', 'actor'],
] as const;

const columnsNamed = (names: readonly string[]) => columns.filter(({ name }) => names.includes(name));

/**
 * The columns that the parameters of an address choose.
 *
 * @param width of the list, rem
 */
export function chosenColumns(
  parameters: URLSearchParams,
  width = Number.POSITIVE_INFINITY,
): readonly Column[] {
  const chosen = columnsNamed(parameters.get('columns')?.split(',') ?? []);
  if (chosen.length > 0) return chosen;
  const sets = shownAtFirst.map(columnsNamed);
  return sets.find((set) => leastWidth(set) <= width) ?? sets.at(-1)!;
}

/** The width below which columns scroll sideways, rem. */
function leastWidth(chosen: readonly Column[]): number {
  return chosen.reduce((sum, column) => sum + column.width + gapRem, edgesRem);
}

/** What a row has on a phone, in two lines. Other columns that the reader chose are lines below them. */
const phoneColumns = ['timestamp', 'event_type', 'actor', 'target', 'outcome'];

/** The columns of a phone, and how many lines they add to the two of each row. */
export function phoneColumnsOf(parameters: URLSearchParams): {
  readonly columns: readonly Column[];
  readonly moreLines: number;
} {
  const chosen = parameters.has('columns') ? chosenColumns(parameters) : [];
  const more = chosen.filter(({ name }) => !phoneColumns.includes(name));
  return {
    columns: [...columns.filter(({ name }) => phoneColumns.includes(name)), ...more],
    moreLines: more.length,
  };
}

/** The columns as a grid: the template, and the width below which the list scrolls sideways. */
export function gridOf(chosen: readonly Column[]): { readonly template: string; readonly minWidth: string } {
  const template = chosen.map(({ width, grow }) =>
    grow === 0 ? `${width}rem` : `minmax(${width}rem, ${grow}fr)`,
  );
  return { template: template.join(' '), minWidth: `${leastWidth(chosen)}rem` };
}

/** The type of an event, or why the reader does not see it. */
function eventName(event: EventView): ComponentChildren {
  if (event.redacted === true) return <Badge>sensitive, not shown</Badge>;
  if (event.damaged === true) return <Badge tone="bad">damaged record</Badge>;
  return (
    <>
      <span class="event-type">{textOf(event, 'event_type')}</span>
      {event.claimed === true && <Badge tone="warn">claimed</Badge>}
      {textOf(event, 'severity') === 'critical' && <Badge tone="bad">critical</Badge>}
    </>
  );
}
