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

/**
 * A rotation of the log's key: a statement that the old and the new key signed, with the proof that it names the last checkpoint
 * that was signed for the tenant's log before it.
 *
 * `@tallystick/log` reads and writes the same form (`RotationJson`). Neither package imports the other: a client needs no cryptography, and
 * a verifier knows no HTTP API. The service's route has both types, so it does not compile if they differ.
 */
export interface LogKeyRotation {
  /** A signed note. */
  readonly statement: string;
  /** Absent where no checkpoint of the tenant's log had been signed. */
  readonly last?:
    | {
        readonly size: number;
        /** 32 bytes, standard base64, like the hashes. */
        readonly root: string;
        readonly index: number;
        readonly hashes: readonly string[];
      }
    | undefined;
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
  /** Oldest first. Who trusts one of the keys can check with them which keys came after it. */
  readonly rotations: readonly LogKeyRotation[];
}
