import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { type Taxonomy, tenantIdPattern } from '@tallystick/event';
import type { ReceivedDelivery } from '@tallystick/protocol';
import { ApiKeys } from './access/api-keys.ts';
import { gapRecords, submitterOf } from './chain/accounting.ts';
import { type AppendOptions, type AppendResult, appendBatches } from './chain/append-batch.ts';
import type { Batch, BatchItem, ItemIngest, ItemOutcome, ProducerStatement } from './chain/batch.ts';
import { Writer } from './chain/writer.ts';
import { ServerError } from './errors.ts';
import { Admission } from './ingest/admit/admission.ts';
import { toStatement } from './ingest/admit/statement.ts';
import type { Submission, SubmissionError, SubmissionResult } from './ingest/submission.ts';
import { Signer } from './proofs/signer.ts';
import { TenantLogs } from './proofs/tenant-logs.ts';
import type { Database, Eviction, Timeouts } from './store/database.ts';
import { migratePglite } from './store/migrate.ts';
import { ensurePartitions, keepPartitionsAhead } from './store/partitions.ts';
import { PgliteDatabase } from './store/pglite.ts';
import { PostgresDatabase } from './store/postgres.ts';
import { checkStore } from './store/startup-checks.ts';

/** Where a service keeps its trail and its keys, and whom it tells what it does. */
export interface AuditServiceOptions {
  /** The store: a directory (Postgres in process), or the URL of a PostgreSQL server, as the service's own login. */
  readonly store:
    | { readonly directory: string }
    | { readonly databaseUrl: string; readonly timeouts?: Partial<Timeouts> | undefined };
  /**
   * The signer's directory, outside the store. @defaultValue `<directory>/signer` for the embedded store; required for
   * a server
   */
  readonly signerDirectory?: string | undefined;
  /** Name of the log, first part of every origin, such as `audit.example.com`. */
  readonly logName: string;
  /**
   * Tenant of the service's own: its chain gets what the service has to record and can't file under anybody else, such as
   * messages that were lost unread. @defaultValue 'tallystick'
   */
  readonly serviceTenant?: string | undefined;
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
  /** Told of each event that was stored as a dead letter, with the code of its first violation. */
  readonly onDeadLetter?: (reason: string) => void;
  /** Told of each transaction that is tried again, with the reason. */
  readonly onRetry?: (reason: string) => void;
  /** Told of each session of the store that was ended because it held a lock and had stopped. */
  readonly onEviction?: (eviction: Eviction) => void;
}

/** The audit service without its wire: what the HTTP app, the embedded transport and the CLI all stand on. */
export class AuditService {
  readonly database: Database;
  readonly writer: Writer;
  readonly logs: TenantLogs;
  readonly signer: Signer;
  readonly keys: ApiKeys;
  /** What every submitted event passes first. */
  readonly admission: Admission;
  /** Tenant of the service's own records. */
  readonly serviceTenant: string;
  /**
   * What stands in the way of chaining, beyond the store itself, for readiness to tell: each asks one part of the service,
   * and answers with reasons or none. Whoever adds one removes it when it ends.
   */
  readonly obstacles: Set<() => readonly string[]> = new Set();
  /** Aborts when the service begins to close: whoever follows it ends then. */
  readonly closing: AbortSignal;
  readonly #closer = new AbortController();
  readonly #options: AuditServiceOptions;
  readonly #appending: AppendOptions;
  readonly #timers: { stop(): void }[] = [];
  /** The round of checkpoints that is under way. */
  #signing: Promise<void> | undefined;

  private constructor(options: AuditServiceOptions, database: Database, signer: Signer) {
    this.#options = options;
    this.serviceTenant = options.serviceTenant ?? defaultServiceTenant;
    const now = options.now ?? Date.now;
    this.database = database;
    this.signer = signer;
    this.closing = this.#closer.signal;
    this.logs = new TenantLogs(database, signer);
    this.keys = new ApiKeys(database, now);
    this.admission = new Admission({
      now,
      taxonomy: options.taxonomy,
      stopped: { has: (tenantId) => this.logs.stopped.has(tenantId) },
    });
    this.#appending = {
      logName: options.logName,
      assertRunning: (tenantId) => this.logs.assertRunning(tenantId),
      assertCurrent: (session, head) => this.logs.assertCurrent(session, head),
    };
    this.writer = new Writer(database, {
      ...this.#appending,
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
    const { store, serviceTenant = defaultServiceTenant } = options;
    if (!tenantIdPattern.test(serviceTenant)) {
      throw new ServerError(
        'CONFIG_INVALID',
        `${JSON.stringify(serviceTenant)} can't be the service's tenant`,
      );
    }
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
        : new PostgresDatabase({
            url: store.databaseUrl,
            ...(store.timeouts !== undefined && { timeouts: store.timeouts }),
            ...(options.onEviction !== undefined && { onEviction: options.onEviction }),
          });
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
      const item = this.admission.itemOf(raw, ingestOf(submission, index), submission.tenants);
      if (item === undefined) {
        results[index] = forbidden();
      } else {
        items.push(item);
        itemIndexes.push(index);
      }
    }
    const statements: ProducerStatement[] = [];
    if (submission.delivery !== undefined) {
      const said = statementOf(submission, submission.delivery);
      const { statement, refused } = this.admission.statementOf(said, submission);
      statements.push(statement);
      items.push(...refused);
    }
    const outcomes = await this.writer.submit(items, statements);
    for (const [at, index] of itemIndexes.entries()) {
      const outcome = outcomes[at]!;
      results[index] = toResult(outcome);
      this.#tell(outcome);
    }
    return results as SubmissionResult[];
  }

  /**
   * Enters what a producer has said without events, and chains the gaps that it declares.
   *
   * @param raw as it was received: what is kept of it where a chain is stopped
   * @returns one result for each gap; the refusal alone, and nothing entered of the gaps, where a chain is stopped
   * @throws {ServerError} as of `submit`
   */
  async declare(
    said: ProducerStatement,
    from: Pick<Submission, 'source' | 'principal'>,
    raw: Uint8Array,
  ): Promise<SubmissionResult[]> {
    const { statement, refused } = this.admission.statementOf(said, from, raw);
    // Its records come from the statement by themselves; as items of the batch they are answered for, and chained once.
    const items = refused.length > 0 ? refused : gapRecords([statement]);
    return (await this.writer.submit(items, [statement])).map(toResult);
  }

  /**
   * Chains ranges of sources that can be read again, with the sources' positions, in one transaction. The caller tries
   * again where it fails: what has been applied is skipped.
   *
   * @returns one result for each batch
   * @throws {ServerError} as of `appendBatches`
   */
  async appendRanges(
    batches: readonly Batch[],
    hooks: Pick<AppendOptions, 'duringCopy' | 'beforeCommit'> = {},
  ): Promise<AppendResult[]> {
    const started = performance.now();
    const results = await appendBatches(this.database, batches, { ...this.#appending, ...hooks });
    const events = batches.reduce((sum, { items }) => sum + items.length, 0);
    this.#options.onCommit?.({ events, durationMs: performance.now() - started });
    for (const { outcomes } of results) {
      for (const outcome of outcomes) if (outcome !== undefined) this.#tell(outcome);
    }
    return results;
  }

  #tell(outcome: ItemOutcome): void {
    this.#options.onOutcome?.(outcome.status, 1);
    if ('deadLetter' in outcome) this.#options.onDeadLetter?.(outcome.deadLetter.violations[0]!.code);
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
    await this.#signing;
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
    const sign = async () => {
      await this.logs.reviewStopped();
      await this.logs.checkpointAll(
        (tenantId, error) => report(`checkpoint ${tenantId}`)(error),
        this.closing,
      );
    };
    const timer = setInterval(() => {
      // A round that takes longer than the interval is not queued up behind.
      this.#signing ??= sign()
        .catch(report('checkpoints'))
        .finally(() => {
          this.#signing = undefined;
        });
    }, interval);
    timer.unref();
    this.#timers.push({ stop: () => clearInterval(timer) });
  }
}

const defaultServiceTenant = 'tallystick';

/** Events that are admitted before the event loop gets its turn. */
const eventsPerTurn = 64;

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
function statementOf(submission: Submission, delivery: ReceivedDelivery): ProducerStatement {
  const { tenants } = submission;
  const mayUse = (said: { readonly tenant_id: string }) =>
    tenants === undefined || tenants.includes(said.tenant_id);
  const { gaps, final } = delivery;
  const said = { ...delivery, gaps: gaps?.filter(mayUse), final: final?.filter(mayUse) };
  return toStatement(said, submitterOf(submission));
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
