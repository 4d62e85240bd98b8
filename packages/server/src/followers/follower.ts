import type { AuditRecord } from '@tallystick/log';
import type { Session } from '../store/database.ts';

/**
 * The contract of a follower: a part of the service that keeps something derived from the chains, such as an index, a counter, or a
 * copy in another system.
 *
 * For every tenant, the service hands a follower each committed record in chain order, at least once, across epochs. It MUST NOT skip a
 * record, whichever process crashes or freezes. Two kinds of followers differ in where their effect is.
 */
export type Follower = DatabaseFollower | OutsideFollower;

interface FollowerBase {
  /** Lower-case words with hyphens. It is the key of the cursors, so it never changes. */
  readonly name: string;
  /** Most records of a page. @defaultValue 256 */
  readonly pageRecords?: number;
  /**
   * Work that is due by time and not by a record, such as deadlines. Called about once a second on each replica. It MUST be safe to run on
   * two replicas at once: a lease decides who should do it, and a frozen holder may wake up late.
   */
  readonly tick?: (state: TickState) => Promise<void>;
}

/** A follower whose effect is rows of the same database. The rows and the cursor commit together: exactly once. */
export interface DatabaseFollower extends FollowerBase {
  readonly effect: 'database';
  /**
   * Stores what the records mean, in the transaction that moves the cursor. It MUST change nothing outside of this transaction, and MUST
   * write and read only rows of `page.generation`: after a reset, the next generation is filled beside the one that readers use.
   *
   * @throws whatever makes these records impossible to apply: the follower stops for this tenant after some attempts
   */
  readonly apply: (session: Session, page: FollowedPage) => Promise<void>;
  /** Deletes rows of a generation: of one tenant, or else some thousands of any tenant. Returns whether rows may be left. */
  readonly clear: (session: Session, generation: number, tenantId?: string) => Promise<boolean>;
}

/**
 * A follower whose effect is outside of the database. Each record is delivered at least once, and by a fenced owner even late or out of
 * order. So each delivery carries {@link deliveryKey}, by which the receiver recognises a repetition.
 */
export interface OutsideFollower extends FollowerBase {
  readonly effect: 'outside';
  /**
   * Delivers the records. The cursor moves after it resolves. It is called again with the same records until it does.
   *
   * @throws {RecordRefused} if the records can never be delivered: the follower stops for this tenant
   */
  readonly deliver: (page: FollowedPage, signal: AbortSignal) => Promise<void>;
}

/** Consecutive records of one tenant. */
export interface FollowedPage {
  readonly tenantId: string;
  /** The generation of effect rows that this page belongs to. */
  readonly generation: number;
  readonly records: readonly FollowedRecord[];
}

/** A committed record, with its place in the chain. */
export interface FollowedRecord {
  readonly epoch: number;
  readonly sequence: number;
  /** SHA-256 of `text`, hex. */
  readonly hash: string;
  /** The record's bytes. */
  readonly text: string;
  readonly record: AuditRecord;
}

/** What a follower learns for its timed work. */
export interface TickState {
  /** The generation that readers use. */
  readonly generation: number;
  /** Whether this replica holds the lease of the tenant's bucket. */
  readonly isHeld: (tenantId: string) => boolean;
}

/** The idempotency key of a delivery: the same record has the same key in every attempt, and no other record has it. */
export function deliveryKey(
  { tenantId }: Pick<FollowedPage, 'tenantId'>,
  { epoch, sequence, hash }: Pick<FollowedRecord, 'epoch' | 'sequence' | 'hash'>,
): string {
  return `${tenantId}/${epoch}/${sequence}/${hash}`;
}

/** Records that can never be applied or delivered. The follower stops for their tenant, and goes on for all others. */
export class RecordRefused extends Error {
  override readonly name = 'RecordRefused';
}
