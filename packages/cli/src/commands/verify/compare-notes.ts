import { type KeyRotation, parseCheckpoint, parseNote, parseOrigin } from '@tallystick/log';
import { compareCheckpoints, judgeCheckpoint, trustedKeys } from '@tallystick/verify';
import type { Context } from '../../context.ts';
import { exitCodes } from '../../errors.ts';
import { askConsistency } from '../../trust/ask-consistency.ts';
import { type Equivocation, saveEquivocation } from '../../trust/equivocation.ts';
import { TrustResolver } from '../../trust/trust-context.ts';
import { serviceToAsk } from './service-to-ask.ts';

/** Two signed checkpoints, and where they came from. */
export interface NotePair {
  readonly notes: readonly [string, string];
  readonly from: readonly [string, string];
  /** Hashes of a proof between both. @defaultValue the configured service is asked for one */
  readonly proof?: readonly Uint8Array[] | undefined;
  readonly rotations?: readonly KeyRotation[] | undefined;
}

/** Whether two checkpoints can belong to one log. */
export interface NoteComparison {
  readonly result: 'one_log' | 'contradiction' | 'not_compared';
  readonly origin: string;
  readonly sizes: readonly [number, number];
  readonly from: readonly [string, string];
  /** Why they were not compared, or what the contradiction is. */
  readonly reason?: string | undefined;
  readonly equivocation?: Equivocation | undefined;
}

/** Compares two signed checkpoints of one log. A contradiction between two that a trusted key signed is saved as evidence. */
export async function compareNotes(context: Context, pair: NotePair): Promise<NoteComparison> {
  const { notes, from, rotations = [] } = pair;
  const [one, other] = notes.map((note) => parseCheckpoint(parseNote(note).text)) as [Checkpoint, Checkpoint];
  const { origin } = one;
  const compared = { origin, sizes: [one.size, other.size], from } as const;
  if (other.origin !== origin)
    return { ...compared, result: 'not_compared', reason: `they are of ${origin} and of ${other.origin}` };
  if (!(await areSigned(context, origin, notes, rotations)))
    return {
      ...compared,
      result: 'not_compared',
      reason: `no key that you trust signed both: give the key of ${parseOrigin(origin).tenantId} with --key`,
    };
  let relation = compareCheckpoints(one, other, pair.proof);
  let reason: string | undefined;
  if (relation === 'no_proof' || relation === 'proof_invalid') {
    const asked = await askConsistency(() => serviceToAsk(context), notes[0], [notes[1]]);
    if (asked.findings.length > 0) reason = 'the service gave a proof that does not fit both checkpoints';
    else if (asked.proven.length > 0) relation = 'one_log';
    else reason = `there is no proof between both: ${asked.reason}`;
    if (asked.findings.length > 0) return { ...compared, result: 'contradiction', reason };
  }
  if (relation === 'one_log') return { ...compared, result: 'one_log' };
  if (relation !== 'contradiction') return { ...compared, result: 'not_compared', reason };
  return {
    ...compared,
    result: 'contradiction',
    reason: 'the key of the log signed both, and no log contains both',
    equivocation: saveEquivocation(context, notes),
  };
}

type Checkpoint = ReturnType<typeof parseCheckpoint>;

async function areSigned(
  context: Context,
  origin: string,
  notes: readonly string[],
  shown: readonly KeyRotation[],
): Promise<boolean> {
  const log = { origin, offered: undefined, rotations: shown, place: undefined, from: 'a checkpoint' };
  const { verifiers, rotations } = await new TrustResolver(context, []).resolve(log);
  const findings = { add: () => {} };
  const keys = await trustedKeys(origin, verifiers, rotations, findings);
  const judged = await Promise.all(notes.map((note) => judgeCheckpoint(note, keys, findings)));
  return judged.every(({ signedBy }) => signedBy.length > 0);
}

const exitCodeByResult = {
  one_log: exitCodes.ok,
  contradiction: exitCodes.broken,
  not_compared: exitCodes.notVerifiable,
} as const;

/** Prints comparisons. The worst one decides the exit code: a contradiction, then a pair that was not compared. */
export async function printComparisons(
  { terminal }: Context,
  comparisons: readonly NoteComparison[],
): Promise<number> {
  const signs = {
    one_log: terminal.style(['green', 'bold'], '✔ one log'),
    contradiction: terminal.style(['red', 'bold'], '✘ CONTRADICTION'),
    not_compared: terminal.style(['yellow', 'bold'], '? not compared'),
  };
  for (const comparison of comparisons) {
    if (terminal.json) {
      await terminal.jsonLine(comparison);
      continue;
    }
    const { result, origin, sizes, from, reason } = comparison;
    await terminal.line(`${signs[result]}  ${origin}`);
    await terminal.line(`  ${sizes[0]} records in ${from[0]}, ${sizes[1]} records in ${from[1]}`);
    if (reason !== undefined) await terminal.line(`  ${reason}`);
  }
  const results = comparisons.map(({ result }) => result);
  const worst = (['contradiction', 'not_compared'] as const).find((result) => results.includes(result));
  return exitCodeByResult[worst ?? 'one_log'];
}
