import { tenantIdPattern } from '@tallystick/event';
import { ApiKeys } from './access/api-keys.ts';
import { BlockedSubjects } from './access/blocked-subjects.ts';
import { ConsoleSessions } from './access/sessions/console-sessions.ts';
import { SignInLinks } from './access/sessions/sign-in-links.ts';
import { ViewerTokens } from './access/viewer-tokens/viewer-tokens.ts';
import { ApprovalDesk } from './approvals/desk.ts';
import { Operations } from './approvals/operations.ts';
import { WebhookOutbox } from './approvals/webhook/outbox.ts';
import { BackgroundWork } from './background-work.ts';
import type { AppendOptions } from './chain/append-batch.ts';
import type { BatchBookkeeping, ProducerStatement } from './chain/batch.ts';
import { defaultServiceTenant } from './chain/book-options.ts';
import { KeyBook } from './chain/books/key-book.ts';
import { openBooks } from './chain/books/open-books.ts';
import { SessionBook } from './chain/books/session-book.ts';
import { SubjectBook } from './chain/books/subject-book.ts';
import { ViewerTokenBook } from './chain/books/viewer-token-book.ts';
import { recordRotations } from './chain/record-rotations.ts';
import { Writer } from './chain/writer.ts';
import { ServerError } from './errors.ts';
import { fieldIndex } from './followers/field-index/field-index.ts';
import type { Follower } from './followers/follower.ts';
import type { Followers } from './followers/followers.ts';
import { hourlyCounts } from './followers/hourly-counts/hourly-counts.ts';
import { openIntents } from './followers/open-intents/open-intents.ts';
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
import { Signer } from './proofs/signer.ts';
import { TenantLogs } from './proofs/tenant-logs.ts';
import { type AuditServiceOptions, openDatabase, signerDirectoryOf } from './service-options.ts';
import type { Database } from './store/database.ts';
import { migratePglite } from './store/migrate.ts';
import { ensurePartitions } from './store/partitions.ts';
import { PgliteDatabase } from './store/pglite/pglite.ts';
import { checkStore } from './store/startup-checks.ts';
import { Trail } from './trail/trail.ts';

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
  readonly #background: BackgroundWork;
  #closed: Promise<void> | undefined;

  private constructor(
    options: AuditServiceOptions,
    database: Database,
    signer: Signer,
    logs: TenantLogs,
    rules: RedactionSetting,
  ) {
    const { now = Date.now, observer = {} } = options;
    const { guard } = logs;
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
      onExtended: (tenantIds) => this.#background.followers?.wake(tenantIds),
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
    const { appendRanges, recordIdSecret, serviceTenant } = this;
    const { webhooks } = options;
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
    const followers: Follower[] = [
      openIntents(this, options.openIntents),
      fieldIndex(),
      searchIndex(),
      hourlyCounts(),
    ];
    this.followerOperations = new FollowerOperations(database, followers);
    this.#background = new BackgroundWork(this, followers, options);
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

  /** The followers that run in this process. */
  get followers(): Followers | undefined {
    return this.#background.followers;
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
    await this.#background.stop();
    await this.writer.close();
    // An error of the signer does not keep the store open: all that was chained is durable without the signature.
    await this.#background.signLast();
    await this.database.close();
    this.signer.close();
  }
}
