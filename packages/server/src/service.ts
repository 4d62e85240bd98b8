import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { type Taxonomy, tenantIdPattern } from '@tallystick/event';
import { ApiKeys } from './access/api-keys.ts';
import { admit, type DeadLetter, toDeadLetter } from './admit/admit.ts';
import { submitterOf } from './chain/accounting.ts';
import type { BatchItem, ItemIngest, ItemOutcome, ProducerStatement } from './chain/batch.ts';
import { Writer } from './chain/writer.ts';
import { ServerError } from './errors.ts';
import { Signer } from './log/signer.ts';
import { TenantLogs } from './log/tenant-logs.ts';
import type { Database } from './store/database.ts';
import { migratePglite } from './store/migrate.ts';
import { ensurePartitions, keepPartitionsAhead } from './store/partitions.ts';
import { PgliteDatabase } from './store/pglite.ts';
import { PostgresDatabase } from './store/postgres.ts';
import { checkStore } from './store/startup-checks.ts';
import type { DeliveryMetadata, Submission, SubmissionError, SubmissionResult } from './submission.ts';

export interface AuditServiceOptions {
  /** The store: a directory (Postgres in process), or the URL of a PostgreSQL server, as the service's own login. */
  readonly store: { readonly directory: string } | { readonly databaseUrl: string };
  /**
   * The signer's directory, outside the store. @defaultValue `<directory>/signer` for the embedded store; required for
   * a server
   */
  readonly signerDirectory?: string | undefined;
  /** Name of the log, first part of every origin, such as `audit.example.com`. */
  readonly logName: string;
  /** Admit only these event types; any well-formed type where absent. */
  readonly taxonomy?: Taxonomy | undefined;
  /** How often logs that have grown are signed, ms; 0 for on demand only. @defaultValue 60000 */
  readonly checkpointIntervalMs?: number | undefined;
  /** Most events of one transaction. @defaultValue 1000 */
  readonly maxBatch?: number | undefined;
  readonly now?: () => number;
  /** Told of faults in the background: partitions, checkpoints. */
  readonly onBackgroundError?: (what: string, error: unknown) => void;
  readonly onCommit?: (batch: { readonly events: number; readonly durationMs: number }) => void;
  readonly onOutcome?: (status: ItemOutcome['status'], count: number) => void;
  /** Told of each transaction that is tried again, with the reason. */
  readonly onRetry?: (reason: string) => void;
}

/** The audit service without its wire: what the HTTP app, the embedded transport and the CLI all stand on. */
export class AuditService {
  readonly database: Database;
  readonly writer: Writer;
  readonly logs: TenantLogs;
  readonly signer: Signer;
  readonly keys: ApiKeys;
  /** Aborts when the service begins to close: whoever follows it ends then. */
  readonly closing: AbortSignal;
  readonly #closer = new AbortController();
  readonly #options: AuditServiceOptions;
  readonly #now: () => number;
  readonly #timers: { stop(): void }[] = [];

  private constructor(options: AuditServiceOptions, database: Database, signer: Signer) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.database = database;
    this.signer = signer;
    this.closing = this.#closer.signal;
    this.logs = new TenantLogs(database, signer);
    this.keys = new ApiKeys(database, this.#now);
    this.writer = new Writer(database, {
      logName: options.logName,
      assertRunning: (tenantId) => this.logs.assertRunning(tenantId),
      ...(options.maxBatch !== undefined && { maxBatch: options.maxBatch }),
      ...(options.onCommit !== undefined && { onCommit: options.onCommit }),
      ...(options.onRetry !== undefined && { onRetry: options.onRetry }),
    });
  }

  /**
   * Opens the store, brings an embedded one to this version's schema, compares it with what was signed for it, and
   * begins to keep partitions and checkpoints.
   *
   * @throws {ServerError} `DATA_DIRECTORY_LOCKED`, `STORE_UNAVAILABLE`, `SCHEMA_VERSION`, `STORE_UNSUITABLE`,
   *   `CONFIG_INVALID`
   */
  static async open(options: AuditServiceOptions): Promise<AuditService> {
    const { store } = options;
    const signerDirectory =
      options.signerDirectory ?? ('directory' in store ? join(store.directory, 'signer') : undefined);
    if (signerDirectory === undefined) {
      throw new ServerError(
        'CONFIG_INVALID',
        "the signer's directory must be named, and lie outside the database",
      );
    }
    const database =
      'directory' in store
        ? await PgliteDatabase.open(store.directory)
        : new PostgresDatabase({ url: store.databaseUrl });
    let signer: Signer | undefined;
    try {
      if (database instanceof PgliteDatabase) await migratePglite(database);
      await checkStore(database);
      await ensurePartitions(database);
      signer = await Signer.open(signerDirectory, options.logName);
      const service = new AuditService(options, database, signer);
      await service.logs.compareWithSigner();
      service.#startTimers();
      return service;
    } catch (error) {
      signer?.close();
      await database.close();
      throw error;
    }
  }

  /**
   * Admits and chains events. Each gets its own result; one that is refused does not keep the others back.
   *
   * @returns one result for each event, once everything that was chained is durable
   * @throws {ServerError} `STORE_UNAVAILABLE`, `CLOSING`, `CHAIN_STOPPED`, `CLOCK_BEHIND_CHAIN`: the outcome is unknown
   *   or nothing; the same events may be submitted again
   */
  async submit(submission: Submission): Promise<SubmissionResult[]> {
    const results: (SubmissionResult | undefined)[] = [];
    const items: BatchItem[] = [];
    const itemIndexes: number[] = [];
    for (const [index, raw] of submission.events.entries()) {
      // A thousand events take tens of milliseconds: others, and the batch that is being stored, get their turns between.
      if (index % eventsPerTurn === eventsPerTurn - 1) await turn();
      const item = this.#itemOf(raw, ingestOf(submission, index), submission.tenants);
      if (item === undefined) {
        results[index] = forbidden();
      } else {
        items.push(item);
        itemIndexes.push(index);
      }
    }
    const statements: ProducerStatement[] = [];
    if (submission.delivery !== undefined) {
      const statement = statementOf(submission, submission.delivery);
      const runs = ({ tenantId }: { tenantId: string }) => !this.logs.stopped.has(tenantId);
      statements.push({ ...statement, gaps: statement.gaps.filter(runs) });
      for (const gap of statement.gaps.filter((said) => !runs(said))) {
        const raw = JSON.stringify({ delivery: { producer_id: statement.producerId, gaps: [gap] } });
        items.push({ deadLetter: { ...toDeadLetter(raw, submission, [stopped]), tenantId: gap.tenantId } });
      }
    }
    const outcomes = await this.writer.submit(items, statements);
    for (const [at, index] of itemIndexes.entries()) {
      const outcome = outcomes[at]!;
      results[index] = toResult(outcome);
      this.#options.onOutcome?.(outcome.status, 1);
    }
    return results as SubmissionResult[];
  }

  /** What is to be done with an event; `undefined` for one that the submitter has no right to hand in. */
  #itemOf(
    raw: string | Uint8Array,
    ingest: ItemIngest,
    tenants: readonly string[] | undefined,
  ): BatchItem | undefined {
    const admission = admit(raw, ingest, { now: this.#now(), taxonomy: this.#options.taxonomy });
    if ('deadLetter' in admission) return { ...withinReach(admission.deadLetter, tenants), ingest };
    const tenantId = admission.admitted.event.tenant_id;
    if (tenants !== undefined && !tenants.includes(tenantId)) return undefined;
    // Kept until the chain is recovered, and not in the way of the other tenants of the batch.
    if (this.logs.stopped.has(tenantId)) return { deadLetter: toDeadLetter(raw, ingest, [stopped]), ingest };
    return { ...admission.admitted, ingest };
  }

  /** Takes nothing more, settles what was taken, signs what has grown, and closes the store. Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #closing: Promise<void> | undefined;

  async #close(): Promise<void> {
    this.#closer.abort();
    for (const timer of this.#timers) timer.stop();
    await this.writer.close();
    if (this.#options.checkpointIntervalMs !== 0) {
      // Failing to sign must not keep the store open; what was chained is durable either way.
      await this.logs
        .checkpointAll((tenantId, error) =>
          this.#options.onBackgroundError?.(`checkpoint ${tenantId}`, error),
        )
        .catch((error: unknown) => this.#options.onBackgroundError?.('checkpoints', error));
    }
    await this.database.close();
    this.signer.close();
  }

  #startTimers(): void {
    const report = (what: string) => (error: unknown) => this.#options.onBackgroundError?.(what, error);
    this.#timers.push(keepPartitionsAhead(this.database, report('partitions')));
    const interval = this.#options.checkpointIntervalMs ?? 60_000;
    if (interval === 0) return;
    let signing: Promise<unknown> = Promise.resolve();
    const timer = setInterval(() => {
      signing = signing
        .then(() => this.logs.checkpointAll((tenantId, error) => report(`checkpoint ${tenantId}`)(error)))
        .catch(report('checkpoints'));
    }, interval);
    timer.unref();
    this.#timers.push({ stop: () => clearInterval(timer) });
  }
}

/** Events that are admitted before the event loop gets its turn. */
const eventsPerTurn = 64;

const stopped = {
  code: 'CHAIN_STOPPED',
  pointer: '',
  message: "can't be chained: the chain contradicts what was signed for it, and is stopped",
};

/** Where an event of a submission came from, with its producer's number. */
function ingestOf({ source, trust, principal, delivery }: Submission, index: number): ItemIngest {
  const sequence = delivery?.sequences?.[index];
  return {
    source,
    trust,
    ...(principal !== undefined && { principal }),
    ...(delivery !== undefined && { producer_id: delivery.producer_id }),
    ...(sequence !== undefined && { producer_seq: sequence }),
  };
}

/** What a producer said beside its events, as far as it may speak for those tenants. */
function statementOf(submission: Submission, delivery: DeliveryMetadata): ProducerStatement {
  const { source, principal, tenants } = submission;
  const mayUse = (said: { readonly tenant_id: string }) =>
    tenants === undefined || tenants.includes(said.tenant_id);
  return {
    submitter: submitterOf({ source, ...(principal !== undefined && { principal }) }),
    producerId: delivery.producer_id,
    service: delivery.service,
    gaps: (delivery.gaps ?? [])
      .filter(mayUse)
      .map(({ tenant_id, ...gap }) => ({ ...gap, tenantId: tenant_id })),
    final: (delivery.final ?? [])
      .filter(mayUse)
      .map(({ tenant_id, final_seq }) => ({ tenantId: tenant_id, finalSeq: final_seq })),
  };
}

function toResult(outcome: ItemOutcome): SubmissionResult {
  if ('receipt' in outcome) return outcome;
  const { violations, id } = outcome.deadLetter;
  const first = violations[0]!;
  const error: SubmissionError = {
    code: first.code,
    message: first.message,
    pointer: first.pointer,
    violations,
    dead_letter_id: id,
  };
  return { status: outcome.status, error };
}

function forbidden(): SubmissionResult {
  const violation = {
    code: 'TENANT_FORBIDDEN',
    pointer: '/tenant_id',
    message: 'is not a tenant of the key',
  };
  return { status: 'rejected', error: { ...violation, violations: [violation] } };
}

/** A refused event claims a tenant; it is filed under one that the submitter may write for, or under none. */
function withinReach(
  deadLetter: DeadLetter,
  tenants: readonly string[] | undefined,
): { deadLetter: DeadLetter } {
  const { tenantId, ...rest } = deadLetter;
  if (tenantId === undefined || !tenantIdPattern.test(tenantId)) {
    return { deadLetter: tenants?.length === 1 ? { ...rest, tenantId: tenants[0]! } : rest };
  }
  return { deadLetter: tenants === undefined || tenants.includes(tenantId) ? deadLetter : rest };
}
