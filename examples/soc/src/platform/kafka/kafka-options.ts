import type { Backoff } from '../message-handling.ts';

/** How a service reaches its topics. */
export interface KafkaTopicsOptions {
  /** `host:port` of brokers. */
  readonly brokers: readonly string[];
  /** Stands before the name of each topic and group. @defaultValue '' */
  readonly prefix?: string;
  /** The name of this client in the broker's logs. @defaultValue 'soc' */
  readonly clientId?: string;
  /** A consumer that is silent for so long loses its partitions. @defaultValue 10000 */
  readonly sessionTimeoutMs?: number;
  /** Between attempts of a handler that fails. @defaultValue 100 to 5000 ms */
  readonly backoff?: Backoff;
  /** Called with faults of the connection, which is tried again. @defaultValue none */
  readonly onError?: (error: unknown) => void;
}

export const kafkaDefaults = {
  prefix: '',
  clientId: 'soc',
  sessionTimeoutMs: 10_000,
  backoff: { firstMs: 100, maxMs: 5_000 },
  onError: (_error: unknown): void => undefined,
};
