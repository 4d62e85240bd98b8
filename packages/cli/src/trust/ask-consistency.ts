import { type Client, ClientError } from '@tallystick/client';
import {
  type Checkpoint,
  fromBase64,
  LogError,
  parseCheckpoint,
  parseNote,
  parseOrigin,
  verifyConsistency,
} from '@tallystick/log';
import type { Finding } from '@tallystick/verify';
import { CliError } from '../errors.ts';

/** What the service says about a checkpoint from a file and checkpoints that were kept. */
export interface Consistency {
  /** Sizes of the checkpoints that the service proved to be of the same log. */
  readonly proven: readonly number[];
  /** Checkpoints of which its proof was wrong: no log can have both. */
  readonly findings: readonly Finding[];
  /** Why the others were not compared; undefined if all were. */
  readonly reason?: string;
}

/**
 * Asks the service of the settings to prove that a file and the kept checkpoints are of one log. A part or a receipt can't be
 * compared with a checkpoint of another size by itself, so a fork could hide there. The proof needs no trust: it fits the two
 * signed roots, or it does not.
 *
 * @param openClient gives the service to ask; throws a `CliError` where the settings name none
 * @param note the signed checkpoint of the file
 * @param kept signed checkpoints to compare it with
 */
export async function askConsistency(
  openClient: () => Promise<Client>,
  note: string,
  kept: readonly string[],
): Promise<Consistency> {
  const own = read(note);
  const proven: number[] = [];
  const findings: Finding[] = [];
  try {
    const client = await openClient();
    for (const other of kept.map(read)) {
      const [from, to] = own.size < other.size ? [own, other] : [other, own];
      if (await isExtension(client, from, to)) proven.push(other.size);
      else
        findings.push({
          code: 'CHECKPOINT_INCONSISTENT',
          sequence_number: from.size - 1,
          expected: `a proof that the tree of ${to.size} records extends that of ${from.size}`,
          found: 'a proof that does not fit both checkpoints',
        });
    }
    return { proven, findings };
  } catch (error) {
    // Without an answer the file is as good as before: the user learns that it was not compared.
    if (!(error instanceof ClientError || error instanceof CliError)) throw error;
    return { proven, findings, reason: error.message };
  }
}

/** @throws {CliError} `NOT_FOUND` for the service of another log */
async function isExtension(client: Client, from: Checkpoint, to: Checkpoint): Promise<boolean> {
  const { tenantId } = parseOrigin(from.origin);
  const proof = await client.logs.consistencyProof(tenantId, { from: from.size, to: to.size });
  if (proof.origin !== from.origin)
    throw new CliError('NOT_FOUND', `the service has the log ${proof.origin}, not ${from.origin}`);
  try {
    const hashes = proof.hashes.map((hash) => fromBase64(hash) ?? new Uint8Array());
    verifyConsistency(from.size, to.size, hashes, from.root, to.root);
    return true;
  } catch (error) {
    if (error instanceof LogError) return false;
    throw error;
  }
}

function read(note: string): Checkpoint {
  return parseCheckpoint(parseNote(note).text);
}
