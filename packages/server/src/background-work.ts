import { DeadlineTimer } from './approvals/deadline-timer.ts';
import type { ApprovalDesk } from './approvals/desk.ts';
import { keepWebhooksRetired } from './approvals/webhook/retention.ts';
import { WebhookSender } from './approvals/webhook/webhook-sender.ts';
import { keepAccountsPruned } from './chain/books/prune-accounts.ts';
import type { Follower } from './followers/follower.ts';
import { Followers } from './followers/followers.ts';
import type { IdempotencyKeys } from './ingest/idempotency-keys.ts';
import { CheckpointTimer } from './proofs/checkpoint-timer.ts';
import type { TenantLogs } from './proofs/tenant-logs.ts';
import type { AuditServiceOptions } from './service-options.ts';
import { keepPartitionsAhead } from './store/partitions.ts';

/** The parts of the service that work is done for. An `AuditService` has all of it. */
export type BackgroundTarget = Parameters<typeof keepAccountsPruned>[0] & {
  readonly logs: TenantLogs;
  readonly desk: ApprovalDesk;
  readonly idempotencyKeys: IdempotencyKeys;
  readonly now: () => number;
};

/**
 * What the service does by itself at intervals: it makes partitions, signs logs that have grown, ends what is overdue, removes what is not
 * needed any more, and keeps what followers derive from the chains. An error ends none of it: the observer learns of it, and the next
 * interval tries again.
 */
export class BackgroundWork {
  /** The followers that run in this process. */
  readonly followers: Followers | undefined;
  readonly #idempotencyKeys: IdempotencyKeys;
  readonly #partitionTimer: { stop(): void };
  readonly #accountTimer: { stop(): void };
  readonly #checkpointTimer: CheckpointTimer | undefined;
  readonly #deadlineTimer: DeadlineTimer | undefined;
  readonly #webhookSender: WebhookSender | undefined;
  readonly #webhookRetention: { close(): Promise<void> };

  constructor(service: BackgroundTarget, followers: readonly Follower[], options: AuditServiceOptions) {
    const { database, desk, logs, now } = service;
    const { observer = {}, webhooks, checkpointIntervalMs = 60_000, approvalIntervalMs = 1_000 } = options;
    const onError = (what: string, error: unknown) => observer.onBackgroundError?.(what, error);
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
        : new DeadlineTimer({ desk, intervalMs: approvalIntervalMs, onError });
    this.followers =
      options.followers === false
        ? undefined
        : new Followers(database, followers, options.followers ?? {}, onError);
    this.#idempotencyKeys = service.idempotencyKeys;
    this.#idempotencyKeys.keepPruned((error) => onError('idempotency keys', error));
    this.#partitionTimer = keepPartitionsAhead(database, (error) => onError('partitions', error));
    this.#accountTimer = keepAccountsPruned(service, now, (error) => onError('accounts', error));
    const { guard, checkpointer } = logs;
    this.#checkpointTimer =
      checkpointIntervalMs === 0
        ? undefined
        : new CheckpointTimer({ guard, checkpointer, intervalMs: checkpointIntervalMs, onError });
  }

  /** Begins nothing more, and waits for what has begun. */
  async stop(): Promise<void> {
    this.#partitionTimer.stop();
    this.#accountTimer.stop();
    this.#idempotencyKeys.stop();
    this.#checkpointTimer?.stop();
    await this.#deadlineTimer?.close();
    await this.followers?.close();
    await this.#webhookSender?.close();
    await this.#webhookRetention.close();
  }

  /** Signs the logs that have grown. Call it when nothing is chained any more. */
  async signLast(): Promise<void> {
    await this.#checkpointTimer?.finish();
  }
}
