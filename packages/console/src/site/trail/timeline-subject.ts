/** Whose timeline a page shows: what its records have in common. */
import type { TimelineSubject } from '@tallystick/protocol';

/** The fields that join records into a timeline, with their words. */
export const subjectFields = [
  { field: 'investigation_id', title: 'Investigation' },
  { field: 'trace_id', title: 'Trace' },
  { field: 'correlation_id', title: 'Correlation' },
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

/** The subject as the API takes it. */
export function apiSubject({ field, id }: Subject): TimelineSubject {
  return { [field]: id } as unknown as TimelineSubject;
}
