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
  // The begin of a line, in the pieces that came: joined once, so that many small pieces cost no more than few large ones.
  let pieces: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of source) {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(0x0a, start);
      const part = chunk.subarray(start, end < 0 ? undefined : end + 1);
      length += part.length;
      if (length > maxLineBytes) throw tooLong();
      if (part.length > 0) pieces.push(part);
      if (end < 0) break;
      yield pieces.length === 1 ? part : join(pieces);
      pieces = [];
      length = 0;
      start = end + 1;
    }
  }
  if (length > 0) yield join(pieces);
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
    head = join([head, value]);
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

function join(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function tooLong(): BundleError {
  return new BundleError('BUNDLE_DAMAGED', `a line is longer than ${maxLineBytes} bytes`);
}
