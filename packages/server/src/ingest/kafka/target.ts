import type { AppendOptions, AppendResult } from '../../chain/append-batch.ts';
import type { Batch } from '../../chain/batch.ts';
import type { Database } from '../../store/database.ts';
import type { Admission } from '../admit/admission.ts';

/** Where the messages go: what the ingest needs of the audit service. */
export interface IngestTarget {
  readonly database: Database;
  readonly admission: Admission;
  /** Tenant of the records that the service itself writes. */
  readonly serviceTenant: string;
  /** The clock of this process, milliseconds since the epoch. */
  readonly now: () => number;
  /** Each returns reasons why the service is not ready; the ingest adds one. */
  readonly readinessChecks: Set<() => readonly string[]>;
  /** Chains ranges and moves their positions in one transaction; see `AuditService.appendRanges`. */
  appendRanges(batches: readonly Batch[], options?: Pick<AppendOptions, 'onStage'>): Promise<AppendResult[]>;
}
