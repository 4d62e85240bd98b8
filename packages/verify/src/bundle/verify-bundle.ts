import { parseVerifierKey, type Verifier } from '@tallystick/log';
import { isTrusted, type Report, type TrustSource } from '../report.ts';
import { BundleCheck } from './bundle-check.ts';
import { BundleError } from './bundle-error.ts';
import { gunzipIfNeeded } from './lines.ts';
import { readBundle } from './read.ts';

/** What the verification of a bundle trusts. */
export interface VerifyBundleOptions {
  /** Verifier keys that the caller trusts. They must not come from the bundle. */
  readonly keys: readonly (string | Verifier)[];
  /**
   * Signed notes of the same log that the caller kept from earlier. With them the verifier finds a genuine bundle that is
   * older than a kept note, and a rewritten bundle that is signed with the right key. For a bundle of some records only, the
   * verifier finds whether its checkpoints contradict the kept ones.
   */
  readonly checkpoints?: readonly string[];
  /** Where the keys came from; only reported. @defaultValue 'given', or 'none' without keys */
  readonly trust?: TrustSource;
  /** Called with the bundle's newest note where the verdict is `verified` or `recovered`. Keep it for the next time. */
  readonly onTrusted?: (note: string) => void;
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
  const check = new BundleCheck(keys, trust, options.checkpoints ?? []);
  try {
    for await (const entry of readBundle(gunzipIfNeeded(source))) {
      await check.take(entry);
      if (entry.kind === 'record' && check.records % 1_000 === 0) {
        options.onProgress?.(check.records, check.expected);
      }
    }
    const report = check.report();
    if (isTrusted(report.verdict)) options.onTrusted?.(check.note);
    return report;
  } catch (error) {
    if (error instanceof BundleError) return check.refused(error);
    throw error;
  }
}
