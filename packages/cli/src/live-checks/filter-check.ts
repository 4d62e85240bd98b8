import { ClientError } from '@tallystick/client';
import {
  type AnyEvent,
  type EventFilters,
  type FilterParameter,
  filterMatcher,
  filterParameters,
  memberValues,
  parseMemberName,
  readFilters,
} from '@tallystick/event';
import { type IndexedColumns, indexedColumns } from '@tallystick/log';
import { bookkeepingTypes } from '@tallystick/protocol';
import type { Finding } from '@tallystick/verify';
import {
  type ListedLog,
  type ListedRecord,
  listWindow,
  mismatch,
  positionOf,
  recordOf,
} from './listed-records.ts';
import type { RecordWindow } from './record-windows.ts';

/** Values that are tried for each filter, and events that are read by their id. They are chosen at random in each run. */
const samples = 5;

const bookkeeping: ReadonlySet<string> = new Set(bookkeepingTypes);

type Value = string | boolean;

/**
 * Compares what filters find among these records with what the records say, and reads some events by their id. A record that
 * a filter leaves out is hidden from the people who search for it.
 */
export async function checkFilters(
  log: ListedLog,
  window: RecordWindow,
  listed: readonly ListedRecord[],
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const parameter of filterParameters) {
    if (parameter.field.name === 'sequence_number' || !('column' in parameter.field || isAdded(parameter)))
      continue;
    const values = listed.map(({ record }) =>
      valueIn(parameter, record.ingested_at, indexedColumns(record.event)),
    );
    for (const value of triedValues(parameter, values)) {
      const expected = listed.filter((_, at) => matches(parameter, values[at], value));
      const filters = { [parameter.name]: value } as EventFilters;
      findings.push(...(await checkFilter(log, window, filters, expected)));
    }
  }
  findings.push(...(await checkContentFilters(log, window, listed)));
  findings.push(...(await checkDefaultList(log, window, listed)));
  for (const { view } of sampleOf(listed, samples)) {
    const id = String(view.audit_id);
    const single = await eventOf(log, id);
    if (single === undefined || single.record !== view.record)
      findings.push(mismatch(positionOf(view), `the record by its id ${id}`, 'another event, or none'));
  }
  return findings;
}

/** Filters that compare more than a column: with actors, lists, addresses and members. */
async function checkContentFilters(
  log: ListedLog,
  window: RecordWindow,
  listed: readonly ListedRecord[],
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const filters of sampleFilters(sampleOf(listed, samples).map(({ record }) => record.event))) {
    const matches = filterMatcher(readFilters(filters));
    const expected = listed.filter(({ record }) => matches(record.event));
    findings.push(...(await checkFilter(log, window, filters, expected)));
  }
  return findings;
}

/** One filter for each kind of content that these events have. */
function sampleFilters(events: readonly AnyEvent[]): EventFilters[] {
  return events.flatMap((event) => {
    const principals = [event.on_behalf_of ?? []].flat() as readonly { readonly actor_id?: unknown }[];
    const members = (['metadata', 'context'] as const).flatMap((field) =>
      sampleOf(memberValues(event[field]), 1).map(([path, text]) => [`${field}.${path}`, text] as const),
    );
    const [entity] = [event.entity_ids ?? []].flat();
    const tried = [
      ['actor', `${event.actor_type}:${event.actor_id}`],
      ['source_ip', event.source_ip],
      ['entity_ids', entity],
      ['on_behalf_of', principals[0]?.actor_id],
      ...members.filter(([name]) => parseMemberName(name) !== undefined),
    ] as const;
    return tried.flatMap(([name, value]) =>
      typeof value === 'string' && isParameter(value) ? [{ [name]: value } as EventFilters] : [],
    );
  });
}

async function checkFilter(
  log: ListedLog,
  window: RecordWindow,
  filters: EventFilters,
  expected: readonly ListedRecord[],
): Promise<Finding[]> {
  const found = new Set<number>();
  for await (const view of listWindow(log, window, { filters })) found.add(positionOf(view));
  const [[name, value] = []] = Object.entries(filters);
  return compare(`${name}=${value}`, expected, found);
}

/** Whether the service adds the field to the record. */
function isAdded({ field }: FilterParameter): boolean {
  return field.path === undefined;
}

/** The list that people see first. It leaves out the service's bookkeeping, and nothing else. */
async function checkDefaultList(
  log: ListedLog,
  window: RecordWindow,
  listed: readonly ListedRecord[],
): Promise<Finding[]> {
  const found = new Set<number>();
  for await (const view of listWindow(log, window, { withReads: false })) found.add(positionOf(view));
  const expected = listed.filter(({ record }) => !bookkeeping.has(String(record.event.event_type)));
  return compare('for no bookkeeping', expected, found);
}

function compare(filter: string, expected: readonly ListedRecord[], found: ReadonlySet<number>): Finding[] {
  const positions = new Set(expected.map(({ view }) => positionOf(view)));
  return [
    ...[...positions]
      .filter((position) => !found.has(position))
      .map((position) => mismatch(position, `the filter ${filter} finds it`, 'it does not')),
    ...[...found]
      .filter((position) => !positions.has(position))
      .map((position) => mismatch(position, `the filter ${filter} does not find it`, 'it does')),
  ];
}

/** What a record has in the field of a filter; undefined where no value finds it. */
function valueIn({ field }: FilterParameter, ingestedAt: string, columns: IndexedColumns): Value | undefined {
  if (field.name === 'ingested_at') return ingestedAt;
  const value = columns[field.name as keyof IndexedColumns] ?? undefined;
  if (value !== undefined) return value;
  return field.filter?.kind === 'enum' ? field.filter.absent : undefined;
}

/** Times are texts of one form, which sort as the times do. */
function matches({ compare }: FilterParameter, own: Value | undefined, value: Value): boolean {
  if (own === undefined) return false;
  if (compare === 'at_least') return own >= value;
  return compare === 'below' ? own < value : own === value;
}

/** The values that a filter is tried with. A range is tried with a time that includes all records, and with one between them. */
function triedValues({ compare }: FilterParameter, values: readonly (Value | undefined)[]): readonly Value[] {
  if (compare === 'equal' || compare === 'prefix') return sampleOf(values, samples);
  const times = values.filter((value) => typeof value === 'string').sort();
  if (times.length === 0) return [];
  const all = compare === 'below' ? new Date(Date.parse(times.at(-1)!) + 1).toISOString() : times[0]!;
  return [all, ...sampleOf(times, 1)];
}

/** Some of the distinct values, at random. An empty text and a very long one can't be a parameter. */
function sampleOf<T>(values: readonly (T | undefined)[], count: number): T[] {
  const distinct = [...new Set(values)].filter(isParameter);
  return Array.from({ length: Math.min(count, distinct.length) }, () => {
    const [chosen] = distinct.splice(Math.floor(Math.random() * distinct.length), 1);
    return chosen!;
  });
}

function isParameter<T>(value: T | undefined): value is T {
  return value !== undefined && (typeof value !== 'string' || (value !== '' && value.length <= maxParameter));
}

/** Longest text that the API takes as a filter. */
const maxParameter = 512;

async function eventOf({ client, tenantId }: ListedLog, auditId: string) {
  try {
    const view = await client.events.get(auditId, { tenant_id: tenantId, include: 'record' });
    return recordOf(view) === undefined ? undefined : view;
  } catch (error) {
    if (error instanceof ClientError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}
