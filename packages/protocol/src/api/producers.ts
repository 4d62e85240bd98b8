/**
 * State of a producer's account.
 * - `closed`: the producer declared its last number, and every number up to it is accounted for.
 * - `open`: the outcome of some numbers is unknown. Their events may still arrive.
 * - `unclosed`: the producer fell silent without declaring its last number. No gap is seen, and its end is unknown: it may
 *   have held more in memory.
 * - `running`: none of these.
 */
export const producerStates = ['open', 'unclosed', 'running', 'closed'] as const;

/** One of {@link producerStates}. */
export type ProducerState = (typeof producerStates)[number];

/** What one producer sent for one tenant, by the producer's own numbering (spec/delivery.md). */
export interface ProducerAccount {
  /** The API key or the topic that its events came through. */
  readonly submitter: string;
  readonly producer_id: string;
  readonly tenant_id: string;
  readonly service: string | null;
  readonly state: ProducerState;
  /** The producer declared that its runtime may end it without notice. If it is `unclosed`, that is no reason for an alert. */
  readonly ephemeral: boolean;
  /** The highest number that the service knows of. */
  readonly numbers: number;
  /** How many numbers have no known outcome. */
  readonly open_numbers: number;
  /** The first hundred ranges of those numbers, both ends included. */
  readonly open: readonly (readonly [first: number, last: number])[];
  readonly final_seq: number | null;
  readonly first_seen_at: string;
  readonly last_seen_at: string;
}

/** A page of a list of producers' accounts. */
export interface ProducerPage {
  readonly producers: readonly ProducerAccount[];
  readonly next_cursor?: string;
}

/** Which accounts of abandoned producers to close; an account must match everything that is given. */
export interface ProducerSettlement {
  readonly tenant_id?: string | undefined;
  readonly producer_ids?: readonly string[] | undefined;
  /** How long a producer must have been silent. */
  readonly silent_seconds?: number | undefined;
  /** Why these producers will send nothing more; it becomes part of the records. */
  readonly reason: string;
  /** Only count. @defaultValue true */
  readonly dry_run?: boolean | undefined;
}

/** What a settlement closed, or would close. */
export interface ProducersSettled {
  /** False for a dry run. */
  readonly settled: boolean;
  /** Number of accounts: one for each producer and tenant. */
  readonly accounts: number;
  /** How many numbers were declared lost. */
  readonly numbers: number;
}
