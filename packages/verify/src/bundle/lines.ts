import { BundleError } from './bundle-error.ts';
import { gunzipMembers } from './gzip-members.ts';

/** Bytes of the longest line that a bundle may have, line end included (spec/bundle.md). */
const maxLineBytes = 2_097_152;

/**
 * Splits a byte stream into lines, each with its line end. Only the last one can lack it. Memory is bounded by the longest line.
 *
 * @throws {BundleError} `BUNDLE_DAMAGED` for a line that is too long
 */
export async function* splitLines(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest = new Uint8Array(0);
  for await (const chunk of source) {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(0x0a, start);
      if (end < 0) break;
      const part = chunk.subarray(start, end + 1);
      const line = rest.length === 0 ? part : join(rest, part);
      if (line.length > maxLineBytes) throw tooLong();
      yield line;
      rest = new Uint8Array(0);
      start = end + 1;
    }
    if (start < chunk.length) rest = join(rest, chunk.subarray(start));
    if (rest.length > maxLineBytes) throw tooLong();
  }
  if (rest.length > 0) yield rest;
}

/**
 * Decompresses a gzip stream, which its first two bytes identify. Any other stream passes through unchanged.
 *
 * @throws {BundleError} `BUNDLE_TRUNCATED` where the compressed data end early, `BUNDLE_DAMAGED` where they are damaged
 */
export async function* gunzipIfNeeded(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  let head = new Uint8Array(0);
  while (head.length < 2) {
    const { value, done } = await iterator.next();
    if (done === true) break;
    head = join(head, value);
  }
  const whole = (async function* () {
    try {
      if (head.length > 0) yield head;
      yield* { [Symbol.asyncIterator]: () => iterator };
    } finally {
      // A caller that stops early must not leave the file or the connection open.
      await iterator.return?.();
    }
  })();
  if (head[0] !== 0x1f || head[1] !== 0x8b) {
    yield* whole;
    return;
  }
  try {
    for await (const piece of gunzipMembers(whole)) {
      if (piece instanceof Uint8Array) yield piece;
      else throw new BundleError(piece.endsEarly ? 'BUNDLE_TRUNCATED' : 'BUNDLE_DAMAGED', piece.reason);
    }
  } finally {
    await whole.return(undefined);
  }
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(a.length + b.length);
  whole.set(a);
  whole.set(b, a.length);
  return whole;
}

function tooLong(): BundleError {
  return new BundleError('BUNDLE_DAMAGED', `a line is longer than ${maxLineBytes} bytes`);
}
