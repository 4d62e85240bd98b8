import type { IngestStage, KafkaIngestStatus } from '@tallystick/server/kafka';

/** Where a writer kills or freezes itself: at this stage of its next transaction. */
export const failpoints = {
  /** About half of the rows of a batch were handed to COPY. */
  'kill-in-copy': { stage: 'copying', signal: 'SIGKILL' },
  /** All rows are written, and the commit comes next. */
  'kill-before-commit': { stage: 'committing', signal: 'SIGKILL' },
  /** PostgreSQL has committed, and Kafka's offsets are not updated yet. */
  'kill-before-offset-commit': { stage: 'committed', signal: 'SIGKILL' },
  'freeze-in-copy': { stage: 'copying', signal: 'SIGSTOP' },
  'freeze-before-commit': { stage: 'committing', signal: 'SIGSTOP' },
  'freeze-before-offset-commit': { stage: 'committed', signal: 'SIGSTOP' },
} as const satisfies Record<string, { stage: IngestStage; signal: NodeJS.Signals }>;

export type Failpoint = keyof typeof failpoints;

/** The configuration of a writer, as JSON in its only argument. */
export interface WriterConfig {
  readonly databaseUrl: string;
  readonly signerDirectory: string;
  readonly logName: string;
  readonly bootstrapBrokers: string[];
  readonly topic: string;
  readonly groupId: string;
  readonly clientId: string;
  readonly sessionTimeoutMs: number;
  /** Runs the mutant that commits the offsets first. */
  readonly offsetsFirst: boolean;
  /** How far the writer's clock is ahead of the machine's, ms. */
  readonly clockOffsetMs: number;
}

/** What the campaign asks of a writer. */
export type WriterRequest =
  | { readonly report: 'status' }
  | { readonly arm: Failpoint }
  | { readonly clockOffsetMs: number }
  | { readonly stop: true };

/** The answer to `report`. */
export interface WriterStatus {
  readonly ingest: KafkaIngestStatus;
  /** Batches that were stored since the writer's start. */
  readonly batches: number;
  /** Transactions that were tried again since the writer's start, by reason. */
  readonly retries: { readonly [reason: string]: number };
  /** Tenants whose chains the writer refuses to extend, with the reason. */
  readonly stoppedChains: { readonly [tenantId: string]: string };
}

/** What a writer sends to the campaign. */
export type WriterMessage = { readonly ready: true } | { readonly status: WriterStatus };
