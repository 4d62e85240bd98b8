import type { DeliveryMetadata, ItemResult } from '@tallystick/protocol';

/**
 * The contract between the emitter and a transport, which carries events to an audit service. All arguments and results are
 * plain data, so that a transport can be written without importing this package.
 */

/** What one call of `send` delivers. */
export interface Batch {
  /** JSON texts of events in their wire form, in the order of emission. Empty if the batch only declares gaps or the end. */
  readonly events: readonly string[];
  readonly delivery: DeliveryMetadata;
  /** A caller waits until the events are chained. A transport that can ask the service for that MUST do so. The results say what was done. */
  readonly chained?: true | undefined;
}

/**
 * Carries batches to an audit service. The emitter calls `send` with one batch at a time.
 *
 * - A transport MUST NOT report `chained`, `duplicate` or `accepted` before the event is durable at the other end.
 * - It MUST return one result per event, in the order of the events.
 * - If it does not know the outcome of the batch, it MUST throw a {@link TransportFailure}. Any other thrown value counts as
 *   retryable.
 * - It MUST NOT change the bytes of an event. The emitter sends the same events again after a failure, and the service
 *   recognises a repetition by its `audit_id` and content.
 * - It MUST NOT retry, reorder, drop or split events: the emitter does that. (It may fetch a new credential and send again
 *   after the service refused the credential, and it may send to another address of the same service.)
 * - It MUST stop when the signal aborts. It MUST NOT hold a timer or a socket that keeps an idle process alive.
 * - A batch without events contains declarations. The transport MUST deliver it as durably as a batch with events.
 */
export interface Transport {
  send(batch: Batch, signal: AbortSignal): Promise<readonly ItemResult[]>;
  /** Releases connections. The emitter calls it once, after the last `send` has ended. It MUST be safe to call again. */
  close(): Promise<void>;
}

/** The members that the emitter reads from an error that `send` throws. The class of the error does not matter. */
export interface TransportFailure {
  /** Whether the same batch may succeed if it is sent again. */
  readonly retryable: boolean;
  /** HTTP status, if there was a response. */
  readonly status?: number | undefined;
  /** How long the service asked the client to wait (`Retry-After`), in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /**
   * The batch is larger than the other end accepts; the emitter sends it in smaller ones. A single event is then refused for good,
   * unless `retryable` is true.
   */
  readonly tooLarge?: boolean | undefined;
  /** The service refused the credential, also after a refresh. Retryable, since the credential may be rotated soon. */
  readonly unauthorized?: boolean | undefined;
  /** What happened, for logs and for `onError`. It MUST NOT quote an event. Without it, they say that the service can't be reached. */
  readonly reason?: string | undefined;
}

/** An error with the members of {@link TransportFailure}, for transports to throw. */
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

/**
 * Reads any thrown value as a failure. It is retryable unless it says otherwise, so that no event is discarded because of an
 * unknown error.
 */
export function readFailure(thrown: unknown): TransportFailure {
  if (typeof thrown !== 'object' || thrown === null) return { retryable: true };
  const failure = thrown as Partial<TransportFailure>;
  return {
    retryable: failure.retryable !== false,
    status: typeof failure.status === 'number' ? failure.status : undefined,
    retryAfterMs: typeof failure.retryAfterMs === 'number' ? failure.retryAfterMs : undefined,
    tooLarge: failure.tooLarge === true,
    unauthorized: failure.unauthorized === true,
    reason: typeof failure.reason === 'string' ? failure.reason : undefined,
  };
}

/** The reason of a failure for logs. The message of a foreign transport's error is not used: it may quote an event. */
export function describeFailure(failure: TransportFailure, thrown: unknown): string {
  if (failure.reason !== undefined) return failure.reason;
  if (thrown instanceof TransportError && failure.retryable) return thrown.message;
  if (failure.status !== undefined && failure.status >= 400) return `status ${failure.status}`;
  if (thrown instanceof TransportError) return thrown.message;
  return failure.retryable ? "it can't be reached" : 'it refuses the batch';
}
