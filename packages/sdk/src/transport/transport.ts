/**
 * The contract between the emitter and whatever carries events to an audit service. Plain data on both sides, so
 * that a transport may be written without this package.
 */

/** Why numbers of a producer's sequence will never arrive. */
export type GapReason =
  | 'buffer_full'
  | 'spool_full'
  | 'spool_failed'
  | 'event_invalid'
  | 'batch_refused'
  | 'not_configured'
  | 'shutdown';

/** A range of a producer's numbers, both ends included, whose events are lost. */
export interface DeclaredGap {
  readonly tenant_id: string;
  readonly from: number;
  readonly to: number;
  readonly reason: GapReason;
}

/** The last number that a producer gave out for a tenant; nothing follows it. */
export interface FinalSequence {
  readonly tenant_id: string;
  readonly final_seq: number;
}

/** What travels beside the events, never in them: how the service accounts for every event of a producer. */
export interface DeliveryMetadata {
  /** UUIDv7 of one emitter in one process; a spooled event keeps that of the process that emitted it. */
  readonly producer_id: string;
  readonly service: string;
  /** For each event of the batch its number, contiguous from 1 within (producer, tenant). */
  readonly sequences: readonly number[];
  readonly gaps: readonly DeclaredGap[];
  /** Only in the last batch of a producer that closes. */
  readonly final: readonly FinalSequence[];
}

/** What is sent at once. */
export interface Batch {
  /** JSON texts of wire events, in the order of emission; may be empty, to declare gaps or the end. */
  readonly events: readonly string[];
  readonly delivery: DeliveryMetadata;
}

/** Where an event stands in its tenant's chain. */
export interface Receipt {
  readonly audit_id: string;
  readonly tenant_id: string;
  readonly epoch: number;
  readonly sequence_number: number;
  /** Hex SHA-256 of the record's bytes. */
  readonly record_hash: string;
  /** RFC 3339, the service's clock. */
  readonly ingested_at: string;
}

/** One reason for a refusal; the service may know codes that this version does not. */
export interface Reason {
  readonly code: string;
  /** RFC 6901 JSON pointer into the event; `""` is the whole of it. */
  readonly pointer: string;
  readonly message: string;
}

/** Why the service did not take an event. */
export interface ItemError {
  readonly code: string;
  readonly message: string;
  readonly pointer?: string;
  readonly violations?: readonly Reason[];
}

/**
 * What became of one event.
 * - `chained`: in its tenant's chain. `duplicate`: was there already, with the same content.
 * - `accepted`: durable, to be chained later (a queue that all in-sync replicas acknowledged).
 * - `rejected`: refused for its content, and will be each time. `conflict`: its `audit_id` is taken by another content.
 */
export type ItemResult =
  | { readonly status: 'chained' | 'duplicate'; readonly receipt: Receipt }
  | { readonly status: 'accepted'; readonly audit_id: string }
  | { readonly status: 'conflict' | 'rejected'; readonly error: ItemError };

/**
 * Carries batches.
 *
 * - A transport MUST NOT report `chained`, `duplicate` or `accepted` before the event is durable at the other end.
 * - It MUST answer with one result an event, in the order of the events.
 * - It MUST throw where it does not know what became of the batch, with a {@link TransportFailure}; what it throws
 *   otherwise counts as retryable. The same batch, or its events in other batches, will come again: it MUST NOT
 *   change the bytes of an event, since the service recognises a repetition by `audit_id` and content.
 * - It MUST NOT retry, reorder, drop or split: that is the emitter's, which has one batch in flight at a time.
 *   (Refreshing a credential that was just refused is not a retry.)
 * - It MUST give up when the signal aborts. It MUST NOT hold a timer or a socket that keeps an idle process alive.
 * - A batch without events carries declarations; it MUST be delivered as durably as one with events.
 */
export interface Transport {
  send(batch: Batch, signal: AbortSignal): Promise<readonly ItemResult[]>;
  /** Releases connections. Called once, after the last `send` has settled; MUST be safe to call again. */
  close(): Promise<void>;
}

/** What the emitter reads from an error that `send` throws; recognised by these members, not by its class. */
export interface TransportFailure {
  /** Whether the same batch may succeed later. */
  readonly retryable: boolean;
  /** HTTP status, where there is one. */
  readonly status?: number | undefined;
  /** What the service asked to wait (Retry-After). */
  readonly retryAfterMs?: number | undefined;
  /** The batch is larger than the service takes: send less at once. */
  readonly tooLarge?: boolean | undefined;
  /** The credential was refused, also after a refresh. Retryable: a rotation may be under way. */
  readonly unauthorized?: boolean | undefined;
}

/** A {@link TransportFailure} as an error, for transports to throw. */
export class TransportError extends Error implements TransportFailure {
  override readonly name = 'TransportError';
  readonly retryable: boolean;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly tooLarge: boolean;
  readonly unauthorized: boolean;

  constructor(message: string, failure: TransportFailure, options?: ErrorOptions) {
    super(message, options);
    this.retryable = failure.retryable;
    this.status = failure.status;
    this.retryAfterMs = failure.retryAfterMs;
    this.tooLarge = failure.tooLarge ?? false;
    this.unauthorized = failure.unauthorized ?? false;
  }
}

/** Reads any thrown value as a failure. What is not known to be final is retryable: events are not thrown away on a guess. */
export function readFailure(thrown: unknown): TransportFailure {
  if (typeof thrown !== 'object' || thrown === null) return { retryable: true };
  const failure = thrown as Partial<TransportFailure>;
  return {
    retryable: failure.retryable !== false,
    status: typeof failure.status === 'number' ? failure.status : undefined,
    retryAfterMs: typeof failure.retryAfterMs === 'number' ? failure.retryAfterMs : undefined,
    tooLarge: failure.tooLarge === true,
    unauthorized: failure.unauthorized === true,
  };
}
