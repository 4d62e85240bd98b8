import { exportFormat } from '@tallystick/event';
import { fromBase64, LogError, parseCheckpoint, parseNote } from '@tallystick/log';
import { type Finding, maxFindings } from '../report.ts';
import { CsvComparison } from './csv-comparison.ts';
import { EvidenceError } from './evidence-error.ts';
import type { EvidenceManifest } from './evidence-manifest.ts';
import { type RecordLine, recordLines, textLines } from './record-lines.ts';
import { SelectionCheck } from './selection-check.ts';
import type { SelectionOptions } from './selection-checkpoint.ts';
import type { SelectionReport } from './selection-report.ts';

/** The files of an evidence archive. They are read side by side, once, from their beginning. */
export interface EvidenceSource {
  readonly manifest: EvidenceManifest;
  /** The signed note. */
  readonly checkpoint: string;
  readonly multiproof: AsyncIterable<Uint8Array>;
  readonly records: AsyncIterable<Uint8Array>;
  readonly csv: AsyncIterable<Uint8Array>;
}

const csv = exportFormat('csv');

/**
 * Verifies an export with evidence: the records with the proof, and the table by writing it again from the records. Memory does not depend
 * on the number of records. The export does not show that it is complete.
 *
 * @param options `onProgress` is called with the number of records that were read
 * @throws {EvidenceError} `EVIDENCE_MALFORMED`; {LogError} `NOTE_UNVERIFIED` for a checkpoint of the caller that no trusted key signed
 */
export async function verifyEvidence(
  source: EvidenceSource,
  options: SelectionOptions & { readonly onProgress?: ((records: number) => void) | undefined },
): Promise<SelectionReport> {
  const { manifest } = source;
  refuseOtherCheckpoint(manifest, source.checkpoint);
  const check = await SelectionCheck.open(manifest.origin, source.checkpoint, options);
  const { findings } = check;
  const isEnough = () => findings.count >= maxFindings;
  const proof = textLines(source.multiproof, 'multiproof.txt');
  const table = textLines(source.csv, 'events.csv');
  const records = recordLines(source.records);
  try {
    const lines = new CsvComparison(table, findings, isEnough);
    await lines.begin();
    const epochs = new EpochOfLine(manifest);
    for await (const line of records) {
      const epoch = epochs.next();
      await takeLine(check, line, epoch, proof);
      const shown = line.shown(epoch);
      if (shown !== undefined) await lines.expect(csv.line(shown));
      else if (line.sequence !== undefined) findings.add(otherEpoch(line, epoch));
      options.onProgress?.(line.number);
      // A file that was made to keep the reader busy is read no further.
      if (isEnough()) return check.finish([]);
    }
    if (!epochs.isAtEnd) {
      const expected = `${epochs.total} records by manifest`;
      findings.add({
        code: 'MANIFEST_MISMATCH',
        sequence_number: null,
        expected,
        found: `${epochs.read} in records.jsonl`,
      });
    }
    await lines.finish();
    const rest = await takeHashes(proof, check.hashesAfter());
    if ((await proof.next()).done !== true) check.refuseRestOfProof();
    return check.finish(rest);
  } finally {
    for (const lines of [proof, table, records]) await lines.return(undefined);
  }
}

/** @throws {EvidenceError} `EVIDENCE_MALFORMED` for a checkpoint that can't be read, or is of another log */
function refuseOtherCheckpoint({ origin }: EvidenceManifest, note: string): void {
  let found: string;
  try {
    found = parseCheckpoint(parseNote(note).text).origin;
  } catch (cause) {
    if (!(cause instanceof LogError)) throw cause;
    throw new EvidenceError(`the checkpoint can't be read: ${cause.message}`, { cause });
  }
  if (found !== origin)
    throw new EvidenceError(`the records are of ${origin}, and the checkpoint is of ${found}`);
}

/** A record whose bytes are withheld says itself of which epoch it is. */
function otherEpoch({ number, sequence, withheld }: RecordLine, epoch: number): Finding {
  return {
    code: 'MANIFEST_MISMATCH',
    sequence_number: sequence ?? null,
    expected: `epoch ${epoch} by manifest`,
    found: `epoch ${withheld?.epoch} in line ${number} of records.jsonl`,
  };
}

/** Passes a line to the check, with the hashes before it. */
async function takeLine(
  check: SelectionCheck,
  { number, sequence, text, hash, withheld, isDamaged }: RecordLine,
  epoch: number,
  proof: AsyncIterator<string>,
): Promise<void> {
  if (sequence === undefined) {
    check.skip(`line ${number} of records.jsonl`);
    return;
  }
  if (check.isBeyond(epoch, sequence))
    check.findings.add({
      code: 'MANIFEST_MISMATCH',
      sequence_number: sequence,
      expected: 'no record after the last one of the checkpoint',
      found: `line ${number} of records.jsonl`,
    });
  const hashes = await takeHashes(proof, check.hashesBefore(epoch, sequence));
  check.add({ epoch, sequence, text, hash, withheld }, hashes);
  if (isDamaged)
    check.findings.add({
      code: 'RECORD_NOT_CANONICAL',
      sequence_number: sequence,
      found: 'the service says that it is damaged',
    });
}

/** Fewer where the file ends before: the check then finds that the proof is too short. */
async function takeHashes(lines: AsyncIterator<string>, count: number): Promise<Uint8Array[]> {
  const hashes: Uint8Array[] = [];
  while (hashes.length < count) {
    const { done, value } = await lines.next();
    if (done === true) break;
    hashes.push(fromBase64(value) ?? new Uint8Array());
  }
  return hashes;
}

/** Which epoch the manifest names for each line. Lines beyond the manifest count as of its last epoch. */
class EpochOfLine {
  readonly #epochs: EvidenceManifest['epochs'];
  readonly total: number;
  read = 0;
  #at = 0;
  #left: number;

  constructor({ epochs }: EvidenceManifest) {
    this.#epochs = epochs;
    this.total = epochs.reduce((sum, [, records]) => sum + records, 0);
    this.#left = epochs[0]?.[1] ?? 0;
  }

  get isAtEnd(): boolean {
    return this.read === this.total;
  }

  next(): number {
    if (this.#left === 0 && this.#at < this.#epochs.length - 1) this.#left = this.#epochs[++this.#at]![1];
    this.read++;
    this.#left = Math.max(0, this.#left - 1);
    return this.#epochs[this.#at]?.[0] ?? 1;
  }
}
