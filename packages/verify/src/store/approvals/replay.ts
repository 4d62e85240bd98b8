import { readRecord } from '@tallystick/log';

/** Types of the records that change an approval. */
export const changeTypes: readonly string[] = [
  'approval.requested',
  'approval.reminded',
  'approval.escalated',
  'approval.granted',
  'approval.denied',
  'approval.break_glass',
  'approval.timed_out',
  'approval.withdrawn',
  'approval.claimed',
  'approval.expired',
];

/** A record as the store has it. */
export interface StoredRecord {
  readonly epoch: number;
  readonly sequence: number;
  readonly record: string;
}

/** What a record says of one member of an approval. */
export interface RecordedMember {
  /** `undefined`: the approval does not have the member. */
  readonly value: unknown;
  readonly sequence: number;
  readonly epoch: number;
}

interface ChangeEvent {
  readonly event_type: string;
  readonly timestamp: string;
  readonly actor_id: string;
  readonly target_id?: string;
  readonly parent_id?: string;
  readonly context?: {
    readonly document?: unknown;
    readonly document_digest?: unknown;
    readonly rules?: Rules;
  };
  readonly outcome?: { readonly state_after?: unknown; readonly approval_comment?: unknown };
  readonly metadata?: {
    readonly requester?: unknown;
    readonly attempt?: unknown;
    readonly version?: unknown;
  };
}

interface Rules {
  readonly timeout_ms: number;
  readonly remind_after_ms?: number;
  readonly claim_within_ms: number;
}

/**
 * One approval, as the service's records describe it (spec/approvals.md). Members have the names of the approval; `version` is the
 * number of its changes.
 */
export class ReplayedApproval {
  readonly members = new Map<string, RecordedMember>();
  /** Position of the last record. */
  sequence = -1;
  epoch = 0;

  /** @returns the approval that a record is about; `undefined` if the service did not write it, or it changes none */
  static targetOf({ record }: StoredRecord): string | undefined {
    return eventOf(record)?.target_id;
  }

  /** Applies the next record. A record of somebody else than the service says nothing. */
  apply({ record, sequence, epoch }: StoredRecord): void {
    const event = eventOf(record);
    if (event === undefined) return;
    this.sequence = sequence;
    this.epoch = epoch;
    const { event_type, timestamp, actor_id, outcome = {}, metadata = {} } = event;
    this.#set('state', outcome.state_after);
    // Records of earlier versions do not have it: it is not compared then.
    if (metadata.version === undefined) this.members.delete('version');
    else this.#set('version', metadata.version);
    switch (event_type) {
      case 'approval.requested':
        this.#request(event);
        break;
      case 'approval.reminded':
        this.#set('remind_at', undefined);
        break;
      case 'approval.escalated':
        this.#set('remind_at', undefined);
        this.#set('escalated', true);
        this.#set('decide_before', later(this.#value('decide_before'), this.#rules?.timeout_ms));
        break;
      case 'approval.granted':
      case 'approval.denied':
      case 'approval.break_glass':
        this.#decide(event);
        break;
      case 'approval.claimed':
        this.#set('claim', { attempt: metadata.attempt, subject: actor_id, claimed_at: timestamp });
        break;
    }
  }

  #request({ target_id, parent_id, timestamp, context = {}, metadata = {} }: ChangeEvent): void {
    const { document, document_digest, rules } = context;
    const remindAfter = rules?.remind_after_ms;
    this.#set('id', target_id);
    this.#set('intent_id', parent_id);
    this.#set('document', document);
    this.#set('document_digest', document_digest);
    this.#set('requester', metadata.requester);
    this.#set('rules', rules);
    this.#set('decisions', []);
    this.#set('created_at', timestamp);
    this.#set('decide_before', later(timestamp, rules?.timeout_ms));
    this.#set('remind_at', remindAfter === undefined ? undefined : later(timestamp, remindAfter));
    for (const name of ['escalated', 'claim_before', 'claim']) this.#set(name, undefined);
  }

  #decide({ event_type, timestamp, actor_id, outcome = {} }: ChangeEvent): void {
    const { approval_comment: comment, state_after } = outcome;
    const decision = {
      subject: actor_id,
      verdict: event_type === 'approval.denied' ? 'deny' : 'grant',
      ...(comment !== undefined && { comment }),
      ...(event_type === 'approval.break_glass' && { break_glass: true }),
      decided_at: timestamp,
    };
    this.#set('decisions', [...((this.#value('decisions') as unknown[] | undefined) ?? []), decision]);
    if (state_after === 'granted') this.#set('claim_before', later(timestamp, this.#rules?.claim_within_ms));
  }

  get #rules(): Rules | undefined {
    return this.#value('rules') as Rules | undefined;
  }

  #value(name: string): unknown {
    return this.members.get(name)?.value;
  }

  #set(name: string, value: unknown): void {
    this.members.set(name, { value, sequence: this.sequence, epoch: this.epoch });
  }
}

/** RFC 3339 text of a time that is later by some milliseconds; `undefined` if one of them is none, in a record that is damaged. */
function later(from: unknown, ms: number | undefined): string | undefined {
  const time = Date.parse(String(from)) + (ms ?? Number.NaN);
  return Number.isNaN(time) || Math.abs(time) > 8.64e15 ? undefined : new Date(time).toISOString();
}

/** The event of a record that the service wrote about a change of an approval. */
function eventOf(text: string): ChangeEvent | undefined {
  try {
    const { event, ingest } = readRecord(text);
    return ingest.trust === 'service' && (changeTypes as readonly unknown[]).includes(event.event_type)
      ? (event as unknown as ChangeEvent)
      : undefined;
  } catch {
    // Bytes that are not a record are a finding of the chain's check.
    return undefined;
  }
}
