import { join } from 'node:path';
import { type Taxonomy, tenantIdPattern } from '@tallystick/event';
import { ApiKeys } from './access/api-keys.ts';
import { BlockedSubjects } from './access/blocked-subjects.ts';
import { ConsoleSessions } from './access/sessions/console-sessions.ts';
import { SignInLinks } from './access/sessions/sign-in-links.ts';
import { ViewerTokens } from './access/viewer-tokens/viewer-tokens.ts';
import { DeadlineTimer } from './approvals/deadline-timer.ts';
import { ApprovalDesk } from './approvals/desk.ts';
import { Operations } from './approvals/operations.ts';
import { WebhookOutbox } from './approvals/webhook/outbox.ts';
import { keepWebhooksRetired } from './approvals/webhook/retention.ts';
import type { WebhookOptions } from './approvals/webhook/webhook-options.ts';
import { WebhookSender } from './approvals/webhook/webhook-sender.ts';
import type { AppendOptions } from './chain/append-batch.ts';
import type { BatchBookkeeping, ProducerStatement } from './chain/batch.ts';
import { defaultServiceTenant } from './chain/book-options.ts';
import { KeyBook } from './chain/books/key-book.ts';
import { openBooks } from './chain/books/open-books.ts';
import { keepAccountsPruned } from './chain/books/prune-accounts.ts';
import { SessionBook } from './chain/books/session-book.ts';
import { SubjectBook } from './chain/books/subject-book.ts';
import { ViewerTokenBook } from './chain/books/viewer-token-book.ts';
import { recordRotations } from './chain/record-rotations.ts';
import { Writer } from './chain/writer.ts';
import { ServerError } from './errors.ts';
import { fieldIndex } from './followers/field-index/field-index.ts';
import type { Follower } from './followers/follower.ts';
import { Followers, type FollowersOptions } from './followers/followers.ts';
import { hourlyCounts } from './followers/hourly-counts/hourly-counts.ts';
import { type OpenIntentsOptions, openIntents } from './followers/open-intents/open-intents.ts';
import { FollowerOperations } from './followers/operate.ts';
import { searchIndex } from './followers/search-index/search-index.ts';
import { Admission } from './ingest/admit/admission.ts';
import { AdmissionRedaction } from './ingest/admit/redaction.ts';
import type { RedactionSetting } from './ingest/admit/redaction-rules.ts';
import { type AppendRanges, rangeAppender } from './ingest/append-ranges.ts';
import { IdempotencyKeys } from './ingest/idempotency-keys.ts';
import { recordedRedaction, recordRedaction } from './ingest/redaction-in-force.ts';
import type { Submission, SubmissionResult } from './ingest/submission.ts';
import { type SubmitPath, submitEvents, submitStatement } from './ingest/submit.ts';
import type { ServiceObserver } from './observer.ts';
import { CheckpointTimer } from './proofs/checkpoint-timer.ts';
import { Signer } from './proofs/signer.ts';
import { TenantLogs } from './proofs/tenant-logs.ts';
import type { Database, Timeouts } from './store/database.ts';
import { migratePglite } from './store/migrate.ts';
import { ensurePartitions, keepPartitionsAhead } from './store/partitions.ts';
import { PgliteDatabase } from './store/pglite/pglite.ts';
import { PostgresDatabase } from './store/postgres.ts';
import { checkStore } from './store/startup-checks.ts';
import { Trail } from './trail/trail.ts';

/** How the audit service is opened: its store, its signer, its limits and its observer. */
export interface AuditServiceOptions {
  /**
   * The store: a directory (Postgres in this process), or the URL of a PostgreSQL server with the login of the service.
   * With less than `reserveBytes` of free disk space, the embedded store refuses writes with `STORE_FULL` and answers reads;
   * the default is 64 MiB.
   */
  readonly store:
    | { readonly directory: string; readonly reserveBytes?: number | undefined }
    | { readonly databaseUrl: string; readonly timeouts?: Partial<Timeouts> | undefined };
  /**
   * The signer's directory, outside the store. @defaultValue `<directory>/signer` for the embedded store; required for
   * a PostgreSQL server
   */
  readonly signerDirectory?: string | undefined;
  /**
   * Name of the log and first part of every origin, such as `audit.example.com`. A directory that has a name refuses another.
   * @defaultValue for the embedded store, the name that its directory has: a new directory gets a random one, `local/<id>`.
   * Required for a PostgreSQL server
   */
  readonly logName?: string | undefined;
  /**
   * Tenant of the service itself. Its chain holds the records that belong to no other tenant, such as those about messages
   * that were lost before the service could read them. @defaultValue 'tallystick'
   */
  readonly serviceTenant?: string | undefined;
  /** Admit only these event types; any well-formed type where absent. */
  readonly taxonomy?: Taxonomy | undefined;
  /**
   * Removes secrets from submitted events before they are canonical and before they become dead letters. A change is chained.
   *
   * @defaultValue the rules that the log has on record; a new log has none
   */
  readonly redaction?: RedactionSetting | undefined;
  /** How often the service signs logs that have grown, ms; 0: only when a caller asks for it. @defaultValue 60000 */
  readonly checkpointIntervalMs?: number | undefined;
  /** How often deadlines of approvals and due webhooks are looked up, ms; 0: never. @defaultValue 1000 */
  readonly approvalIntervalMs?: number | undefined;
  /** How followers run; false: they don't run in this process. @defaultValue they run */
  readonly followers?: FollowersOptions | false | undefined;
  /** When an action of an agent counts as unresolved. */
  readonly openIntents?: OpenIntentsOptions | undefined;
  /** Endpoints that learn of every change of an approval. All replicas need the same. @defaultValue none */
  readonly webhooks?: readonly WebhookOptions[] | undefined;
  /** How long webhook messages that the service has given up are kept, ms. @defaultValue 30 days */
  readonly webhookRetentionMs?: number | undefined;
  /** Most events of one transaction. @defaultValue 1000 */
  readonly maxBatch?: number | undefined;
  /** The clock, milliseconds since the epoch. @defaultValue Date.now */
  readonly now?: () => number;
  /** Learns of commits, outcomes, retries and background errors: a `ServiceMetrics`, or an object of your own. */
  readonly observer?: ServiceObserver | undefined;
}

/**
 * The audit service without HTTP and Kafka: the HTTP app, the Kafka ingest, the embedded transport and the CLI are built on
 * it. It only connects the parts; each part does its work in its own folder.
 */
export class AuditService {
  readonly database: Database;
  readonly writer: Writer;
  readonly logs: TenantLogs;
  readonly signer: Signer;
  readonly keys: ApiKeys;
  /** Subjects whose logins and keys are refused. */
  readonly subjects: BlockedSubjects;
  /** Sessions of people who are signed in to the console. */
  readonly sessions: ConsoleSessions;
  /** Tokens with which browsers read a part of one tenant's trail. */
  readonly viewerTokens: ViewerTokens;
  /** Links that sign in to the console one time. */
  readonly signInLinks: SignInLinks;
  /** What every submitted event passes first. */
  readonly admission: Admission;
  /** What the service filled in for requests with an idempotency key. */
  readonly idempotencyKeys: IdempotencyKeys;
  /** Chains batches with the positions of their sources. */
  readonly appendRanges: AppendRanges;
  /** Approvals of actions of agents. */
  readonly desk: ApprovalDesk;
  /** Operations that begin at most once. */
  readonly operations: Operations;
  /** Pausing, resuming and resetting followers. */
  readonly followerOperations: FollowerOperations;
  /** The followers that run in this process. */
  readonly followers: Followers | undefined;
  /** Tenant of the service's own records. */
  readonly serviceTenant: string;
  /** See `withOwnId`. */
  readonly recordIdSecret: Uint8Array;
  /** The clock of this process, milliseconds since the epoch. */
  readonly now: () => number;
  /**
   * Checks that the readiness endpoint runs beside its check of the store. Each returns why its part of the service cannot
   * chain events, or nothing. The part that adds a check removes it when it closes.
   */
  readonly readinessChecks: Set<() => readonly string[]> = new Set();
  /** Aborts when the service begins to close: long-running readers must end then. */
  readonly closing: AbortSignal;
  readonly #closer = new AbortController();
  readonly #submitPath: SubmitPath;
  readonly #partitionTimer: { stop(): void };
  readonly #accountTimer: { stop(): void };
  readonly #checkpointTimer: CheckpointTimer | undefined;
  readonly #deadlineTimer: DeadlineTimer | undefined;
  readonly #webhookSender: WebhookSender | undefined;
  readonly #webhookRetention: { close(): Promise<void> };
  #closed: Promise<void> | undefined;

  private constructor(
    options: AuditServiceOptions,
    database: Database,
    signer: Signer,
    logs: TenantLogs,
    rules: RedactionSetting,
  ) {
    const { now = Date.now, observer = {}, checkpointIntervalMs = 60_000 } = options;
    const { guard, checkpointer } = logs;
    this.serviceTenant = options.serviceTenant ?? defaultServiceTenant;
    this.recordIdSecret = signer.recordIdSecret;
    this.now = now;
    this.database = database;
    this.signer = signer;
    this.logs = logs;
    this.closing = this.#closer.signal;
    this.admission = new Admission({
      now,
      taxonomy: options.taxonomy,
      stopped: guard.stopped,
      ...(rules !== 'off' && {
        redaction: new AdmissionRedaction(rules, signer.store.serviceSecret('received-events')),
      }),
    });
    this.idempotencyKeys = new IdempotencyKeys(database, now);
    const appendOptions: AppendOptions = {
      logName: signer.logName,
      serviceTenant: this.serviceTenant,
      recordIdSecret: signer.recordIdSecret,
      assertRunning: (tenantId) => guard.assertRunning(tenantId),
      assertCurrent: (session, head) => guard.assertCurrent(session, head),
      stop: (tenantId, reason) => guard.stop(tenantId, reason),
      onExtended: (tenantIds) => this.followers?.wake(tenantIds),
    };
    this.writer = new Writer(database, {
      ...appendOptions,
      ...(options.maxBatch !== undefined && { maxBatch: options.maxBatch }),
      onCommit: (batch) => observer.onCommit?.(batch),
      onRetry: (reason) => observer.onRetry?.(reason),
    });
    this.#submitPath = { admission: this.admission, writer: this.writer, observer };
    this.appendRanges = rangeAppender(database, appendOptions, observer);
    this.keys = new ApiKeys(database, new KeyBook(this), now);
    this.subjects = new BlockedSubjects(database, new SubjectBook(this), now);
    this.sessions = new ConsoleSessions(
      database,
      new SessionBook(this),
      signer.store.serviceSecret('console-sessions'),
      now,
    );
    this.viewerTokens = new ViewerTokens(
      database,
      new ViewerTokenBook(this),
      signer.store.serviceSecret('viewer-tokens'),
      now,
    );
    this.signInLinks = new SignInLinks(this.keys, now);
    const onError = (what: string, error: unknown) => observer.onBackgroundError?.(what, error);
    const { approvalIntervalMs = 1_000, webhooks } = options;
    const { appendRanges, recordIdSecret, serviceTenant } = this;
    this.operations = new Operations({ database, appendRanges, recordIdSecret, observer });
    this.desk = new ApprovalDesk({
      database,
      appendRanges,
      trail: new Trail(database),
      serviceTenant,
      recordIdSecret,
      observer,
      ...(webhooks !== undefined && { outbox: new WebhookOutbox(webhooks) }),
    });
    this.#webhookSender =
      webhooks === undefined
        ? undefined
        : new WebhookSender({ database, endpoints: webhooks, intervalMs: approvalIntervalMs, observer, now });
    // Also without endpoints: messages for endpoints that were removed end too.
    this.#webhookRetention = keepWebhooksRetired(
      {
        database,
        endpoints: (webhooks ?? []).map(({ name }) => name),
        keepMs: options.webhookRetentionMs,
        observer,
      },
      (error) => onError('webhook retention', error),
    );
    this.#deadlineTimer =
      approvalIntervalMs === 0
        ? undefined
        : new DeadlineTimer({ desk: this.desk, intervalMs: approvalIntervalMs, onError });
    const followers: Follower[] = [
      openIntents(this, options.openIntents),
      fieldIndex(),
      searchIndex(),
      hourlyCounts(),
    ];
    this.followerOperations = new FollowerOperations(database, followers);
    this.followers =
      options.followers === false
        ? undefined
        : new Followers(database, followers, options.followers ?? {}, onError);
    this.idempotencyKeys.keepPruned((error) => onError('idempotency keys', error));
    this.#partitionTimer = keepPartitionsAhead(database, (error) => onError('partitions', error));
    this.#accountTimer = keepAccountsPruned(this, now, (error) => onError('accounts', error));
    this.#checkpointTimer =
      checkpointIntervalMs === 0
        ? undefined
        : new CheckpointTimer({ guard, checkpointer, intervalMs: checkpointIntervalMs, onError });
  }

  /**
   * Opens the store, migrates an embedded one to the schema of this version, compares the store with what was signed for
   * it, and starts the timers for partitions and checkpoints.
   *
   * @throws {ServerError} `DATA_DIRECTORY_LOCKED`, `STORE_UNAVAILABLE`, `STORE_FULL`, `SCHEMA_VERSION`, `STORE_UNSUITABLE`,
   *   `CONFIG_INVALID`
   */
  static async open(options: AuditServiceOptions): Promise<AuditService> {
    const { serviceTenant = defaultServiceTenant } = options;
    if (!tenantIdPattern.test(serviceTenant)) {
      throw new ServerError(
        'CONFIG_INVALID',
        `the service tenant ${JSON.stringify(serviceTenant)} is not a valid tenant id`,
      );
    }
    if (options.logName === undefined && !('directory' in options.store)) {
      throw new ServerError('CONFIG_INVALID', 'name the log (logName), such as audit.example.com');
    }
    const signerDirectory = signerDirectoryOf(options);
    const database = await openDatabase(options);
    let signer: Signer | undefined;
    try {
      if (database instanceof PgliteDatabase) await migratePglite(database);
      await checkStore(database);
      await ensurePartitions(database);
      signer = await Signer.open(signerDirectory, options.logName);
      const logs = new TenantLogs(database, signer);
      await logs.guard.compareWithSigner();
      const recorded = await recordedRedaction(database, serviceTenant);
      const rules = options.redaction ?? recorded.setting;
      const service = new AuditService(options, database, signer, logs, rules);
      if (options.redaction !== undefined) {
        const at = { serviceTenant, now: (options.now ?? Date.now)() };
        // A stopped chain of the service's tenant can't take the record. The rules are used, and the next start tries again.
        await recordRedaction(service.writer, rules, recorded, at).catch((error: unknown) =>
          options.observer?.onBackgroundError?.('redaction', error),
        );
      }
      // Without its records a store is as usable as before: the service starts, and its next start tries again.
      await openBooks(service, (options.now ?? Date.now)()).catch((error: unknown) =>
        options.observer?.onBackgroundError?.('books', error),
      );
      // The same is true of rotations whose command was killed.
      await recordRotations(signer.store, service, (options.now ?? Date.now)()).catch((error: unknown) =>
        options.observer?.onBackgroundError?.('key rotations', error),
      );
      return service;
    } catch (error) {
      signer?.close();
      await database.close();
      throw error;
    }
  }

  /** Admits and chains events: see {@link submitEvents}, also for its errors. */
  async submit(submission: Submission, bookkeeping?: BatchBookkeeping): Promise<SubmissionResult[]> {
    return await submitEvents(this.#submitPath, submission, bookkeeping);
  }

  /** Chains the gaps that a producer declares without events: see {@link submitStatement}, also for its errors. */
  async declare(
    declared: ProducerStatement,
    from: Pick<Submission, 'source' | 'principal'>,
    raw: Uint8Array,
    bookkeeping?: BatchBookkeeping,
  ): Promise<SubmissionResult[]> {
    return await submitStatement(this.#submitPath, declared, from, raw, bookkeeping);
  }

  /**
   * Accepts nothing more, settles what was accepted, signs the logs that have grown, and closes the store. A second call
   * returns the same promise.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closer.abort();
    this.#partitionTimer.stop();
    this.#accountTimer.stop();
    this.idempotencyKeys.stop();
    this.#checkpointTimer?.stop();
    await this.#deadlineTimer?.close();
    await this.followers?.close();
    await this.#webhookSender?.close();
    await this.#webhookRetention.close();
    await this.writer.close();
    // An error of the signer does not keep the store open: all that was chained is durable without the signature.
    await this.#checkpointTimer?.finish();
    await this.database.close();
    this.signer.close();
  }
}

function signerDirectoryOf({ store, signerDirectory }: AuditServiceOptions): string {
  if (signerDirectory !== undefined) return signerDirectory;
  if ('directory' in store) return join(store.directory, 'signer');
  throw new ServerError(
    'CONFIG_INVALID',
    "name the signer's directory (signerDirectory), outside the database",
  );
}

async function openDatabase({ store, observer }: AuditServiceOptions): Promise<Database> {
  if ('directory' in store) {
    return await PgliteDatabase.open(store.directory, { reserveBytes: store.reserveBytes });
  }
  return new PostgresDatabase({
    url: store.databaseUrl,
    ...(store.timeouts !== undefined && { timeouts: store.timeouts }),
    onEviction: (eviction) => observer?.onEviction?.(eviction),
  });
}
