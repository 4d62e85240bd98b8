import type { ItemOutcome } from './chain/batch.ts';
import type { Eviction } from './store/database.ts';

/**
 * What an application can observe of the service. Methods are called synchronously, after the fact; they must return
 * quickly and must not throw.
 */
export interface ServiceObserver {
  /** A transaction that extends chains has committed. */
  onCommit?(batch: { readonly events: number; readonly durationMs: number }): void;
  /** Events got this outcome. Called after the commit. */
  onOutcome?(status: ItemOutcome['status'], count: number): void;
  /** An event was stored as a dead letter. `reason` is the code of its first violation. Called after the commit. */
  onDeadLetter?(reason: string): void;
  /** A transaction failed and is tried again. `reason` is a SQLSTATE or an error code. */
  onRetry?(reason: string): void;
  /** The service ended a database session that held a lock and made no progress. */
  onEviction?(eviction: Eviction): void;
  /** An attempt to deliver a message about an approval has ended. `dead`: the service has given up. */
  onWebhook?(outcome: 'delivered' | 'failed' | 'dead'): void;
  /**
   * Messages about approvals reached their end without being delivered. `abandoned`: no replica has their endpoint. `pruned`: they were given up
   * long ago, and are deleted.
   */
  onWebhooksRetired?(outcome: 'abandoned' | 'pruned', count: number): void;
  /** An approval, a minimum rule or an operation is not what its records say: somebody has edited the database. It was not used. */
  onApprovalMismatch?(): void;
  /** Background work failed: making partitions, signing checkpoints. `what` names it. */
  onBackgroundError?(what: string, error: unknown): void;
}

/** One observer that passes every call on to all of these. */
export function combineObservers(...observers: readonly ServiceObserver[]): ServiceObserver {
  return {
    onCommit: (batch) => {
      for (const each of observers) each.onCommit?.(batch);
    },
    onOutcome: (status, count) => {
      for (const each of observers) each.onOutcome?.(status, count);
    },
    onDeadLetter: (reason) => {
      for (const each of observers) each.onDeadLetter?.(reason);
    },
    onRetry: (reason) => {
      for (const each of observers) each.onRetry?.(reason);
    },
    onEviction: (eviction) => {
      for (const each of observers) each.onEviction?.(eviction);
    },
    onWebhook: (outcome) => {
      for (const each of observers) each.onWebhook?.(outcome);
    },
    onWebhooksRetired: (outcome, count) => {
      for (const each of observers) each.onWebhooksRetired?.(outcome, count);
    },
    onApprovalMismatch: () => {
      for (const each of observers) each.onApprovalMismatch?.();
    },
    onBackgroundError: (what, error) => {
      for (const each of observers) each.onBackgroundError?.(what, error);
    },
  };
}
