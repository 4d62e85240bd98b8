import type { AuditEvent } from '@tallystick/event';
import type { Recovery, Trust } from '@tallystick/log';
import type { Receipt } from '@tallystick/protocol';
import type { Session } from '../store/database.ts';
import type { DeadLetter } from './dead-letters.ts';
import type { SourceRange } from './source-position.ts';

/** One thing for a batch to store. The items of one tenant are chained in their order. */
export type BatchItem = EventItem | RefusedItem;

/**
 * An event as it was received, if redaction has changed it. Whether an event that is sent again is the same one can't be decided by the
 * chained event: the secrets that distinguish two events are not in it, and the rules may have changed in between.
 */
interface ReceivedEvent {
  /** The canonical JSON of the event as it was received. Only in memory, until the batch is stored. */
  readonly canonical: string;
  /** HMAC-SHA-256 of this text, hex. */
  readonly fingerprint: string;
}

/** A valid event, ready to be sealed without another look at its content. */
export interface AdmittedEvent {
  readonly event: AuditEvent;
  /** Its canonical JSON. */
  readonly canonical: string;
  /** The event as it was received, if redaction has changed it. */
  readonly received?: ReceivedEvent;
}

/** An admitted event, and where it came from. */
export interface EventItem extends AdmittedEvent {
  readonly ingest: ItemIngest;
  /**
   * Whether an earlier event with the same id counts as this one although its content is not equal. Only records of the
   * service have it: several replicas may write the same record, and each dates it by the moment. @defaultValue false
   */
  readonly firstWins?: boolean;
}

export interface ItemIngest {
  readonly source: string;
  readonly trust: Trust;
  readonly principal?: string;
  readonly producer_id?: string;
  readonly producer_seq?: number;
}

/** An event that admission refused, to be kept as a dead letter. */
interface RefusedItem {
  readonly deadLetter: DeadLetter;
  /** Who submitted and numbered it, if that is known. */
  readonly ingest?: ItemIngest;
}

/** The outcome of an item. Callers learn it only after the commit. */
export type ItemOutcome =
  | { readonly status: 'chained' | 'duplicate'; readonly receipt: Receipt }
  | { readonly status: 'conflict' | 'rejected'; readonly deadLetter: DeadLetter };

/** What a producer declares about its numbers: gaps, and its last number at close. */
export interface ProducerStatement {
  /**
   * The API key that authenticated the request, or the source if the request was not authenticated. Part of the account's
   * key, so that a submitter cannot settle the numbers of another submitter's producer.
   */
  readonly submitter: string;
  readonly producerId: string;
  readonly service?: string | undefined;
  /** Ranges of numbers that are lost, both ends included. */
  readonly gaps: readonly {
    readonly tenantId: string;
    readonly from: number;
    readonly to: number;
    readonly reason: string;
  }[];
  /** The last number of each tenant, declared at close. */
  readonly final: readonly { readonly tenantId: string; readonly finalSeq: number }[];
  /** The operator who declares this in place of the producer. Such a statement does not count as a sign of life. */
  readonly declaredBy?: string | undefined;
  /**
   * The producer's runtime may end it at any moment without letting it declare its end. Counts only if the producer says so
   * before anything else is known of it.
   */
  readonly ephemeral?: boolean | undefined;
  /** Offset of its message, where the batch has a range. A statement before the stored position was applied earlier. */
  readonly offset?: number | undefined;
}

/** A chain that is abandoned and begins again in a new epoch. */
export interface EpochOpening {
  readonly tenantId: string;
  /** Greater than every earlier epoch of the chain. */
  readonly epoch: number;
  /** Goes into the genesis record: why the chain is abandoned, and what is left of the epochs before. */
  readonly recovery: Recovery;
  /** Id of the genesis record, when an event already uses the id that is derived for it. */
  readonly auditId?: string;
}

/** Books of a caller that must agree with the chain: they change in the transaction that stores the batch. */
export interface BatchBookkeeping {
  /**
   * Records of the service about what became of the items, such as that an operator has retried a dead letter. Chained with
   * the items, in one transaction.
   */
  readonly outcomeRecords?: {
    /** Tenant of the chain that takes them. */
    readonly tenantId: string;
    /** @param statuses one for each item, `undefined` for an item of a range that was applied before */
    readonly of: (statuses: readonly (ItemOutcome['status'] | undefined)[]) => readonly EventItem[];
  };
  /**
   * Updates books of the caller that must agree with the chain, in the transaction that stores the batch, after its
   * records. An error stores nothing of the transaction.
   *
   * @param outcomes one for each item, `undefined` for an item of a range that was applied before
   */
  readonly closeBooks?: (session: Session, outcomes: readonly (ItemOutcome | undefined)[]) => Promise<void>;
}

/** What one caller wants to be stored together. */
export interface Batch extends BatchBookkeeping {
  readonly items: readonly BatchItem[];
  readonly statements?: readonly ProducerStatement[];
  readonly range?: SourceRange;
  /** Chains that begin again with this batch. They may be stopped. */
  readonly openings?: readonly EpochOpening[];
  /**
   * Records of the service about the range, chained after the items.
   *
   * @param position offset that the store has reached, read under the lock of the source's position
   * @returns records with derived ids, so that a retry adds nothing
   */
  readonly serviceRecords?: (position: number) => readonly EventItem[];
}
