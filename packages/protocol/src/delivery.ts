/** Why numbers of a producer's sequence will never arrive. */
export type GapReason =
  | 'buffer_full'
  | 'spool_full'
  | 'event_invalid'
  | 'batch_refused'
  | 'not_configured'
  | 'shutdown';

/**
 * A range of a producer's sequence numbers, both ends included, whose events are lost.
 *
 * @typeParam R producers of this project declare a {@link GapReason}; the service accepts any text of 1 to 128 characters
 */
export interface DeclaredGap<R extends string = GapReason> {
  readonly tenant_id: string;
  readonly from: number;
  readonly to: number;
  readonly reason: R;
}

/** The last number that a producer assigned for a tenant. No event follows it. */
export interface FinalSequence {
  readonly tenant_id: string;
  readonly final_seq: number;
}

/**
 * What travels beside the events of a batch, never in them (spec/delivery.md). With it the service accounts for every
 * event of a producer.
 */
export interface DeliveryMetadata {
  /** UUIDv7 of one emitter in one process. A spooled event keeps the id of the process that emitted it. */
  readonly producer_id: string;
  readonly service: string;
  /** The runtime may end the process at any moment without notice, so that it can't always declare its end. */
  readonly ephemeral?: true;
  /** The number of each event of the batch, in order; contiguous from 1 within (producer, tenant). */
  readonly sequences: readonly number[];
  readonly gaps: readonly DeclaredGap[];
  /** Present only in the last batch of a producer that closes. */
  readonly final: readonly FinalSequence[];
}

/** Delivery metadata as the service accepts it: a producer in another language may leave out all but its id. */
export interface ReceivedDelivery {
  readonly producer_id: string;
  readonly service?: string | undefined;
  readonly ephemeral?: boolean | undefined;
  readonly sequences?: readonly number[] | undefined;
  readonly gaps?: readonly DeclaredGap<string>[] | undefined;
  readonly final?: readonly FinalSequence[] | undefined;
}
