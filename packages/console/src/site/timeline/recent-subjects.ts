import type { EventView } from '@tallystick/protocol';
import { textOf } from '../trail/event-text.ts';
import { type Subject, subjectFields, subjectIdOf } from '../trail/timeline-subject.ts';

/** A subject of a timeline that the newest events name. */
export interface RecentSubject extends Subject {
  /** How many of the events that were looked at belong to it. */
  readonly events: number;
  /** Time of its newest event. */
  readonly newest: unknown;
  /** Types of its newest events, the newest first, each once. */
  readonly types: readonly string[];
}

/** How many types are named. */
const typesShown = 3;

/** The subjects of events that are in the order of a list: the newest first. Of each event, its widest subject counts. */
export function recentSubjects(events: readonly EventView[]): readonly RecentSubject[] {
  const found = new Map<string, RecentSubject>();
  for (const event of events) {
    const subject = subjectFields.find(({ field }) => subjectIdOf(event, field) !== undefined);
    if (subject === undefined) continue;
    const id = subjectIdOf(event, subject.field)!;
    const key = `${subject.field} ${id}`;
    const before = found.get(key);
    const types = before?.types ?? [];
    const type = textOf(event, 'event_type');
    const isNew = type !== undefined && types.length < typesShown && !types.includes(type);
    found.set(key, {
      ...subject,
      id,
      events: (before?.events ?? 0) + 1,
      newest: before?.newest ?? event.timestamp,
      types: isNew ? [...types, type] : types,
    });
  }
  return [...found.values()];
}
