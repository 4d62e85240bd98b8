import type { MissingMatter } from '../api/missing.ts';
import { type Effect, effectsOf } from './effects.ts';
import { missingIn } from './missing.ts';
import { type ModelTotal, modelTotals } from './model-call.ts';
import { type Participation, participationsOf } from './people.ts';
import type { Timeline } from './read-timeline.ts';
import type { TimelineRecord } from './timeline-record.ts';

/** What the records of a timeline say together. */
export interface TimelineSummary {
  readonly models: readonly ModelTotal[];
  readonly people: readonly Participation[];
  readonly effects: readonly Effect[];
  readonly quarantined: readonly TimelineRecord[];
  /** What is missing, or may be. */
  readonly missing: readonly MissingMatter[];
}

/** Adds up what the records of a timeline say: models, people, actions, quarantines, and what is missing. */
export function summarize(timeline: Timeline): TimelineSummary {
  const { records } = timeline;
  const effects = effectsOf(records);
  return {
    models: modelTotals(records),
    people: participationsOf(records),
    effects,
    quarantined: records.filter(({ type }) => type.endsWith('.quarantined') || type === 'injection.detected'),
    missing: missingIn(timeline, effects),
  };
}
