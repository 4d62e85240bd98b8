import { gzipSync } from 'node:zlib';

/** How a text becomes a file: as it is, compressed, with marks and damage. */
export interface Packaging {
  readonly kind:
    | 'plain'
    | 'gzip'
    | 'gzip members'
    | 'gzip twice'
    | 'gzip header'
    | 'gzip cut'
    | 'gzip byte'
    | 'gzip padding'
    | 'gzip garbage'
    | 'byte-order mark'
    | 'byte-order mark in gzip'
    | 'UTF-16'
    | 'byte'
    | 'cut'
    | 'append';
  readonly at: number;
  readonly pick: number;
}

const pack = (bytes: Uint8Array, level = 6) => gzipSync(bytes, { level });
const bytesOf = (...parts: readonly (Uint8Array | readonly number[])[]) =>
  Buffer.concat(parts.map((part) => Uint8Array.from(part)));

/** A gzip member with the optional fields of RFC 1952 that the lowest five bits of `flags` announce. */
function withFlags(member: Uint8Array, flags: number, length: number): Buffer {
  const text = Buffer.alloc(length, 0x61);
  return bytesOf(
    [0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255],
    flags & 4 ? [length & 255, (length >> 8) & 255] : [],
    flags & 4 ? text.subarray(0, length & 0xffff) : [],
    flags & 8 ? bytesOf(text, [0]) : [],
    flags & 16 ? bytesOf(text, [0]) : [],
    flags & 2 ? [1, 2] : [],
    member.subarray(10),
  );
}

const lengths = [0, 1, 300, 65_000, 65_524, 65_525, 65_526, 70_000];
const padding = [
  [0],
  [0, 0, 0, 0, 0, 0, 0, 0, 0],
  [0, 1],
  [0x1f],
  [0x1f, 0x8b],
  [0x1f, 0x8b, 8],
  [0x1f, 0x8b, 9],
  [10],
];

/** Kinds by how often they occur. */
export const packagingKinds: readonly { readonly weight: number; readonly kind: Packaging['kind'] }[] = [
  { weight: 80, kind: 'plain' },
  { weight: 3, kind: 'gzip' },
  { weight: 1, kind: 'gzip members' },
  { weight: 1, kind: 'gzip twice' },
  { weight: 2, kind: 'gzip header' },
  { weight: 2, kind: 'gzip cut' },
  { weight: 3, kind: 'gzip byte' },
  { weight: 1, kind: 'gzip padding' },
  { weight: 1, kind: 'gzip garbage' },
  { weight: 1, kind: 'byte-order mark' },
  { weight: 1, kind: 'byte-order mark in gzip' },
  { weight: 1, kind: 'UTF-16' },
  { weight: 4, kind: 'byte' },
  { weight: 2, kind: 'cut' },
  { weight: 1, kind: 'append' },
];

const mark = [0xef, 0xbb, 0xbf];
const withByte = (bytes: Uint8Array, at: number, value: number) =>
  bytes.length === 0
    ? Buffer.from(bytes)
    : Buffer.from(Uint8Array.from(bytes).fill(value & 255, at % bytes.length, (at % bytes.length) + 1));

export function packageFile(content: Buffer, { kind, at, pick }: Packaging): Buffer {
  switch (kind) {
    case 'plain':
      return content;
    case 'gzip':
      return pack(content, pick % 10);
    case 'gzip members': {
      const place = at % (content.length + 1);
      const zeros = new Uint8Array(pick % 3);
      return bytesOf(pack(content.subarray(0, place)), zeros, pack(content.subarray(place)), zeros);
    }
    case 'gzip twice':
      return pack(pack(content));
    case 'gzip header':
      return withFlags(pack(content), at % 64, lengths[pick % lengths.length]!);
    case 'gzip cut': {
      const packed = withFlags(pack(content), at % 32, 3);
      return packed.subarray(0, 2 + (pick % packed.length));
    }
    case 'gzip byte': {
      // The first ten bytes and the last eight are hit as often as the content.
      const packed = pack(content, pick % 2 === 0 ? 0 : 6);
      const places = [at % 10, packed.length - 1 - (at % 8), at];
      return withByte(packed, places[pick % 3]!, pick);
    }
    case 'gzip padding':
      return bytesOf(pack(content), padding[pick % padding.length]!);
    case 'gzip garbage':
      return bytesOf(pack(content), content.subarray(0, pick % 40));
    case 'byte-order mark':
      return bytesOf(mark, content);
    case 'byte-order mark in gzip':
      return pack(bytesOf(mark, content));
    case 'UTF-16':
      return Buffer.from(`\ufeff${content.toString()}`, 'utf16le');
    case 'byte':
      return withByte(content, at, pick);
    case 'cut':
      return content.subarray(0, at % (content.length + 1));
    case 'append':
      return bytesOf(content, [[10], [0], [0x20], [0x7d, 10], [0xff]][pick % 5]!);
  }
}
