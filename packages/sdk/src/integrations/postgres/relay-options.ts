import type { Clock } from '../../clock.ts';
import { systemClock } from '../../clock.ts';
import { invalidConfig, readOptions, requireInteger, requireMethods } from '../../configuration.ts';
import type { AuditError } from '../../errors.ts';
import type { AuditLogger } from '../../observe/logger.ts';
import type { Transport } from '../../transport/transport.ts';
import type { OutboxLocation } from './schema.ts';
import type { SqlClient } from './sql-client.ts';

/** Options of {@link OutboxRelay}. */
export interface OutboxRelayOptions extends OutboxLocation {
  /** The database with the outbox: a pool, or a client of its own. Each statement is a transaction of its own. */
  readonly db: SqlClient;
  /** Carries the events to the audit service, such as `httpTransport()`. */
  readonly transport: Transport;
  /** Name of the relay, for the service's accounts. @defaultValue 'outbox-relay' */
  readonly service?: string | undefined;
  /** Events in one batch, at most 1000. @defaultValue 1000 */
  readonly batchSize?: number | undefined;
  /** Bytes of events in one batch, and so in the relay's memory. One more event may be added. @defaultValue 2097152 (2 Mi) */
  readonly maxBatchBytes?: number | undefined;
  /** Pause between two looks into an empty outbox, in milliseconds. @defaultValue 1000 */
  readonly pollIntervalMs?: number | undefined;
  /** How long a relay that has stopped without notice keeps others from its work, in milliseconds. @defaultValue 30000 */
  readonly leaseMs?: number | undefined;
  /**
   * Pauses between the tries of a batch in milliseconds; the last one also holds for further tries. Each varies by ±25 %.
   *
   * @defaultValue [1000, 4000, 9000, 15000]
   */
  readonly retryDelaysMs?: readonly number[] | undefined;
  /** How long `close()` may take, in milliseconds. @defaultValue 10000 */
  readonly deadlineMs?: number | undefined;
  /** Logs faults, at most one in ten seconds of each kind. @defaultValue none */
  readonly logger?: AuditLogger | undefined;
  /** Called with every fault. If it throws, the error is ignored. @defaultValue none */
  readonly onError?: ((error: AuditError) => void) | undefined;
  /** Clock and timers. @defaultValue the system's clock */
  readonly clock?: Clock | undefined;
  /** Gives random numbers in [0, 1). @defaultValue Math.random */
  readonly random?: (() => number) | undefined;
}

/** The defaults of {@link OutboxRelayOptions}. */
export const outboxRelayDefaults = Object.freeze({
  service: 'outbox-relay',
  batchSize: 1_000,
  maxBatchBytes: 2 * 1024 * 1024,
  pollIntervalMs: 1_000,
  leaseMs: 30_000,
  retryDelaysMs: Object.freeze([1_000, 4_000, 9_000, 15_000]) as readonly number[],
  deadlineMs: 10_000,
  clock: systemClock,
  random: Math.random as () => number,
});

export type RelaySettings = OutboxRelayOptions & Required<typeof outboxRelayDefaults>;

/** @throws {AuditError} `CONFIG_INVALID` */
export function readRelayOptions(given: OutboxRelayOptions): RelaySettings {
  const others = ['db', 'transport', 'schema', 'logger', 'onError'] as const;
  const options = readOptions('outboxRelay', given, outboxRelayDefaults, [...others]) as RelaySettings;
  requireMethods('db', options.db, ['query']);
  requireMethods('transport', options.transport, ['send', 'close'], '; await the promise of a transport');
  requireInteger('batchSize', options.batchSize, 1, 1_000);
  requireInteger('maxBatchBytes', options.maxBatchBytes, 1, 8 * 1024 * 1024);
  for (const name of ['pollIntervalMs', 'leaseMs', 'deadlineMs'] as const)
    requireInteger(name, options[name], 1);
  const delays: unknown = options.retryDelaysMs;
  if (!Array.isArray(delays) || delays.length === 0) throw invalidConfig('retryDelaysMs must be a list');
  for (const delay of delays) requireInteger('retryDelaysMs', delay, 0);
  return options;
}
