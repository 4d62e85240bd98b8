/** Checks that a log only grew since a reader last looked at it. */
import {
  type Checkpoint,
  createVerifier,
  LogError,
  parseCheckpoint,
  parseNote,
  parseOrigin,
  parseVerifierKey,
  type RotationJson,
  rotationFromJson,
} from '@tallystick/log';
import { judgeCheckpoint } from '../checkpoints.ts';
import { compareCheckpoints } from '../compare-checkpoints.ts';
import { type Finding, Findings } from '../report.ts';
import { trustedKeys } from '../trusted-keys.ts';

/** What the service shows of its log, and what this reader keeps. Only the key and the kept checkpoint are trusted. */
export interface LogEvidence {
  /** The signed checkpoint that the service shows. */
  readonly note: string;
  /** The verifier key that the reader pinned, of any epoch of the log. */
  readonly key: string;
  /** Rotations of the key that the service shows. @defaultValue none */
  readonly rotations?: readonly RotationJson[] | undefined;
  /** The checkpoint that the reader verified last. */
  readonly kept?: string | undefined;
  /** Hashes of the proof between both checkpoints; absent where the service gives none. */
  readonly consistency?: readonly Uint8Array[] | undefined;
}

/**
 * What the check found.
 *
 * - `grown`: the log contains all that the reader verified before. `first_visit`: it verified nothing before.
 * - `forked`: the log contradicts what the reader verified. The two signed notes and the proof show it to everyone.
 * - `shrunk`: the log is shorter than what the reader verified, and the service proves nothing. `proof_invalid`: its proof is wrong.
 *   `no_proof`: it gives none.
 * - `other_log`: another name, tenant or epoch. `untrusted`: the pinned key did not sign it. `malformed`: it can't be read.
 */
export type LogState =
  | 'grown'
  | 'first_visit'
  | 'forked'
  | 'shrunk'
  | 'proof_invalid'
  | 'no_proof'
  | 'other_log'
  | 'untrusted'
  | 'malformed';

/** The result of {@link checkLog}. */
export interface LogCheck {
  readonly state: LogState;
  /** Records of the checkpoint that the service shows; absent where it can't be read. */
  readonly size?: number | undefined;
  /** Records of the kept checkpoint. */
  readonly keptSize?: number | undefined;
}

/** Checks a log. Faults of the evidence are in the result. It throws only if the key of the caller can't be read. */
export async function checkLog(evidence: LogEvidence): Promise<LogCheck> {
  const { note, kept } = evidence;
  const before = kept === undefined ? undefined : parseCheckpoint(parseNote(kept).text);
  const keptSize = before?.size;
  let shown: Checkpoint;
  try {
    shown = parseCheckpoint(parseNote(note).text);
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    return { state: 'malformed', keptSize };
  }
  const { size } = shown;
  if (before !== undefined && before.origin !== shown.origin) return { state: 'other_log', size, keptSize };
  if (!(await isSigned(evidence, shown.origin))) return { state: 'untrusted', size, keptSize };
  if (before === undefined) return { state: 'first_visit', size };
  return { state: stateOf(before, shown, evidence.consistency), size, keptSize };
}

function stateOf(before: Checkpoint, shown: Checkpoint, proof: LogEvidence['consistency']): LogState {
  const relation = compareCheckpoints(before, shown, proof);
  if (relation === 'one_log') return 'grown';
  if (relation === 'contradiction') return 'forked';
  if (relation === 'no_proof' && shown.size < before.size) return 'shrunk';
  return relation;
}

/** Whether the pinned key, or a key that follows it by signed rotations, signed the checkpoint. */
async function isSigned({ note, key, rotations = [] }: LogEvidence, origin: string): Promise<boolean> {
  const pinned = parseVerifierKey(key);
  const [own, other] = [parseOrigin(pinned.name), parseOrigin(origin)];
  if (own.logName !== other.logName || own.tenantId !== other.tenantId) return false;
  const findings = new Findings();
  const found: Finding[] = [];
  try {
    const read = rotations.map(rotationFromJson);
    const keys = await trustedKeys(origin, [createVerifier(origin, pinned.publicKey)], read, {
      add: (finding) => found.push(finding),
    });
    const { signedBy } = await judgeCheckpoint(note, keys, findings);
    return signedBy.length > 0;
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    return false;
  }
}
