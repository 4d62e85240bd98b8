import type { Clock } from '../clock.ts';
import { refusal, requireWhole } from '../configuration.ts';
import type { AuditError } from '../errors.ts';
import type { AnyTaxonomy } from '../event/input.ts';
import type { TraceContext } from '../observe/correlation.ts';
import type { AuditLogger } from '../observe/logger.ts';
import type { RedactionOptions } from '../redaction/options.ts';
import type { SpoolOptions } from '../spool/options.ts';
import type { Transport } from '../transport/transport.ts';

/** How an emitter works. Everything may be left out; a service names itself and says where its events go. */
export interface AuditEmitterConfig<
  X extends AnyTaxonomy = undefined,
  D extends string | undefined = string | undefined,
> {
  /**
   * Who emits: `source_service` of every event.
   *
   * @defaultValue the environment's `TALLYSTICK_SERVICE`, else `OTEL_SERVICE_NAME`, else `unknown_service:node`
   */
  readonly service?: string | undefined;
  /** The tenant of events that name none. @defaultValue none: each event names its tenant */
  readonly tenantId?: D;
  /**
   * Carries the events to an audit service.
   *
   * @defaultValue HTTP to the environment's `TALLYSTICK_URL` with `TALLYSTICK_API_KEY`; without these, every event is
   *   dropped, counted and said to be
   */
  readonly transport?: Transport | undefined;
  /** Admit only its types, and check payloads against it. @defaultValue any well-formed type */
  readonly taxonomy?: X;
  /** Events held in memory, at most. @defaultValue 10000 */
  readonly bufferSize?: number | undefined;
  /** Characters of events' JSON held in memory, at most: bytes, where the text is Latin. @defaultValue 67108864 (64 Mi) */
  readonly maxBufferBytes?: number | undefined;
  /** Events in one batch, at most 1000. @defaultValue 1000 */
  readonly batchSize?: number | undefined;
  /** Characters of events' JSON in one batch, up to three bytes each. @defaultValue 2097152 (2 Mi; the service takes 8 MiB) */
  readonly maxBatchBytes?: number | undefined;
  /** How long an event waits for company, in ms. @defaultValue 1000 */
  readonly flushIntervalMs?: number | undefined;
  /** Tries after the first, before a batch counts as failed and waits. @defaultValue 3 */
  readonly maxRetries?: number | undefined;
  /** Waits before these, in ms, each ±25 %. @defaultValue [1000, 4000, 9000] */
  readonly retryDelaysMs?: readonly number[] | undefined;
  /** While batches fail, how often to find out whether the service is back, in ms. @defaultValue 15000 */
  readonly probeIntervalMs?: number | undefined;
  /** What `flush()` and `close()` take at most, unless told otherwise, in ms. @defaultValue 10000 */
  readonly deadlineMs?: number | undefined;
  /** What `record()` waits for a receipt, unless told otherwise, in ms. @defaultValue 10000 */
  readonly recordTimeoutMs?: number | undefined;
  /** Gets faults, and a line for each event. @defaultValue none */
  readonly logger?: AuditLogger | undefined;
  /** Whether each event logs a line (who, what, outcome; never its body). @defaultValue true, where a logger is given */
  readonly logEvents?: boolean | undefined;
  /**
   * Told every fault of data and delivery. May throw or reject; nobody notices. It may emit, too: a fault of what it
   * emits is counted and not told again.
   *
   * @defaultValue none
   */
  readonly onError?: ((error: AuditError) => void) | undefined;
  /** Keeps events on disk while the service is away. @defaultValue none: what memory can't hold is dropped */
  readonly spool?: SpoolOptions | undefined;
  /** What is taken out of events before they leave the process; `false`: nothing. @defaultValue see {@link RedactionOptions} */
  readonly redaction?: RedactionOptions | false | undefined;
  /** Whether a process that has nothing else to do delivers what it holds before it ends. @defaultValue true */
  readonly flushOnExit?: boolean | undefined;
  /** The span to correlate with. @defaultValue the active OpenTelemetry span, where that is installed */
  readonly activeTrace?: () => TraceContext | undefined;
  /** @defaultValue the system's clock */
  readonly clock?: Clock | undefined;
  /** In [0, 1). @defaultValue Math.random */
  readonly random?: (() => number) | undefined;
}

/** What {@link AuditEmitterConfig} leaves out, in its units. */
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

export type EmitterSizes = {
  [K in keyof typeof emitterDefaults]: (typeof emitterDefaults)[K] extends number
    ? number
    : readonly number[];
};

/** The numbers of a configuration, with defaults in place of what it leaves out. */
export function readSizes(config: AuditEmitterConfig<AnyTaxonomy>): EmitterSizes {
  const sizes = { ...emitterDefaults } as { -readonly [K in keyof EmitterSizes]: EmitterSizes[K] };
  for (const name of Object.keys(emitterDefaults) as (keyof EmitterSizes)[]) {
    const value = config[name];
    if (value === undefined) continue;
    const least = name === 'maxRetries' || name === 'flushIntervalMs' ? 0 : 1;
    for (const number of Array.isArray(value) ? (value as readonly number[]) : [value as number]) {
      requireWhole(name, number, least);
    }
    Object.assign(sizes, { [name]: value });
  }
  if (sizes.batchSize > 1_000) {
    throw refusal('batchSize must be at most 1000: the service takes no larger batch');
  }
  return sizes;
}
