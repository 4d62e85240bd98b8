/**
 * Results of garak, NVIDIA's scanner of language models: the entries `eval` of its report, one JSON object per line. The connector adds
 * `target` and `time`, which garak writes into other entries of the same report.
 * Format: https://reference.garak.ai/en/latest/report.html
 */
import { z } from 'zod';
import type { Finding } from './finding.ts';

const entry = z
  .looseObject({
    entry_type: z.literal('eval'),
    probe: z.string().min(1).max(200),
    detector: z.string().min(1).max(200),
    passed: z.number().int().min(0),
    /** Outputs that the detector could judge. Older versions write `total`. */
    total_evaluated: z.number().int().min(1).optional(),
    total: z.number().int().min(1).optional(),
    target: z.string().min(1).max(300),
    time: z.iso.datetime({ offset: true }),
  })
  .transform(({ total_evaluated, total, ...entry }, context) => {
    const evaluated = total_evaluated ?? total;
    if (evaluated !== undefined && entry.passed <= evaluated) return { ...entry, evaluated };
    context.addIssue({ code: 'custom', path: [evaluated === undefined ? 'total_evaluated' : 'passed'] });
    return z.NEVER;
  });

/** @throws {z.ZodError} for an entry that is not of this form */
export function readGarak(payload: unknown): Finding {
  const { probe, detector, passed, evaluated, target, time } = entry.parse(payload);
  const failed = evaluated - passed;
  return {
    title: `The model ${target} gives in to ${probe}`,
    weakness: `garak:${probe}`,
    asset: target,
    exploitability: failed / evaluated,
    basis: `${failed} of ${evaluated} attempts succeeded (detector ${detector})`,
    state: failed === 0 ? 'resolved' : 'open',
    found_at: new Date(time).toISOString(),
  };
}
