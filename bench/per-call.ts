import { median } from './result.ts';

/** Microseconds per call of each function: the median of several rounds, in which the functions take turns. */
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

/** The last result. It is used, so that the compiler can not remove the calls. */
export let sink: unknown;
