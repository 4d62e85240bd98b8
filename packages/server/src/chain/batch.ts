import type { AuditEvent } from '@tallystick/event';
import type { Trust } from '@tallystick/log';
import type { Receipt } from '@tallystick/protocol';
import type { DeadLetter } from './dead-letters.ts';

/** One thing to be done by a batch. Items of one tenant are chained in the order in which they stand. */
export type BatchItem = EventItem | RefusedItem;

/** A valid event with its canonical text. Sealing it needs no further check of its content. */
export interface AdmittedEvent {
  readonly event: AuditEvent;
  readonly canonical: string;
}

/** An admitted event with where it came from. */
export interface EventItem extends AdmittedEvent {
  readonly ingest: ItemIngest;
}

export interface ItemIngest {
  readonly source: string;
  readonly trust: Trust;
  readonly principal?: string;
  readonly producer_id?: string;
  readonly producer_seq?: number;
}

/** An event that was refused at admission and is to be kept as a dead letter. */
interface RefusedItem {
  readonly deadLetter: DeadLetter;
  /** As far as it is known who numbered it. */
  readonly ingest?: ItemIngest;
}

/** What became of an item. Given out only after the commit. */
export type ItemOutcome =
  | { readonly status: 'chained' | 'duplicate'; readonly receipt: Receipt }
  | { readonly status: 'conflict' | 'rejected'; readonly deadLetter: DeadLetter };

/** A range of a source that a batch covers, for a source that can be read again, such as a topic's partition. */
export interface SourceRange {
  readonly clusterId: string;
  /** The topic's own id: a topic made anew under an old name starts again at 0. */
  readonly topicId: string;
  readonly topic: string;
  readonly partition: number;
  /** Offset of the batch's first message; it must not lie beyond what the store has reached. */
  readonly from: number;
  /** One past the batch's last message. */
  readonly next: number;
  /** In which term of its leaders the partition got what stands before `next`, where that is known. */
  readonly leaderEpoch?: number | undefined;
  /** Offset of each item, ascending. */
  readonly offsets: readonly number[];
}

/** What a producer says beside its events. */
export interface ProducerStatement {
  /** The authenticated key, or the source where there is none: producer ids are only as good as who sent them. */
  readonly submitter: string;
  readonly producerId: string;
  readonly service?: string | undefined;
  /** Ranges that it gave up, ends included. */
  readonly gaps: readonly {
    readonly tenantId: string;
    readonly from: number;
    readonly to: number;
    readonly reason: string;
  }[];
  /** Last number of each tenant, said at close. */
  readonly final: readonly { readonly tenantId: string; readonly finalSeq: number }[];
  /** Who says so in the producer's stead, which is not heard of by it. */
  readonly saidBy?: string | undefined;
}

/** A chain that is given up, and begun anew in another epoch. */
export interface EpochOpening {
  readonly tenantId: string;
  /** Greater than any that the chain ever had. */
  readonly epoch: number;
  /** For the genesis record: the last checkpoint that was signed before, as a note, and why the chain is given up. */
  readonly recovery: { readonly checkpoint: string; readonly reason: string };
  /** The genesis record's identity, where somebody has taken the one that is derived for it. */
  readonly auditId?: string;
}

export interface Batch {
  readonly items: readonly BatchItem[];
  readonly statements?: readonly ProducerStatement[];
  readonly range?: SourceRange;
  /** Chains that begin anew with this batch; none of them need be running. */
  readonly openings?: readonly EpochOpening[];
  /**
   * The service's own records about the range, made from where the source's position stands under its lock; chained after
   * the items. Their ids must be derived, so that a retry adds nothing.
   */
  readonly ownRecords?: (position: number) => readonly EventItem[];
}
