import {
  type AuditRecord,
  createVerifier,
  equalBytes,
  fromBase64,
  LogError,
  openNote,
  parseCheckpoint,
  parseNote,
  readGenesis,
  type Verifier,
} from '@tallystick/log';
import type { KnownLog } from './known-logs.ts';

/**
 * What the first record of a new epoch says about the epoch that the user knows:
 *
 * - `names`: it names a checkpoint of that epoch which includes the kept one, or is the kept one.
 * - `contradicts`: it names a signed checkpoint of that epoch that has fewer records than the kept one, or another root.
 * - `unrelated`: it names no signed checkpoint of that epoch.
 */
export type EpochLink =
  | { readonly kind: 'names'; readonly size: number }
  | { readonly kind: 'contradicts'; readonly note: string; readonly size: number }
  | { readonly kind: 'unrelated' };

/**
 * Compares the genesis record of a verified epoch with the checkpoint that was kept of an earlier one.
 *
 * @param keys keys that are trusted for the tenant's log, of any epoch
 */
export async function linkOf(
  genesis: AuditRecord,
  earlier: KnownLog,
  keys: readonly Verifier[],
): Promise<EpochLink> {
  const note = namedNote(genesis);
  const kept = earlier.checkpoint;
  if (note === undefined || kept === undefined) return { kind: 'unrelated' };
  try {
    const { origin, size, root } = parseCheckpoint(parseNote(note).text);
    if (origin !== earlier.origin) return { kind: 'unrelated' };
    await openNote(
      note,
      keys.map(({ publicKey }) => createVerifier(origin, publicKey)),
    );
    const isOther = size === kept.size && !equalBytes(root, fromBase64(kept.root)!);
    return size < kept.size || isOther ? { kind: 'contradicts', note, size } : { kind: 'names', size };
  } catch (error) {
    if (error instanceof LogError) return { kind: 'unrelated' };
    throw error;
  }
}

/** The last checkpoint of the epoch before, as the genesis record names it. */
function namedNote(genesis: AuditRecord): string | undefined {
  try {
    const { recovery } = readGenesis(genesis);
    const { checkpoint } = Object(recovery) as { readonly checkpoint?: unknown };
    return typeof checkpoint === 'string' ? checkpoint : undefined;
  } catch (error) {
    // The verification reports it.
    if (error instanceof LogError) return undefined;
    throw error;
  }
}
