import { type TimelineRecord, targetOf, textIn } from './timeline-record.ts';

/** Something that was done, refused or undone. One or several records say how it ended. */
export interface Effect {
  readonly action: string;
  readonly target: string | undefined;
  /** Each different end that a record reports, in order. More than one: the records contradict each other. */
  readonly ends: readonly string[];
  readonly group: 'done' | 'not_done' | 'undone';
  readonly records: readonly TimelineRecord[];
}

/** Types whose records say that the action that their `parent_id` names has ended. */
const endOfCause = new Set([
  'response.executed',
  'agent.action.completed',
  'agent.action.abandoned',
  'agent.action.unresolved',
]);
/** Types whose records say the whole by themselves. */
const endOfItself = new Set([
  'agent.tool.called',
  'response.rolled_back',
  'alert.auto_closed',
  'alert.short_circuited',
  'shadow.decision_logged',
]);

/** Whether a record says that an action that was declared is not going on any more. */
export function isEnd(record: TimelineRecord): boolean {
  return endOfCause.has(record.type) || isDenial(record);
}

function isDenial({ type, event }: TimelineRecord): boolean {
  return type === 'agent.action.decided' && textIn(event, 'decision', 'effect') === 'deny';
}

/**
 * What was done and what was not. An application and its gate may each record the end of one action, below the same intent: these
 * records count once.
 */
export function effectsOf(records: readonly TimelineRecord[]): Effect[] {
  const groups = new Map<string, TimelineRecord[]>();
  for (const record of records) {
    if (!isEnd(record) && !endOfItself.has(record.type)) continue;
    const key = isEnd(record) ? (record.cause ?? record.id) : record.id;
    groups.set(key, [...(groups.get(key) ?? []), record]);
  }
  return [...groups.values()].map(effectOf);
}

function effectOf(records: readonly TimelineRecord[]): Effect {
  const first = records[0]!;
  const ends = [...new Set(records.map(endOf))];
  const isUndone = first.type === 'response.rolled_back';
  const succeeded = records.every(
    ({ event, type }) =>
      textIn(event, 'outcome', 'outcome_status') === 'success' && type !== 'shadow.decision_logged',
  );
  return {
    action: records.map(actionOf).find((action) => action !== undefined) ?? first.type,
    target: records.map(({ event }) => textIn(event, 'outcome', 'action_target') ?? targetOf(event))[0],
    ends,
    group: isUndone ? 'undone' : succeeded ? 'done' : 'not_done',
    records,
  };
}

/** The action that a record is about. */
export function actionOf({ event, type }: TimelineRecord): string | undefined {
  if (type === 'shadow.decision_logged') return textIn(event, 'decision', 'classification');
  return (
    textIn(event, 'outcome', 'action_taken') ??
    textIn(event, 'context', 'action') ??
    textIn(event, 'context', 'gen_ai.tool.name')
  );
}

function endOf({ event, type }: TimelineRecord): string {
  if (type === 'shadow.decision_logged') return 'shadow mode';
  if (type === 'agent.action.decided') return 'denied by the policy';
  const code = textIn(event, 'outcome', 'error_code');
  const status = textIn(event, 'outcome', 'outcome_status') ?? 'no outcome';
  return code === undefined ? status : `${status} (${code})`;
}
