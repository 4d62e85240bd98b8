import type { Verdict, Verification, VerifyFinding } from '@tallystick/protocol';
import { worstOf } from '../trail/verdicts.ts';

/** One check of a chain, which may have been made in several parts. */
export interface VerificationRun {
  readonly id: number;
  /** When its last part ended. */
  readonly at: string;
  readonly by: string | null;
  readonly verdict: Verdict;
  readonly first: number | null;
  readonly last: number | null;
  readonly records: number;
  readonly findings: number;
  readonly firstFinding: VerifyFinding | null;
  /** It covers the chain from its first record to the one that was the newest. */
  readonly whole: boolean;
}

/** The runs that checks belong to, in the order of the checks: the newest first. */
export function runsOf(checks: readonly Verification[]): readonly VerificationRun[] {
  return [...Map.groupBy(checks, ({ run_id }) => run_id).values()].map((parts) => {
    const newest = parts[0]!;
    const oldest = parts.at(-1)!;
    return {
      id: newest.run_id,
      at: newest.checked_at,
      by: newest.checked_by,
      verdict: worstOf(parts.map(({ verdict }) => verdict))!,
      first: oldest.first,
      last: newest.last,
      records: parts.reduce((sum, { records }) => sum + records, 0),
      findings: parts.reduce((sum, { findings }) => sum + findings, 0),
      firstFinding: parts.findLast(({ first_finding }) => first_finding !== null)?.first_finding ?? null,
      whole: newest.whole,
    };
  });
}
