/** What a record of a timeline says, in a line. Every text comes from the audited party and may be anything. */
import {
  actionOf,
  counted,
  decisionOf,
  duration,
  modelCallOf,
  numberIn,
  type TimelineRecord,
  targetOf,
  textIn,
  usd,
} from '@tallystick/protocol';

/**
 * What happened: a change of state, a decision, an action and its target, a verdict.
 *
 * @param subjectId id of what the timeline is about; a record about it does not repeat it
 */
export function whatOf(record: TimelineRecord, subjectId: string): string {
  const { event } = record;
  const action = decisionOf(record) ?? actionOf(record);
  const verdict = textIn(event, 'decision', 'classification');
  const fullTarget = textIn(event, 'outcome', 'action_target') ?? targetOf(event);
  const target = fullTarget?.endsWith(`:${subjectId}`) === true ? undefined : fullTarget;
  const confidence = numberIn(event, 'decision', 'confidence');
  const parts = [
    stateOf(record),
    action === undefined ? undefined : [action, target].filter((part) => part !== undefined).join(' '),
    textIn(event, 'decision', 'effect'),
    verdict === action ? undefined : verdict,
    confidence === undefined ? undefined : `confidence ${confidence}`,
  ];
  const known = parts.filter((part) => part !== undefined);
  return known.length > 0 ? known.join(', ') : (target ?? '');
}

function stateOf({ event, type }: TimelineRecord): string | undefined {
  const before = textIn(event, 'outcome', 'state_before');
  const after = textIn(event, 'outcome', 'state_after');
  if (before !== undefined) return `${before} → ${after ?? 'not on record'}`;
  // The type says the state of an approval.
  return after === undefined || type.startsWith('approval.') ? undefined : `→ ${after}`;
}

/** Why it happened, or what went wrong. */
export function whyOf({ event }: TimelineRecord): string | undefined {
  const error = [textIn(event, 'outcome', 'error_code'), textIn(event, 'outcome', 'error_message')]
    .filter((part) => part !== undefined)
    .join(': ');
  const comment = textIn(event, 'outcome', 'approval_comment');
  return (
    textIn(event, 'decision', 'reasoning_summary') ??
    textIn(event, 'decision', 'reason') ??
    comment ??
    textIn(event, 'context', 'reason_unverified') ??
    (error === '' ? undefined : error)
  );
}

/** How many causes are looked at for a reason: the intent of an action, and what prepared it. */
const causesAsked = 3;

/** Why an action was done: what its record says, or else the nearest cause that says it. */
export function reasonOf(
  record: TimelineRecord,
  byId: ReadonlyMap<string, TimelineRecord>,
): string | undefined {
  let asked: TimelineRecord | undefined = record;
  for (let at = 0; at <= causesAsked && asked !== undefined; at += 1) {
    const why = whyOf(asked);
    if (why !== undefined) return why;
    asked = asked.cause === undefined ? undefined : byId.get(asked.cause);
  }
  return undefined;
}

/** Who did it: the type is left out for services, which most records are from. */
export function whoOf({ event }: TimelineRecord): string | undefined {
  const id = textIn(event, 'outcome', 'approval_received_from') ?? textIn(event, 'actor_id');
  const type = textIn(event, 'actor_type');
  return id === undefined || type === undefined || type === 'service' ? id : `${type} ${id}`;
}

/** Model, tokens and cost of the call that a record is about. */
export function modelWordsOf(record: TimelineRecord): string | undefined {
  const call = modelCallOf(record);
  if (call === undefined) return undefined;
  const { model, inputTokens, outputTokens, costUsd, latencyMs } = call;
  const parts = [
    model,
    inputTokens === undefined && outputTokens === undefined
      ? undefined
      : counted((inputTokens ?? 0) + (outputTokens ?? 0), 'token'),
    costUsd === undefined ? 'cost not recorded' : usd(costUsd),
    latencyMs === undefined ? undefined : duration(latencyMs),
  ];
  return parts.filter((part) => part !== undefined).join(' · ');
}
