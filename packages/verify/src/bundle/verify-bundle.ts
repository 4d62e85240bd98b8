import { type AuditRecord, type KeyRotation, parseVerifierKey, type Verifier } from '@tallystick/log';
import { isTrusted, type Report, type TrustSource } from '../report.ts';
import { BundleCheck } from './bundle-check.ts';
import { BundleError } from './bundle-error.ts';
import { gunzipIfNeeded } from './lines.ts';
import { readBundle } from './read.ts';

/** What the verification of a bundle trusts. */
export interface VerifyBundleOptions {
  /** Verifier keys that the caller trusts. They must not come from the bundle. */
  readonly keys: readonly (string | Verifier)[];
  /** Rotations of the log's key that the caller knows, oldest first. A file may have more. */
  readonly rotations?: readonly KeyRotation[];
  /**
   * Signed notes of the same log that the caller got from elsewhere. A trusted key must have signed them. With them the
   * verifier finds a rewritten bundle that is signed with the right key.
   */
  readonly checkpoints?: readonly string[];
  /** Signed notes of the same log that an earlier verification accepted. They count whatever key signed them. */
  readonly kept?: readonly string[];
  /** Signed notes of closed epochs of the same log that earlier verifications accepted. */
  readonly keptOfClosed?: readonly string[];
  /**
   * Whether a whole chain must contain every record that `checkpoints` and `kept` cover. True for the trail of a live log,
   * which never shrinks. False for a file: an old export ends before a newer checkpoint, and the report names the checkpoint
   * in `not_compared`. The same is true for the records of closed epochs, which the report names in `closed`.
   *
   * @defaultValue true
   */
  readonly mustReach?: boolean;
  /** Where the keys came from; only reported. @defaultValue 'given', or 'none' without keys */
  readonly trust?: TrustSource;
  /**
   * Called with the bundle's newest note where the verdict is good and the note was compared with every checkpoint in
   * `checkpoints` and `kept`. Keep it for the next time.
   */
  readonly onTrusted?: (note: string) => void;
  /** Called with the bundle's newest note where the verdict is good, whatever it was compared with. */
  readonly onSigned?: (note: string) => void;
  /** Called with two notes that contradict each other, checkpoints or rotations. Keep both: they are evidence against the log. */
  readonly onEquivocation?: (first: string, second: string) => void;
  /** Called with each record that can be read, and the hash of its bytes. What is wrong with the records is in the report. */
  readonly onRecord?: (record: AuditRecord, hash: Uint8Array) => void;
  /** Called from time to time with the number of records that have been read. */
  readonly onProgress?: (records: number, expected: number) => void;
}

/**
 * Verifies a bundle (spec/bundle.md), plain or gzipped, as a stream. Memory is bounded by the longest line.
 *
 * @throws {LogError} `KEY_MALFORMED` for a malformed key; `NOTE_MALFORMED`, `CHECKPOINT_MALFORMED` or `NOTE_UNVERIFIED` for a
 *   kept checkpoint. What is wrong with the bundle itself is never thrown: it is in the report
 */
export async function verifyBundle(
  source: AsyncIterable<Uint8Array>,
  options: VerifyBundleOptions,
): Promise<Report> {
  const keys = options.keys.map((key) => (typeof key === 'string' ? parseVerifierKey(key) : key));
  const trust = options.trust ?? (keys.length > 0 ? 'given' : 'none');
  const { checkpoints: given = [], kept: accepted = [], keptOfClosed = [] } = options;
  const { mustReach = true, rotations = [], onRecord } = options;
  const check = new BundleCheck({
    keys,
    trust,
    rotations,
    given,
    accepted,
    keptOfClosed,
    mustReach,
    onRecord,
  });
  try {
    for await (const entry of readBundle(gunzipIfNeeded(source))) {
      await check.take(entry);
      if (entry.kind === 'record' && check.records % 1_000 === 0) {
        options.onProgress?.(check.records, check.expected);
      }
    }
    const report = check.report();
    if (isTrusted(report.verdict) && report.not_compared === undefined) options.onTrusted?.(check.note);
    if (isTrusted(report.verdict)) options.onSigned?.(check.note);
    const contradiction = check.equivocation();
    if (contradiction !== undefined) options.onEquivocation?.(...contradiction);
    return report;
  } catch (error) {
    if (error instanceof BundleError) return check.refused(error);
    throw error;
  }
}
