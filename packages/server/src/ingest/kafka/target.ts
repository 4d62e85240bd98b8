import type { AppendOptions, AppendResult } from '../../chain/append-batch.ts';
import type { Batch } from '../../chain/batch.ts';
import type { Database } from '../../store/database.ts';
import type { Gate } from '../admit/gate.ts';

/** Where the messages go: what the ingest needs of the audit service. */
export interface IngestTarget {
  readonly database: Database;
  readonly gate: Gate;
  /** Tenant of the records that the service itself writes. */
  readonly serviceTenant: string;
  /** Each returns reasons why the service is not ready; the ingest adds one. */
  readonly obstacles: Set<() => readonly string[]>;
  /** Chains ranges and moves their positions in one transaction; see `AuditService.appendRanges`. */
  appendRanges(
    batches: readonly Batch[],
    options?: Pick<AppendOptions, 'duringCopy' | 'beforeCommit'>,
  ): Promise<AppendResult[]>;
}
