import { useState } from 'preact/hooks';

/** What a reader can do on a page, and what came of it. */
export interface Action {
  /** Why the last attempt failed. */
  readonly error: unknown;
  /** What the last attempt did, in words. */
  readonly done: string | undefined;
  /** Changes after each success, so that lists are read again. */
  readonly round: number;
  run(work: () => Promise<string>): Promise<void>;
}

/** The state of the actions of a page: one is enough, because a person does one thing after the other. */
export function useAction(): Action {
  const [state, setState] = useState<Omit<Action, 'run'>>({ error: undefined, done: undefined, round: 0 });
  return {
    ...state,
    run: async (work) => {
      try {
        const done = await work();
        setState(({ round }) => ({ error: undefined, done, round: round + 1 }));
      } catch (error) {
        setState(({ round }) => ({ error, done: undefined, round }));
      }
    },
  };
}
