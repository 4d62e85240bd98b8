import { type AuditEvent, canonicalize, isCanonical } from '@tallystick/event';
import { sha256 } from '#sha256';
import { toHex } from './bytes.ts';
import { LogError } from './errors.ts';
import { readGenesis } from './genesis.ts';
import {
  type AuditRecord,
  type Ingest,
  readRecord,
  type SealedRecord,
  sealRecord,
  zeroHash,
} from './record.ts';

/** The head of a chain: all that is needed to extend it. */
export interface ChainState {
  readonly tenantId: string;
  readonly lastSequence: number;
  /** Hex. */
  readonly lastHash: string;
}

/**
 * Seals an event as the next record of a chain.
 *
 * @throws {LogError} `CHAIN_STATE_INVALID` where the event belongs to another tenant
 */
export function chainEvent(
  event: AuditEvent,
  state: ChainState,
  context: { readonly ingest: Ingest; readonly ingestedAt: string },
): SealedRecord {
  if (event.tenant_id !== state.tenantId) {
    throw new LogError('CHAIN_STATE_INVALID', "the event belongs to another tenant's chain");
  }
  return sealRecord({
    canonicalEvent: canonicalize(event),
    ingest: context.ingest,
    ingestedAt: context.ingestedAt,
    previousHash: state.lastHash,
    sequenceNumber: state.lastSequence + 1,
    tenantId: state.tenantId,
  });
}

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

/** Evidence of tampering, located. `expected` is never the hash that would make a forged record pass. */
export interface ChainFinding {
  readonly code: ChainFindingCode;
  readonly sequence_number: number;
  readonly expected?: string;
  readonly found?: string;
}

/** A record as a store or a bundle gives it. */
export interface StoredRecord {
  /** The record's bytes, verbatim. */
  readonly text: string;
  /** The hash that the store holds beside it, hex; where absent, only the chain's links are checked. */
  readonly hashHex?: string;
  /** The position at which the store holds it; where absent, the record's own word is taken. */
  readonly sequenceNumber?: number;
}

/** Which chain is expected, and from where on. */
export interface ChainVerifierOptions {
  readonly tenantId: string;
  /** Origin that the genesis record must bind; not checked where absent. */
  readonly origin?: string;
  /** Start in mid-chain: the predecessor's position and hash, which the caller trusts. */
  readonly after?: { readonly sequenceNumber: number; readonly hashHex: string };
  /** Records may be missing between those given: a gap is no finding, and nothing is linked across it. */
  readonly allowGaps?: boolean;
}

/**
 * Checks records one after the other, in constant memory: bytes against hash, canonical form, links, positions,
 * tenant, genesis and time. It goes on after a finding, so that one forged record does not hide the next.
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

  /** The hash of the last record checked, hex. */
  get headHash(): string {
    return this.#previousHash;
  }

  /**
   * Checks the next record.
   *
   * @returns the hash of its bytes (the leaf's data), its content where the bytes are canonical ones of a record, and
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
    const record = readCanonical(stored.text);
    const sequence = stored.sequenceNumber ?? record?.sequence_number ?? this.#expected;
    const found = (code: ChainFindingCode, expected?: string | number, actual?: string | number) =>
      findings.push({
        code,
        sequence_number: sequence,
        ...(expected !== undefined && { expected: String(expected) }),
        ...(actual !== undefined && { found: String(actual) }),
      });

    if (stored.hashHex !== undefined && stored.hashHex !== hashHex) {
      // The stored hash, which the chain committed to, is evidence; the hash that would fit is not handed out.
      found('RECORD_HASH_MISMATCH', stored.hashHex);
    }
    if (record === undefined) found('RECORD_NOT_CANONICAL');
    this.#checkPosition(sequence, found);
    if (record !== undefined) this.#checkContent(record, sequence, found);

    this.#expected = sequence + 1;
    // Successors are held against what the chain committed to, so that one edited record is one finding, not two.
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
      // The event's own may be any JSON value, also one that String() throws for.
      found('TENANT_MISMATCH', tenantId, typeof other === 'string' ? other : 'no text');
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

/** Bytes that are not canonical are not read at all: a duplicate member is two records to two parsers. */
function readCanonical(text: string): AuditRecord | undefined {
  try {
    const record = readRecord(text);
    return isCanonical(text) ? record : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Checks a whole chain held in memory; `findings` is empty for a chain that holds together.
 *
 * @returns `verified: false` for no records at all: nothing is not evidence
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
