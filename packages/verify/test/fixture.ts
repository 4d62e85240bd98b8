import { linesOf, type Parts, seal } from '../../../spec/vectors/generator/bundle-writer.ts';
import { trusted } from '../../../spec/vectors/generator/fixture.ts';
import { type Report, type VerifyBundleOptions, verifyBundle } from '../src/index.ts';

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Bytes as they come from a network: in pieces of `size`. */
export async function* stream(bytes: Uint8Array, size = 777): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export async function* pieces(...parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

export const bundleOf = (parts: Parts): Uint8Array => utf8(seal(linesOf(parts)));

export async function verify(
  bundle: Uint8Array | Parts,
  options: Partial<VerifyBundleOptions> = {},
): Promise<Report> {
  const bytes = bundle instanceof Uint8Array ? bundle : bundleOf(bundle);
  return await verifyBundle(stream(bytes), { keys: [trusted], ...options });
}

/** Findings as `CODE@place`. */
export const places = ({ findings }: Pick<Report, 'findings'>): string[] =>
  findings.map(({ code, sequence_number: place }) => (place === null ? code : `${code}@${place}`));

export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of source) all.push(one);
  return all;
}
