import type { TimelineSubject } from '@tallystick/protocol';
import { CliError } from '../errors.ts';

/** Options that name what a timeline is of, where it is not an investigation. */
export interface SubjectOptions {
  readonly correlation?: string;
  readonly trace?: string;
  readonly run?: string;
}

interface SubjectKind {
  readonly member: keyof TimelineSubject;
  readonly word: string;
  /** How to find one. */
  readonly hint: string;
}

const kinds: readonly SubjectKind[] = [
  {
    member: 'investigation_id',
    word: 'investigation',
    hint: "tally events --type 'investigation.*' --json lists investigations",
  },
  {
    member: 'correlation_id',
    word: 'correlation',
    hint: 'tally events --json shows the correlation_id of each event',
  },
  { member: 'trace_id', word: 'trace', hint: 'tally events --json shows the trace_id of each event' },
  {
    member: 'run_id',
    word: 'run',
    hint: 'tally events --type agent.run.started --json lists runs of agents by their audit_id',
  },
];

/** @throws {CliError} `USAGE` unless exactly one is named */
export function subjectOf(
  { correlation, trace, run }: SubjectOptions,
  investigation: string | undefined,
): TimelineSubject {
  const subject: TimelineSubject = {
    ...(investigation !== undefined && { investigation_id: investigation }),
    ...(correlation !== undefined && { correlation_id: correlation }),
    ...(trace !== undefined && { trace_id: trace }),
    ...(run !== undefined && { run_id: run }),
  };
  if (Object.keys(subject).length === 1) return subject;
  throw new CliError('USAGE', 'name one investigation, or one of --correlation, --trace and --run');
}

/** The kind of a subject and its id, for people. */
export function describeSubject(subject: TimelineSubject): SubjectKind & { readonly id: string } {
  const kind = kinds.find(({ member }) => subject[member] !== undefined)!;
  return { ...kind, id: subject[kind.member]! };
}
