import type { AcceptedResult, ChainedResult, RefusedResult } from '../results.ts';

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
  /** Topic, partition and offset of the message that brought it; null where it came another way. */
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
  /** How many times it was delivered. */
  readonly seen: number;
  readonly state: DeadLetterState;
  readonly settled_at: string | null;
  readonly settled_by: string | null;
  /** The bytes as received. Present only for one letter at a time, and only for the scope `admin`. */
  readonly raw_base64?: string | undefined;
}

/** A page of a list of dead letters. */
export interface DeadLetterPage {
  readonly dead_letters: readonly DeadLetterInfo[];
  readonly next_cursor?: string;
}

/** What became of a dead letter that was submitted again. `noted`: a producer's statement without a gap; no record follows. */
export type RetryResult = ChainedResult | AcceptedResult | RefusedResult | { readonly status: 'noted' };

/** Which dead letters to purge; a letter must match everything that is given. */
export interface DeadLetterPurge {
  readonly tenant_id?: string | undefined;
  readonly ids?: readonly string[] | undefined;
  readonly state?: 'open' | 'retried' | undefined;
  /** Code of the refusal. */
  readonly reason?: string | undefined;
  readonly topic?: string | undefined;
  /** Last delivered before this time, RFC 3339. */
  readonly before?: string | undefined;
  /** Only count. @defaultValue true */
  readonly dry_run?: boolean | undefined;
}

/** What a purge erased, or would erase. */
export interface DeadLettersPurged {
  /** False for a dry run. */
  readonly purged: boolean;
  readonly letters: number;
  readonly by_reason: { readonly [reason: string]: number };
}
