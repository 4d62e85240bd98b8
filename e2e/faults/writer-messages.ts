import type { KafkaIngestStatus } from '@tallystick/server/kafka';

/** Where a writer ends or freezes itself, exactly there, at the next batch that comes by. */
export const failpoints = {
  /** About half of a batch's rows were handed to COPY. */
  'kill-in-copy': { at: 'copying', signal: 'SIGKILL' },
  /** All is written, and the commit is next. */
  'kill-before-commit': { at: 'committing', signal: 'SIGKILL' },
  /** Postgres has committed, Kafka does not know of it. */
  'kill-before-offset-commit': { at: 'committed', signal: 'SIGKILL' },
  'freeze-in-copy': { at: 'copying', signal: 'SIGSTOP' },
  'freeze-before-commit': { at: 'committing', signal: 'SIGSTOP' },
  'freeze-before-offset-commit': { at: 'committed', signal: 'SIGSTOP' },
} as const;

export type Failpoint = keyof typeof failpoints;

/** All that a writer is told at its start, as JSON in its only argument. */
export interface WriterOrders {
  readonly databaseUrl: string;
  readonly signerDirectory: string;
  readonly logName: string;
  readonly bootstrapBrokers: string[];
  readonly topic: string;
  readonly groupId: string;
  readonly clientId: string;
  readonly sessionTimeoutMs: number;
  readonly offsetsFirst: boolean;
  /** How far its clock is ahead of the machine's, ms. */
  readonly clockOffsetMs: number;
}

export type ToWriter =
  | { readonly tell: 'status' }
  | { readonly arm: Failpoint }
  | { readonly clockOffsetMs: number }
  | { readonly stop: true };

/** The answer to `tell`. */
export interface WriterStatus {
  readonly ingest: KafkaIngestStatus;
  /** Batches that were stored since its start. */
  readonly batches: number;
  /** Transactions that were tried again, and why, since its start. */
  readonly retries: { readonly [reason: string]: number };
  /** Chains that it refuses to extend, with the reason. */
  readonly stoppedChains: { readonly [tenantId: string]: string };
}

export type FromWriter = { readonly ready: true } | { readonly status: WriterStatus };
