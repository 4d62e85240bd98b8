import type { Verdict } from './verification.ts';

/** The current state of a tenant's chain. */
export interface TenantInfo {
  readonly tenant_id: string;
  readonly epoch: number;
  /** Number of records in the current epoch. */
  readonly size: number;
  /** Hash of the newest record, 64 hexadecimal digits. */
  readonly head_hash: string;
  readonly last_ingested_at: string;
  /** Number of records that the last checkpoint covers; null before the first checkpoint. */
  readonly signed_size: number | null;
  /** When the last checkpoint was signed; null before the first checkpoint. */
  readonly signed_at: string | null;
  /** The last check of the whole chain by the service itself; null where there was none. */
  readonly last_verification: {
    /** The worst verdict of the check's parts. */
    readonly verdict: Verdict;
    readonly checked_at: string;
    /** Number of records that the chain had. */
    readonly size: number;
  } | null;
}

/** A page of a list of tenants, ordered by their ids. */
export interface TenantPage {
  readonly tenants: readonly TenantInfo[];
  readonly next_cursor?: string;
}
