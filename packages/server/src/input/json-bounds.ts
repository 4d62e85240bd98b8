/** What the text of a JSON value may contain, so that parsing it takes little time and memory. */
export interface JsonBounds {
  /** Levels of nesting. A list or an object without another one inside has one level. */
  readonly maxDepth: number;
  /** Values and members, counted over the whole text. */
  readonly maxValues: number;
}

/**
 * Why the parser must not get a text, or `undefined` if the text is within the bounds. An attacker controls the text. A few
 * kilobytes that unpack to millions of nested lists or empty objects would otherwise fill the heap and end the process.
 *
 * The scan stops at the first byte that exceeds a bound, needs no memory, and reads each byte once. It judges only bounds:
 * whether the text is JSON is for the parser to say.
 */
export function exceededBound(text: Uint8Array, { maxDepth, maxValues }: JsonBounds): string | undefined {
  let depth = 0;
  let values = 1;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const byte = text[index]!;
    if (inString) {
      if (byte === 0x5c) index++;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > maxDepth) return `must be nested at most ${maxDepth} levels deep`;
      if (++values > maxValues) return tooMany(maxValues);
    } else if (byte === 0x5d || byte === 0x7d) depth--;
    else if (byte === 0x2c && ++values > maxValues) return tooMany(maxValues);
  }
  return undefined;
}

function tooMany(maxValues: number): string {
  return `must have at most ${maxValues} values in all`;
}
