import type { ClientError } from '@tallystick/client';
import type { Stage } from './stage.ts';

/** One way to get an action past the gate, unseen, or twice. */
export interface Attack {
  readonly name: string;
  /** The part of the product that stops it or shows it, in the words of the summary. */
  readonly caughtBy: string;
  /** What {@link Attack.run} must return: the code of the refusal, or a word for what the trail shows. */
  readonly shows: string;
  /** Tries the attack, and fails if it succeeds. */
  run(stage: Stage): Promise<string>;
}

/** The code with which a call was refused, or `ran` if it was not. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'ran';
  } catch (error) {
    const { code, problem } = error as { code?: string } & Partial<ClientError>;
    return problem?.code ?? code ?? `without a code: ${String(error)}`;
  }
}

/** Runs an action that must not happen. */
export class ForbiddenEffect {
  runs = 0;
  readonly effect = () => {
    this.runs++;
  };
  /** @returns the code of the refusal; `ran` if the effect was called, whatever the gate said */
  async codeOf(call: Promise<unknown>): Promise<string> {
    const code = await codeOf(call);
    return this.runs > 0 ? 'ran' : code;
  }
}
