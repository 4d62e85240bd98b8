import { numberIn, type TimelineRecord, textIn } from './timeline-record.ts';

/** What a person did. */
export interface Participation {
  readonly person: string;
  /** `granted stop_line`, or the type of the event. */
  readonly did: string;
  readonly latencyMs: number | undefined;
  readonly comment: string | undefined;
  readonly record: TimelineRecord;
}

/** Types of decisions, and how they are said. */
const decisions: { readonly [type: string]: string } = {
  'approval.granted': 'granted',
  'approval.denied': 'denied',
  'approval.break_glass': 'permitted without the required approval',
};

/** The person who decided an approval, by the record of the decision; undefined for every other record. */
export function decisionOf({ event, type }: TimelineRecord): Participation['did'] | undefined {
  const verb = Object.hasOwn(decisions, type) ? decisions[type] : undefined;
  if (verb === undefined) return undefined;
  return [verb, textIn(event, 'context', 'action')].filter((part) => part !== undefined).join(' ');
}

/** What people did: their decisions, and every other record with a person as the actor. */
export function participationsOf(records: readonly TimelineRecord[]): Participation[] {
  return records.flatMap((record) => {
    const { event, type } = record;
    const decided = decisionOf(record);
    const actorType = textIn(event, 'actor_type');
    const actor = actorType === 'user' || actorType === 'human' ? textIn(event, 'actor_id') : undefined;
    const person = (decided && textIn(event, 'outcome', 'approval_received_from')) ?? actor;
    // The desk claims an approval in the name of the login of the agent.
    if (person === undefined || type === 'approval.claimed' || type === 'approval.requested') return [];
    return [
      {
        person,
        did: decided ?? type,
        latencyMs: numberIn(event, 'outcome', 'approval_latency_ms'),
        comment: textIn(event, 'outcome', 'approval_comment'),
        record,
      },
    ];
  });
}
