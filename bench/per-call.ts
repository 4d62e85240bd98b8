import { median } from './result.ts';

/** Microseconds a call of each function takes: they take turns, and the median of the rounds counts. */
export function microsecondsPerCall<N extends string>(
  work: { readonly [name in N]: () => unknown },
): { [name in N]: number } {
  const names = Object.keys(work) as N[];
  const rounds = names.map((): number[] => []);
  for (let round = -2; round < 9; round++) {
    for (const [at, name] of names.entries()) {
      const calls = 20_000;
      const start = performance.now();
      for (let call = 0; call < calls; call++) sink = work[name]();
      if (round >= 0) rounds[at]!.push(((performance.now() - start) * 1000) / calls);
    }
  }
  return Object.fromEntries(names.map((name, at) => [name, median(rounds[at]!)])) as { [name in N]: number };
}

/** Keeps results alive, so that no call is optimised away. */
export let sink: unknown;
