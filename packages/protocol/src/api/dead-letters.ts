import type { ChainedResult, ItemError, RefusedResult } from '../results.ts';

/**
 * State of a dead letter.
 * - `open`: waits for a decision. `retried`: its event was submitted again. `purged`: its bytes were erased.
 */
export const deadLetterStates = ['open', 'retried', 'purged'] as const;

/** One of {@link deadLetterStates}. */
export type DeadLetterState = (typeof deadLetterStates)[number];

/** An event that the service refused and keeps, with the reason. */
export interface DeadLetterInfo {
  readonly id: string;
  readonly tenant_id: string | null;
  readonly audit_id: string | null;
  readonly source: string;
  /** Topic, partition and offset of the Kafka message that carried it; null if it did not come from Kafka. */
  readonly topic: string | null;
  readonly partition: number | null;
  readonly offset: number | null;
  readonly principal: string | null;
  readonly producer_id: string | null;
  readonly producer_seq: number | null;
  readonly reason: string;
  readonly pointer: string;
  readonly message: string;
  readonly bytes: number;
  readonly first_seen_at: string;
  readonly last_seen_at: string;
  /** How often it was delivered. */
  readonly seen: number;
  readonly state: DeadLetterState;
  readonly settled_at: string | null;
  readonly settled_by: string | null;
}

/** A dead letter with the bytes that the service received. */
export interface DeadLetter extends DeadLetterInfo {
  /** Standard base64. Present only for the scope `admin`. */
  readonly raw_base64?: string | undefined;
}

/** A page of a list of dead letters. */
export interface DeadLetterPage {
  readonly dead_letters: readonly DeadLetterInfo[];
  readonly next_cursor?: string;
}

/**
 * The dead letter was a producer's statement that declares no gap, such as its last number. The service has entered it in the
 * producer's account and chains no record.
 */
export interface NotedResult {
  readonly status: 'noted';
}

/** The result of submitting a dead letter again. */
export type RetryResult<E extends ItemError = ItemError> = ChainedResult | RefusedResult<E> | NotedResult;

/** Which dead letters to purge. A dead letter must match every member that is given. */
export interface DeadLetterPurge {
  readonly tenant_id?: string | undefined;
  readonly ids?: readonly string[] | undefined;
  readonly state?: 'open' | 'retried' | undefined;
  /** Code of the refusal. */
  readonly reason?: string | undefined;
  readonly topic?: string | undefined;
  /** RFC 3339. Only dead letters that were last delivered before this time. */
  readonly before?: string | undefined;
  /** Only count. @defaultValue true */
  readonly dry_run?: boolean | undefined;
}

/** What a purge erased, or would erase. */
export interface DeadLettersPurged {
  /** False for a dry run. */
  readonly purged: boolean;
  /** Number of dead letters. */
  readonly letters: number;
  /** Their number by the code of the refusal. */
  readonly by_reason: { readonly [reason: string]: number };
}
