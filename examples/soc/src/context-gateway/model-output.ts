import { z } from 'zod';
import { actionKinds, verdicts } from '../platform/investigation.ts';
import { isKnownTechnique } from '../platform/techniques.ts';

const output = z.object({
  verdict: z.enum(verdicts),
  confidence: z.number().min(0).max(1),
  summary: z.string().max(4_000),
  techniques: z.array(z.string().max(100)).max(100).default([]),
  recommended_actions: z.array(z.string().max(100)).max(50).default([]),
});

export interface CheckedOutput {
  readonly verdict: (typeof verdicts)[number];
  readonly confidence: number;
  readonly summary: string;
  readonly techniques: readonly string[];
  /** Techniques that neither ATT&CK nor ATLAS has: the model made them up, or they are out of date. */
  readonly unknownTechniques: readonly string[];
  /** Only kinds of actions that the platform can do. */
  readonly recommendedActions: readonly string[];
}

/** A longer answer is not one to the question. */
const maxLength = 64 * 1024;

/** @returns the answer, or why it can't be used */
export function checkOutput(text: string): CheckedOutput | { readonly problem: string } {
  if (text.length > maxLength) return { problem: `the answer is longer than ${maxLength} characters` };
  let json: unknown;
  try {
    json = JSON.parse(withoutFence(text));
  } catch {
    return { problem: 'the answer is not JSON' };
  }
  const parsed = output.safeParse(json);
  if (!parsed.success)
    return { problem: `the answer has no valid /${parsed.error.issues[0]!.path.join('/')}` };
  const { verdict, confidence, summary, techniques, recommended_actions } = parsed.data;
  return {
    verdict,
    confidence,
    summary,
    techniques: techniques.filter(isKnownTechnique),
    unknownTechniques: techniques.filter((id) => !isKnownTechnique(id)),
    recommendedActions: recommended_actions.filter((name) =>
      (actionKinds as readonly string[]).includes(name),
    ),
  };
}

/** Models like to put JSON into a fence of Markdown. */
function withoutFence(text: string): string {
  const trimmed = text.trim();
  const [first] = /^```(?:json)?[ \t]*\n/.exec(trimmed) ?? [];
  return first !== undefined && trimmed.endsWith('```') ? trimmed.slice(first.length, -3) : text;
}
