/**
 * Makes a file smaller while it still fails: removes lines, then runs of bytes, as long as that works (delta debugging).
 *
 * @param fails whether a file still shows the fault
 */
export async function smallest(
  bytes: Uint8Array,
  fails: (shorter: Uint8Array) => Promise<boolean>,
): Promise<Uint8Array> {
  const byLines = await withoutParts(splitLines(bytes), fails);
  const isShort = Buffer.concat(byLines).length <= 4_096;
  if (!isShort) return Buffer.concat(byLines);
  const byBytes = [...Buffer.concat(byLines)].map((byte) => Uint8Array.of(byte));
  return Buffer.concat(await withoutParts(byBytes, fails));
}

async function withoutParts(
  parts: readonly Uint8Array[],
  fails: (shorter: Uint8Array) => Promise<boolean>,
): Promise<readonly Uint8Array[]> {
  let kept = parts;
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < kept.length; ) {
      const shorter = kept.toSpliced(at, size);
      if (await fails(Buffer.concat(shorter))) kept = shorter;
      else at += size;
    }
  }
  return kept;
}

function splitLines(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0x0a, at);
    const next = end < 0 ? bytes.length : end + 1;
    lines.push(bytes.subarray(at, next));
    at = next;
  }
  return lines;
}
