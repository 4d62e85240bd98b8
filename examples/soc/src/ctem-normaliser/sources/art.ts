/**
 * Evaluations with the Adversarial Robustness Toolbox. The toolbox is a library and defines no report. The connector reports the attack
 * class, the estimator, and the accuracy on clean and on adversarial input, as in the toolbox's own examples.
 * Attacks: https://adversarial-robustness-toolbox.readthedocs.io/en/latest/modules/attacks.html
 */
import { z } from 'zod';
import type { Finding } from './finding.ts';

/** A model that loses less accuracy than this to an attack counts as robust against it. */
const robustBelow = 0.05;

const accuracy = z.number().min(0).max(1);
const evaluation = z.looseObject({
  attack: z.string().min(1).max(200),
  estimator: z.string().min(1).max(300),
  clean_accuracy: accuracy.positive(),
  adversarial_accuracy: accuracy,
  eps: z.number().min(0).optional(),
  norm: z.union([z.string(), z.number()]).optional(),
  evaluated_at: z.iso.datetime({ offset: true }),
});

/** @throws {z.ZodError} for an evaluation that is not of this form */
export function readArt(payload: unknown): Finding {
  const { attack, estimator, clean_accuracy, adversarial_accuracy, evaluated_at } = evaluation.parse(payload);
  const lost = Math.max(0, (clean_accuracy - adversarial_accuracy) / clean_accuracy);
  return {
    title: `The model ${estimator} is not robust against ${attack}`,
    weakness: `art:${attack}`,
    asset: estimator,
    exploitability: lost,
    basis: `accuracy fell from ${clean_accuracy} to ${adversarial_accuracy}`,
    state: lost < robustBelow ? 'resolved' : 'open',
    found_at: new Date(evaluated_at).toISOString(),
  };
}
