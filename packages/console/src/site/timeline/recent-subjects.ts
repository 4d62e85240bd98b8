import { counted, type EventView, modelCallOf, textIn, timelineRecord, usd } from '@tallystick/protocol';
import { textOf } from '../trail/event-text.ts';
import { type Subject, subjectFields, subjectIdOf } from '../trail/timeline-subject.ts';
import { titleOf } from '../trail/title.ts';

/** A subject of a timeline that the newest events name. */
export interface RecentSubject extends Subject {
  /** What it is about, in the words of its events. */
  readonly headline: string | undefined;
  /** What its events say together: the newest state, people, models, what was kept from models. */
  readonly facts: readonly string[];
  /** How many of the events that were looked at belong to it. */
  readonly events: number;
  /** Time of its newest event. */
  readonly newest: unknown;
}

/** How many types or people are named. */
const named = 3;

/** The subjects of events that are in the order of a list: the newest first. Of each event, its widest subject counts. */
export function recentSubjects(events: readonly EventView[]): readonly RecentSubject[] {
  const found = new Map<string, Subject & { readonly its: EventView[] }>();
  for (const event of events) {
    const subject = subjectFields.find(({ field }) => subjectIdOf(event, field) !== undefined);
    if (subject === undefined) continue;
    const id = subjectIdOf(event, subject.field)!;
    const key = `${subject.field} ${id}`;
    const entry = found.get(key) ?? { ...subject, id, its: [] };
    entry.its.push(event);
    found.set(key, entry);
  }
  return [...found.values()].map(({ its, ...subject }) => ({
    ...subject,
    headline: titleOf(its.toReversed()),
    facts: factsOf(its),
    events: its.length,
    newest: its[0]!.timestamp,
  }));
}

/** A reader finds by them the timeline that they look for. Types stand for events that say nothing of this. */
function factsOf(events: readonly EventView[]): string[] {
  const state = events.find((event) => textIn(event, 'outcome', 'state_before') !== undefined);
  const calls = events.flatMap((event) => modelCallOf(timelineRecord(event)) ?? []);
  const cost = calls.reduce((sum, { costUsd = 0 }) => sum + costUsd, 0);
  const facts = [
    state && textIn(state, 'outcome', 'state_after'),
    decided(events, 'approval.granted', 'granted by'),
    decided(events, 'approval.denied', 'denied by'),
    calls.length > 0 ? `${counted(calls.length, 'model call')}, ${usd(cost)}` : undefined,
    events.some((event) => textOf(event, 'event_type')?.endsWith('.quarantined') === true)
      ? 'kept from a model'
      : undefined,
  ].filter((fact) => fact !== undefined);
  return facts.length > 0 ? facts : distinct(events.map((event) => textOf(event, 'event_type')));
}

function decided(events: readonly EventView[], type: string, words: string): string | undefined {
  const decisions = events.filter((event) => textOf(event, 'event_type') === type);
  const people = distinct(
    decisions.map((event) => textIn(event, 'outcome', 'approval_received_from') ?? textOf(event, 'actor_id')),
  );
  return people.length === 0 ? undefined : `${words} ${people.join(' and ')}`;
}

function distinct(texts: readonly (string | undefined)[]): string[] {
  return [...new Set(texts.filter((text) => text !== undefined))].slice(0, named);
}
