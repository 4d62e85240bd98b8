import type { Clock } from '../clock.ts';
import { invalidConfig, requireInteger } from '../configuration.ts';
import type { AuditError } from '../errors.ts';
import type { UnknownFields } from '../event/encode.ts';
import type { AnyTaxonomy } from '../event/input.ts';
import type { TraceContext } from '../observe/correlation.ts';
import type { AuditLogger } from '../observe/logger.ts';
import type { RedactionOptions } from '../redaction/options.ts';
import type { SpoolOptions } from '../spool/options.ts';
import type { Transport } from '../transport/transport.ts';

/** The configuration of an emitter. All options have defaults; most applications set `service` and `transport`. */
export interface AuditEmitterConfig<
  X extends AnyTaxonomy = undefined,
  D extends string | undefined = string | undefined,
> {
  /**
   * Name of the emitting service: `source_service` of every event.
   *
   * @defaultValue the environment variable `TALLYSTICK_SERVICE`, else `OTEL_SERVICE_NAME`, else `unknown_service:node`
   */
  readonly service?: string | undefined;
  /** The tenant of events that name none. @defaultValue none: each event must name its tenant */
  readonly tenantId?: D;
  /**
   * Carries the events to an audit service.
   *
   * @defaultValue HTTP to the address in the environment variable `TALLYSTICK_URL` with the key in `TALLYSTICK_API_KEY`. If
   *   `TALLYSTICK_URL` is not set, events are lost, which is counted and reported.
   */
  readonly transport?: Transport | undefined;
  /** Restricts event types and payloads to those of the taxonomy. @defaultValue any well-formed type is allowed */
  readonly taxonomy?: X;
  /**
   * What happens to members of an event that are not fields, such as `actor_id` or `ip`. With `refuse`, the event is refused with
   * `FIELD_UNKNOWN`. With `metadata`, these members become members of the event's `metadata`; the event is refused only if its
   * metadata already has a member of that name.
   *
   * @defaultValue 'refuse'
   */
  readonly unknownFields?: UnknownFields | undefined;
  /** How many events may wait in memory. @defaultValue 10000 */
  readonly bufferSize?: number | undefined;
  /**
   * How many characters of events' JSON may wait in memory. (ASCII text has one byte per character.)
   *
   * @defaultValue 67108864 (64 Mi)
   */
  readonly maxBufferBytes?: number | undefined;
  /** Events in one batch, at most 1000. @defaultValue 1000 */
  readonly batchSize?: number | undefined;
  /**
   * Characters of events' JSON in one batch. A character takes up to three bytes, and the service accepts 8 MiB.
   *
   * @defaultValue 2097152 (2 Mi)
   */
  readonly maxBatchBytes?: number | undefined;
  /** How long an event waits until an incomplete batch is sent, in milliseconds. @defaultValue 1000 */
  readonly flushIntervalMs?: number | undefined;
  /** Tries after the first one, before a batch counts as failed. The batch is kept and tried again later. @defaultValue 3 */
  readonly maxRetries?: number | undefined;
  /** Pauses before these tries in milliseconds. Each varies by ±25 %. @defaultValue [1000, 4000, 9000] */
  readonly retryDelaysMs?: readonly number[] | undefined;
  /** Pause between further tries after a batch has failed, in milliseconds. @defaultValue 15000 */
  readonly probeIntervalMs?: number | undefined;
  /** How long `flush()` and `close()` may take if the call does not say, in milliseconds. @defaultValue 10000 */
  readonly deadlineMs?: number | undefined;
  /** How long `record()` waits for a receipt if the call does not say, in milliseconds. @defaultValue 10000 */
  readonly recordTimeoutMs?: number | undefined;
  /** Logs faults and one line per event. @defaultValue none */
  readonly logger?: AuditLogger | undefined;
  /** Whether the logger logs a line for each event: type, target, outcome and tenant, never the body. @defaultValue true */
  readonly logEvents?: boolean | undefined;
  /**
   * Called with every fault of data and delivery. If it throws or rejects, the error is ignored. It may emit events; a fault of
   * such an event is counted, but `onError` is not called with it.
   *
   * @defaultValue none
   */
  readonly onError?: ((error: AuditError) => void) | undefined;
  /** Keeps events on disk while the service can't be reached. @defaultValue none: if memory is full, new events are dropped */
  readonly spool?: SpoolOptions | undefined;
  /**
   * Which secrets are removed from events before they leave the process; `false`: none.
   *
   * @defaultValue see {@link RedactionOptions}
   */
  readonly redaction?: RedactionOptions | false | undefined;
  /**
   * Whether the runtime may end the process at any moment without notice, as on a platform that freezes or kills functions. The
   * service then raises no alert if the process ends without declaring its last number. It never calls such a producer complete.
   *
   * @defaultValue false
   */
  readonly ephemeral?: boolean | undefined;
  /**
   * Whether a process that ends because it has no more work first delivers its events and declares its end.
   *
   * @defaultValue true
   */
  readonly flushOnExit?: boolean | undefined;
  /** The trace and span of the next event. @defaultValue the active OpenTelemetry span, if OpenTelemetry is installed */
  readonly activeTrace?: () => TraceContext | undefined;
  /** Clock and timers. @defaultValue the system's clock */
  readonly clock?: Clock | undefined;
  /** Gives random numbers in [0, 1). @defaultValue Math.random */
  readonly random?: (() => number) | undefined;
}

/** The numeric defaults of {@link AuditEmitterConfig}. */
export const emitterDefaults = Object.freeze({
  bufferSize: 10_000,
  maxBufferBytes: 64 * 1024 * 1024,
  batchSize: 1_000,
  maxBatchBytes: 2 * 1024 * 1024,
  flushIntervalMs: 1_000,
  maxRetries: 3,
  retryDelaysMs: Object.freeze([1_000, 4_000, 9_000]),
  probeIntervalMs: 15_000,
  deadlineMs: 10_000,
  recordTimeoutMs: 10_000,
});

export type EmitterLimits = {
  [K in keyof typeof emitterDefaults]: (typeof emitterDefaults)[K] extends number
    ? number
    : readonly number[];
};

/**
 * The numbers of a configuration with their defaults.
 *
 * @throws {AuditError} `CONFIG_INVALID`
 */
export function readLimits(config: AuditEmitterConfig<AnyTaxonomy>): EmitterLimits {
  const limits = { ...emitterDefaults } as { -readonly [K in keyof EmitterLimits]: EmitterLimits[K] };
  for (const name of Object.keys(emitterDefaults) as (keyof EmitterLimits)[]) {
    const value = config[name];
    if (value === undefined) continue;
    const min = name === 'maxRetries' || name === 'flushIntervalMs' ? 0 : 1;
    for (const number of Array.isArray(value) ? (value as readonly number[]) : [value as number]) {
      requireInteger(name, number, min);
    }
    Object.assign(limits, { [name]: value });
  }
  if (limits.batchSize > 1_000) {
    throw invalidConfig('batchSize must be at most 1000: the service accepts no larger batch');
  }
  return limits;
}
