/** Whose timeline a page shows: what its records have in common. */
import type { EventView, TimelineSubject } from '@tallystick/protocol';
import { textOf } from './event-text.ts';

/** What joins records into a timeline, as the API names it, with their words. The widest is first. */
export const subjectFields = [
  { field: 'investigation_id', title: 'Investigation' },
  { field: 'trace_id', title: 'Trace' },
  { field: 'correlation_id', title: 'Correlation' },
  { field: 'run_id', title: 'Agent run' },
] as const;

/** One of {@link subjectFields}. */
type SubjectField = (typeof subjectFields)[number]['field'];

/** The subject that an address names: the first one, because a timeline has exactly one. */
export interface Subject {
  readonly field: SubjectField;
  readonly title: string;
  readonly id: string;
}

/** The subject in the parameters of an address. */
export function subjectOf(parameters: URLSearchParams): Subject | undefined {
  for (const { field, title } of subjectFields) {
    const id = parameters.get(field);
    if (id !== null && id !== '') return { field, title, id };
  }
  return undefined;
}

/** The type of the record with which a run of an agent begins. */
export const startOfRun = 'agent.run.started';

/**
 * The id of the subject that an event itself names. A run has no field: its id is the `audit_id` of its first record, which is the cause of
 * its last one. The records between them name their causes only.
 */
export function subjectIdOf(event: EventView, field: SubjectField): string | undefined {
  if (field !== 'run_id') return textOf(event, field);
  // Without it, the records of the run can't be found.
  if (textOf(event, 'correlation_id') === undefined) return undefined;
  const type = textOf(event, 'event_type');
  if (type === startOfRun) return textOf(event, 'audit_id');
  return type === 'agent.run.completed' ? textOf(event, 'parent_id') : undefined;
}

/** The subject as the API takes it. */
export function apiSubject({ field, id }: Subject): TimelineSubject {
  return { [field]: id } as unknown as TimelineSubject;
}
