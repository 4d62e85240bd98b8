/** Proof that a record is a leaf of the tree of `size` leaves (RFC 9162 section 2.1.3). */
export interface InclusionProof {
  readonly origin: string;
  readonly index: number;
  readonly size: number;
  /** Hashes of 32 bytes, standard base64. */
  readonly hashes: readonly string[];
}

/** Proof that the tree of `to` leaves extends the tree of `from` leaves (RFC 9162 section 2.1.4). */
export interface ConsistencyProof {
  readonly origin: string;
  readonly from: number;
  readonly to: number;
  readonly hashes: readonly string[];
}

/** The verifier keys of a tenant's log, newest first. */
export interface LogKeys {
  readonly origin: string;
  readonly keys: readonly {
    /** A verifier key string of a signed note. */
    readonly key: string;
    readonly created_at: string;
    readonly retired_at?: string | undefined;
  }[];
}
