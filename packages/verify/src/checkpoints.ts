import {
  type Checkpoint,
  equalBytes,
  formatVerifierKey,
  LogError,
  openNote,
  parseCheckpoint,
  parseNote,
  toHex,
} from '@tallystick/log';
import type { FindingSink, Findings } from './report.ts';
import type { TrustedKeys } from './trusted-keys.ts';

/** A checkpoint whose signatures were checked with the trusted keys. */
export interface JudgedCheckpoint extends Checkpoint {
  /** Trusted keys that signed it under its own origin. Without any, the checkpoint proves nothing to this verifier. */
  readonly signedBy: readonly string[];
  /** The signed note, verbatim. */
  readonly note: string;
}

/**
 * Reads a checkpoint of a log and checks its signatures. An invalid signature that names a trusted key is a finding,
 * and so is a signature by a key that was rotated out before the checkpoint.
 *
 * @throws {LogError} `NOTE_MALFORMED` or `CHECKPOINT_MALFORMED`; also for a checkpoint of another origin
 */
export async function judgeCheckpoint(
  note: string,
  keys: TrustedKeys,
  findings: FindingSink,
): Promise<JudgedCheckpoint> {
  const { origin } = keys;
  const checkpoint = parseCheckpoint(parseNote(note).text);
  if (checkpoint.origin !== origin) {
    throw new LogError('CHECKPOINT_MALFORMED', `the checkpoint is of ${checkpoint.origin}, not of ${origin}`);
  }
  try {
    const { verifiedBy } = await openNote(note, keys.verifiers);
    const isValid = keys.mayHaveSigned(verifiedBy, checkpoint);
    if (!isValid) findings.add({ code: 'CHECKPOINT_KEY_RETIRED', sequence_number: lastCovered(checkpoint) });
    return { ...checkpoint, note, signedBy: isValid ? verifiedBy.map(formatVerifierKey) : [] };
  } catch (error) {
    if (error instanceof LogError && error.code === 'SIGNATURE_INVALID') {
      findings.add({ code: 'CHECKPOINT_SIGNATURE_INVALID', sequence_number: lastCovered(checkpoint) });
    } else if (!(error instanceof LogError && error.code === 'NOTE_UNVERIFIED')) {
      throw error;
    }
    return { ...checkpoint, note, signedBy: [] };
  }
}

/**
 * Judges checkpoints from the store that is being verified. Whoever changed the store may have changed them too, so one
 * that cannot be read is a finding and not an error.
 */
export async function judgeStored(
  rows: readonly { readonly size: number; readonly root: string; readonly note: string }[],
  keys: TrustedKeys,
  findings: FindingSink,
): Promise<JudgedCheckpoint[]> {
  const judged: JudgedCheckpoint[] = [];
  for (const { size, root, note } of rows) {
    try {
      const checkpoint = await judgeCheckpoint(note, keys, findings);
      judged.push(checkpoint);
      if (checkpoint.size === size && toHex(checkpoint.root) === root) continue;
      findings.add({
        code: 'COLUMN_MISMATCH',
        sequence_number: lastCovered({ size }),
        found: 'audit_checkpoints: size or root',
      });
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      findings.add({
        code: 'CHECKPOINT_SIGNATURE_INVALID',
        sequence_number: lastCovered({ size }),
        found: error.message,
      });
    }
  }
  return judged;
}

/**
 * Judges checkpoints that the caller kept elsewhere. Whoever rewrote the trail could not change them.
 *
 * @throws {LogError} `NOTE_MALFORMED`, `CHECKPOINT_MALFORMED`, or `NOTE_UNVERIFIED` where no trusted key signed one of them:
 *   the caller relies on it, so it is not skipped silently
 */
export async function readKept(
  notes: readonly string[],
  keys: TrustedKeys,
  findings: Findings,
): Promise<JudgedCheckpoint[]> {
  const kept: JudgedCheckpoint[] = [];
  for (const note of notes) {
    const found = findings.count;
    const checkpoint = await judgeCheckpoint(note, keys, findings);
    const isForged = findings.count > found;
    if (checkpoint.signedBy.length > 0) kept.push(checkpoint);
    else if (keys.verifiers.length > 0 && !isForged)
      throw new LogError('NOTE_UNVERIFIED', 'no trusted key signed a kept checkpoint');
  }
  return kept;
}

/**
 * Reads checkpoints that an earlier verification of the same log accepted. The caller's own memory vouches for them, whatever
 * key signs the log now: a change of the key does not change what the log contained.
 *
 * @throws {LogError} `NOTE_MALFORMED` or `CHECKPOINT_MALFORMED`; also for a checkpoint of another origin
 */
export function readAccepted(notes: readonly string[], origin: string): JudgedCheckpoint[] {
  return notes.map((note) => {
    const checkpoint = parseCheckpoint(parseNote(note).text);
    if (checkpoint.origin === origin) return { ...checkpoint, note, signedBy: [] };
    throw new LogError('CHECKPOINT_MALFORMED', `the checkpoint is of ${checkpoint.origin}, not of ${origin}`);
  });
}

/** Sequence number of the last record that a checkpoint covers; `null` for the checkpoint of an empty log. */
export function lastCovered(checkpoint: { readonly size: number }): number | null {
  return checkpoint.size === 0 ? null : checkpoint.size - 1;
}

/** The checkpoints without repetitions: the same one may be kept in the store and elsewhere. */
export function distinct<C extends Checkpoint>(checkpoints: readonly C[]): C[] {
  const seen = new Map(
    checkpoints.map((checkpoint) => [`${checkpoint.size} ${toHex(checkpoint.root)}`, checkpoint]),
  );
  return [...seen.values()];
}

/** Two checkpoints of one size with different roots contradict each other: the log was forked. */
export function findContradictions(checkpoints: readonly Checkpoint[], findings: FindingSink): void {
  const bySize = new Map<number, Checkpoint>();
  for (const checkpoint of checkpoints) {
    const other = bySize.get(checkpoint.size);
    if (other === undefined) bySize.set(checkpoint.size, checkpoint);
    else if (!equalBytes(other.root, checkpoint.root)) {
      findings.add({
        code: 'CHECKPOINT_INCONSISTENT',
        sequence_number: lastCovered(checkpoint),
        expected: toHex(other.root),
        found: toHex(checkpoint.root),
      });
    }
  }
}

/** The notes of two checkpoints that can't both be true. */
export type Contradiction = readonly [first: string, second: string];

/**
 * Two checkpoints that no single log can have: they have one size and different roots, or the records lead to the newer one
 * and not to the older one. One of them may be from a part of the trail that its reader was not meant to see.
 *
 * @param checkpoints accepted ones, or ones that a trusted key signed
 * @param tree the tree of the records, where all of them were read
 */
export function findEquivocation(
  checkpoints: readonly JudgedCheckpoint[],
  tree?: { readonly size: number; readonly mismatched: ReadonlySet<Checkpoint> },
): Contradiction | undefined {
  const proven = checkpoints.filter(
    (checkpoint) => tree !== undefined && checkpoint.size <= tree.size && !tree.mismatched.has(checkpoint),
  );
  for (const [at, checkpoint] of checkpoints.entries()) {
    const other =
      checkpoints
        .slice(at + 1)
        .find(({ size, root }) => size === checkpoint.size && !equalBytes(root, checkpoint.root)) ??
      (tree?.mismatched.has(checkpoint) === true
        ? proven.find(({ size }) => size >= checkpoint.size)
        : undefined);
    if (other !== undefined) return [checkpoint.note, other.note];
  }
  return undefined;
}
