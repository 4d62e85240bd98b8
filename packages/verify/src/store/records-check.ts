import { type AuditRecord, ChainVerifier } from '@tallystick/log';
import type { FindingSink } from '../report.ts';
import type { TreeCheck } from '../tree-check.ts';
import { type ColumnMismatch, compareColumns, type StoredRow } from './columns.ts';

/** Which records a {@link RecordsCheck} expects, and where it reports what is wrong with them. */
export interface RecordsCheckOptions {
  readonly tenantId: string;
  readonly origin: string;
  /** The record before the first row, where the check begins in mid-chain. Its hash is hex, as the store has it. */
  readonly after?: { readonly sequenceNumber: number; readonly hashHex: string } | undefined;
  /** Receives the records' hashes; absent where no trusted checkpoint covers the rows. */
  readonly tree: TreeCheck | undefined;
  readonly findings: FindingSink;
  /** See `VerifyStoreOptions.onRecord`. */
  readonly onRecord?: ((record: AuditRecord, hash: Uint8Array) => void) | undefined;
}

/**
 * Checks the rows of a chain in the order of their positions: bytes, hash, link, position, columns and tree. The memory that
 * it uses does not depend on the number of rows, and it continues after a finding.
 */
export class RecordsCheck {
  readonly #chain: ChainVerifier;
  readonly #tree: TreeCheck | undefined;
  readonly #findings: FindingSink;
  readonly #onRecord: RecordsCheckOptions['onRecord'];
  #records = 0;
  #hasGap = false;
  #lastIngestedAt: string | undefined;

  constructor({ tenantId, origin, after, tree, findings, onRecord }: RecordsCheckOptions) {
    this.#chain = new ChainVerifier({ tenantId, origin, ...(after !== undefined && { after }) });
    this.#tree = tree;
    this.#findings = findings;
    this.#onRecord = onRecord;
  }

  /** Number of rows so far. */
  get records(): number {
    return this.#records;
  }

  /** Whether a row did not follow the row before it. Then the tree is not continued: its leaves would be misplaced. */
  get hasGap(): boolean {
    return this.#hasGap;
  }

  /** The position that the next row must have. */
  get nextSequence(): number {
    return this.#chain.nextSequence;
  }

  /** Hash of the last record, hex. */
  get headHash(): string {
    return this.#chain.headHash;
  }

  /** When the last record was chained; `undefined` where its bytes can't be read. */
  get lastIngestedAt(): string | undefined {
    return this.#lastIngestedAt;
  }

  /**
   * Checks the next row.
   *
   * @param onTile see `FrontierBuilder.append`
   * @returns the columns that differ from the record. The caller reports them, because not every reader of a report may
   *   see their values
   */
  check(row: StoredRow, onTile?: (level: number, root: Uint8Array) => void): readonly ColumnMismatch[] {
    this.#hasGap ||= row.sequence_number !== this.#chain.nextSequence;
    const { hash, record, findings } = this.#chain.check({
      text: row.record,
      hashHex: row.record_hash,
      sequenceNumber: row.sequence_number,
    });
    for (const finding of findings) this.#findings.add(finding);
    if (!this.#hasGap) this.#tree?.append(hash, onTile);
    this.#records++;
    this.#lastIngestedAt = record?.ingested_at;
    if (record !== undefined) this.#onRecord?.(record, hash);
    return record === undefined ? [] : compareColumns(row, record);
  }
}
