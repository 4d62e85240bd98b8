import { parseTimestamp } from '@tallystick/event';
import type { EventView } from '../api/events.ts';

/** A record of a timeline. The audited party wrote the event, so every member may be anything. */
export interface TimelineRecord {
  readonly event: EventView;
  readonly id: string;
  /** The `audit_id` of the event that led to this one. */
  readonly cause: string | undefined;
  /** The event type; `(sensitive)` or `(damaged)` where the service does not show it. */
  readonly type: string;
  /** When it happened, ms since the epoch. */
  readonly time: number;
  readonly sequence: number;
}

/** Reads an event as a record of a timeline. */
export function timelineRecord(event: EventView): TimelineRecord {
  return {
    event,
    id: String(event.audit_id),
    cause: textIn(event, 'parent_id'),
    type: typeOf(event),
    time: timeOf(event),
    sequence: numberIn(event, 'sequence_number') ?? -1,
  };
}

function typeOf(event: EventView): string {
  if (event.redacted === true) return '(sensitive)';
  if (event.damaged === true) return '(damaged)';
  return textIn(event, 'event_type') ?? '(no type)';
}

/** A record that does not say when it happened counts as of the time when it was chained. */
function timeOf(event: EventView): number {
  const times = [event.timestamp, event.ingested_at].map((time) => parseTimestamp(String(time)));
  return times.find((time) => !Number.isNaN(time)) ?? 0;
}

/** By time, then by position in the chain. */
export function inOrder(a: TimelineRecord, b: TimelineRecord): number {
  return a.time - b.time || a.sequence - b.sequence;
}

/** The member at a path. */
export function memberIn(event: EventView, ...path: readonly string[]): unknown {
  let value: unknown = event;
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as { readonly [name: string]: unknown })[name];
  }
  return value;
}

/** The text at a path, if there is one that is not empty. */
export function textIn(event: EventView, ...path: readonly string[]): string | undefined {
  const value = memberIn(event, ...path);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The number at a path, if there is one from 0. */
export function numberIn(event: EventView, ...path: readonly string[]): number | undefined {
  const value = memberIn(event, ...path);
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** The texts of the list at a path. */
export function textsIn(event: EventView, ...path: readonly string[]): readonly string[] {
  const value = memberIn(event, ...path);
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string' && each !== '') : [];
}

/** What an event is about, as `host:line-4`. */
export function targetOf(event: EventView): string | undefined {
  const parts = [textIn(event, 'target_type'), textIn(event, 'target_id')].filter(
    (part) => part !== undefined,
  );
  return parts.length === 0 ? undefined : parts.join(':');
}
