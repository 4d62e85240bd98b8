const newline = 0x0a;

/** Cuts a stream into lines without their line feeds. A line that is too long is dropped, and yielded as `undefined`. */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array | string>,
  maxBytes: number,
): AsyncGenerator<Buffer | undefined> {
  let held: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk as Uint8Array);
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(newline, start);
      const part = bytes.subarray(start, end < 0 ? undefined : end);
      length += part.length;
      if (length <= maxBytes) held.push(part);
      else held = [];
      if (end < 0) break;
      if (length > maxBytes) yield undefined;
      else if (length > 0) yield Buffer.concat(held);
      held = [];
      length = 0;
      start = end + 1;
    }
  }
  // A last line without a line feed is not a message: its writer may have died in the middle of it.
}
