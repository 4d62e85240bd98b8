import { sha256 } from '#sha256';
import { toHex } from './bytes.ts';
import { readGenesis } from './genesis.ts';
import { type AuditRecord, readCanonicalRecord, zeroHash } from './record.ts';

/** What can be wrong with one record, or between it and its predecessor. */
export type ChainFindingCode =
  | 'RECORD_HASH_MISMATCH'
  | 'RECORD_NOT_CANONICAL'
  | 'CHAIN_LINK_BROKEN'
  | 'SEQUENCE_GAP'
  | 'SEQUENCE_DUPLICATE'
  | 'GENESIS_INVALID'
  | 'TENANT_MISMATCH'
  | 'TIME_REGRESSION';

/** Evidence of tampering, with its place. `expected` is never a hash that would make a forged record pass. */
export interface ChainFinding {
  readonly code: ChainFindingCode;
  readonly sequence_number: number;
  readonly expected?: string;
  readonly found?: string;
}

/** A record as it is read from a store or a bundle. */
export interface StoredRecord {
  /** The record's bytes, verbatim. */
  readonly text: string;
  /** The hash that the store has beside the record, hex. Where absent, only the links of the chain are checked. */
  readonly hashHex?: string;
  /** The position that the store has for the record. Where absent, the record's own `sequence_number` counts. */
  readonly sequenceNumber?: number;
}

/** Which chain is expected, and where it begins. */
export interface ChainVerifierOptions {
  readonly tenantId: string;
  /** Origin that the genesis record must name; not checked where absent. */
  readonly origin?: string;
  /** Where to begin in mid-chain: position and hash of the record before, which the caller trusts. */
  readonly after?: { readonly sequenceNumber: number; readonly hashHex: string };
  /** Records may be missing between the given ones. A gap is then no finding, and links across it are not checked. */
  readonly allowGaps?: boolean;
}

/**
 * Checks the records of a chain one after another, in constant memory: hash, canonical form, link, position, tenant, genesis
 * and time. It continues after a finding, so a forged record does not hide the next one.
 */
export class ChainVerifier {
  readonly #options: ChainVerifierOptions;
  #expected: number;
  #previousHash: string;
  /** Whether `#previousHash` is the hash of the direct predecessor of `#expected`. */
  #linked = true;
  #previousTime = '';

  constructor(options: ChainVerifierOptions) {
    this.#options = options;
    this.#expected = options.after === undefined ? 0 : options.after.sequenceNumber + 1;
    this.#previousHash = options.after?.hashHex ?? zeroHash;
  }

  /** The sequence number that the next record must have. */
  get nextSequence(): number {
    return this.#expected;
  }

  /** The hash of the last checked record, hex. */
  get headHash(): string {
    return this.#previousHash;
  }

  /**
   * Checks the next record.
   *
   * @returns the hash of its bytes, which is the data of its leaf; its content, where the bytes are a canonical record; and
   *   what is wrong with it
   */
  check(stored: StoredRecord): {
    readonly hash: Uint8Array;
    readonly record: AuditRecord | undefined;
    readonly findings: ChainFinding[];
  } {
    const findings: ChainFinding[] = [];
    const hash = sha256(stored.text);
    const hashHex = toHex(hash);
    const record = readCanonicalRecord(stored.text);
    const sequence = stored.sequenceNumber ?? record?.sequence_number ?? this.#expected;
    const found = (code: ChainFindingCode, expected?: string | number, actual?: string | number) =>
      findings.push({
        code,
        sequence_number: sequence,
        ...(expected !== undefined && { expected: String(expected) }),
        ...(actual !== undefined && { found: String(actual) }),
      });

    if (stored.hashHex !== undefined && stored.hashHex !== hashHex) {
      // The chain committed to the stored hash, so it is evidence. The hash that would match would help a forger.
      found('RECORD_HASH_MISMATCH', stored.hashHex);
    }
    if (record === undefined) found('RECORD_NOT_CANONICAL');
    this.#checkPosition(sequence, found);
    if (record !== undefined) this.#checkContent(record, sequence, found);

    this.#expected = sequence + 1;
    // The next record must link to the hash that the chain committed to, so one edited record is one finding.
    this.#previousHash = stored.hashHex ?? hashHex;
    this.#linked = true;
    return { hash, record, findings };
  }

  #checkPosition(
    sequence: number,
    found: (code: ChainFindingCode, expected?: number, actual?: number) => void,
  ): void {
    if (sequence > this.#expected) {
      if (this.#options.allowGaps !== true) found('SEQUENCE_GAP', this.#expected, sequence);
      this.#linked = false;
    } else if (sequence < this.#expected) {
      found('SEQUENCE_DUPLICATE', this.#expected, sequence);
      this.#linked = false;
    }
  }

  #checkContent(
    record: AuditRecord,
    sequence: number,
    found: (code: ChainFindingCode, expected?: string | number, actual?: string | number) => void,
  ): void {
    const { tenantId, origin } = this.#options;
    if (record.sequence_number !== sequence) found('SEQUENCE_GAP', sequence, record.sequence_number);
    if (record.tenant_id !== tenantId || record.event.tenant_id !== tenantId) {
      const other = record.tenant_id === tenantId ? record.event.tenant_id : record.tenant_id;
      // In a forged event it can be any JSON value, even an object for which String() throws.
      found('TENANT_MISMATCH', tenantId, typeof other === 'string' ? other : 'not a string');
    }
    if (this.#linked && record.previous_hash !== this.#previousHash) {
      found('CHAIN_LINK_BROKEN', this.#previousHash, record.previous_hash);
    }
    if (sequence === 0) {
      try {
        const bound = readGenesis(record);
        if (origin !== undefined && bound.origin !== origin) found('GENESIS_INVALID', origin, bound.origin);
      } catch {
        found('GENESIS_INVALID');
      }
    } else if (record.event.event_type === 'system.genesis') {
      found('GENESIS_INVALID', 'sequence_number 0', sequence);
    }
    if (record.ingested_at < this.#previousTime)
      found('TIME_REGRESSION', this.#previousTime, record.ingested_at);
    this.#previousTime = record.ingested_at;
  }
}

/**
 * Checks a chain in memory.
 *
 * @returns `verified: true` where there are records and no findings. Without any record, nothing is proven
 */
export function verifyChain(
  records: Iterable<StoredRecord>,
  options: ChainVerifierOptions,
): { readonly verified: boolean; readonly records: number; readonly findings: readonly ChainFinding[] } {
  const verifier = new ChainVerifier(options);
  const findings: ChainFinding[] = [];
  let count = 0;
  for (const stored of records) {
    count++;
    findings.push(...verifier.check(stored).findings);
  }
  return { verified: count > 0 && findings.length === 0, records: count, findings };
}
