import type { Telemetry } from '../platform/detection.ts';
import type { FindingSource } from '../platform/exposure.ts';

/** What an alert of the corpus is, as its author knows it. */
export type AlertKind = 'attack' | 'harmless' | 'injection' | 'malformed' | 'duplicate' | 'hostile';

/** An alert of the corpus. */
export interface CorpusAlert {
  /** Unique in the corpus. */
  readonly name: string;
  readonly kind: AlertKind;
  readonly tenantId: string;
  readonly source: string;
  readonly payload: unknown;
}

export interface CorpusFinding {
  readonly name: string;
  readonly tenantId: string;
  readonly source: FindingSource;
  readonly payload: unknown;
}

export interface CorpusTelemetry {
  readonly name: string;
  readonly tenantId: string;
  readonly telemetry: Telemetry;
}
