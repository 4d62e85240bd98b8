/** Pause before the same message is printed again, ms: an unreachable broker is tried several times per second. */
const quietMs = 10_000;

/** Makes a function that prints a message unless it printed the same one shortly before. */
export function withoutRepetition(
  print: (message: string) => void,
  now: () => number,
): (message: string) => void {
  const printedAt = new Map<string, number>();
  return (message) => {
    if (now() - (printedAt.get(message) ?? Number.NEGATIVE_INFINITY) < quietMs) return;
    // Messages contain offsets, so most never come again: they must not fill the memory.
    if (printedAt.size > 100) printedAt.clear();
    printedAt.set(message, now());
    print(message);
  };
}
