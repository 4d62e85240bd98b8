import { createHash } from 'node:crypto';
import { base64, flip, hex } from './fixture.ts';
import { leaf, multiproof, root } from './naive-tree.ts';

const data = Array.from(
  { length: 513 },
  (_, index) => new Uint8Array(createHash('sha256').update(String(index)).digest()),
);
const leaves = data.map(leaf);

interface Multiproof {
  readonly name: string;
  readonly size: number;
  readonly indexes: readonly number[];
  readonly record_hashes: readonly string[];
  readonly root: string;
  readonly hashes: readonly string[];
  readonly valid: boolean;
}

function proven(size: number, indexes: readonly number[]): Multiproof {
  return {
    name: `leaves ${indexes.join(', ')} of ${size}`,
    size,
    indexes,
    record_hashes: indexes.map((index) => hex(data[index]!)),
    root: hex(root(leaves.slice(0, size))),
    hashes: multiproof(indexes, leaves.slice(0, size)).map(base64),
    valid: true,
  };
}

const places: readonly (readonly [number, readonly number[]])[] = [
  [1, [0]],
  [2, [0]],
  [2, [1]],
  [2, [0, 1]],
  [7, [0]],
  [7, [6]],
  [7, [3]],
  [7, [1, 2]],
  [7, [0, 3, 6]],
  [7, [0, 1, 2, 3, 4, 5, 6]],
  [8, [0, 7]],
  [13, [2, 3, 11]],
  [257, [0, 255, 256]],
  [513, [17, 18, 19, 256, 400, 512]],
];

/** What a verifier must accept and refuse of multiproofs. */
export function multiproofVectors(): unknown {
  const one = proven(13, [2, 3, 11]);
  const single = proven(7, [3]);
  const bytes = one.hashes.map((text) => new Uint8Array(Buffer.from(text, 'base64')));
  const bad: Partial<Multiproof>[] = [
    { name: 'another leaf', record_hashes: one.record_hashes.with(1, hex(data[4]!)) },
    { name: 'two leaves swapped', record_hashes: [1, 0, 2].map((at) => one.record_hashes[at]!) },
    { name: 'another index', indexes: [2, 4, 11] },
    { name: 'an index outside the tree', indexes: [2, 3, 13] },
    {
      name: 'indexes that descend',
      indexes: [3, 2, 11],
      record_hashes: [1, 0, 2].map((at) => one.record_hashes[at]!),
    },
    {
      name: 'a leaf twice',
      indexes: [2, 3, 3, 11],
      record_hashes: [0, 1, 1, 2].map((at) => one.record_hashes[at]!),
    },
    { name: 'a leaf less', indexes: [2, 3], record_hashes: one.record_hashes.slice(0, 2) },
    { name: 'another root', root: hex(root(leaves.slice(0, 12))) },
    { name: 'a smaller size', size: 12 },
    { name: 'a larger size', size: 15 },
    { name: 'a hash less', hashes: one.hashes.slice(0, -1) },
    { name: 'a hash less at the beginning', hashes: one.hashes.slice(1) },
    { name: 'a hash more', hashes: [...one.hashes, one.hashes[0]!] },
    { name: 'a changed hash', hashes: one.hashes.with(1, base64(flip(bytes[1]!))) },
    { name: 'two hashes swapped', hashes: [one.hashes[1]!, one.hashes[0]!, ...one.hashes.slice(2)] },
    { name: 'no hashes', hashes: [] },
    { name: 'a hash of 31 bytes', hashes: one.hashes.with(0, base64(bytes[0]!.slice(1))) },
  ];
  return {
    description:
      'Multiproofs by spec/log.md over the leaves of tree.json; hashes in base64, roots in hex. What is not valid MUST be refused.',
    multiproofs: [
      ...places.map(([size, indexes]) => proven(size, indexes)),
      ...bad.map((changes) => ({ ...one, ...changes, valid: false })),
      // These hashes lead to the right root, but their number or order is not that of the definition.
      { ...single, name: 'a right edge that is combined', ...combined(), valid: false },
      { ...single, name: 'no leaf', indexes: [], record_hashes: [], hashes: wholeTree(7), valid: false },
      {
        ...single,
        name: 'an empty tree',
        size: 0,
        indexes: [],
        record_hashes: [],
        hashes: [],
        root: hex(root([])),
        valid: false,
      },
    ],
  };
}

/** Leaf 3 of 7 with the three hashes of its inclusion proof. */
function combined(): Pick<Multiproof, 'hashes'> {
  return { hashes: [root(leaves.slice(0, 2)), leaves[2]!, root(leaves.slice(4, 7))].map(base64) };
}

/** Hashes that make up a whole tree without any leaf. */
function wholeTree(size: number): readonly string[] {
  return multiproof([], leaves.slice(0, size)).map(base64);
}
