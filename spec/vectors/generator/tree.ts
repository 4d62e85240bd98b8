import { createHash } from 'node:crypto';
import { FrontierBuilder, leafHash, tilePath } from '@tallystick/log';
import { base64, flip, hex } from './fixture.ts';
import { consistency, inclusion, leaf, root } from './naive-tree.ts';

const dataOf = (index: number) => new Uint8Array(createHash('sha256').update(String(index)).digest());

const rootSizes = [...Array(18).keys(), 255, 256, 257, 65_535, 65_536, 65_537];

const paths: readonly (readonly [number, number, number, string])[] = [
  [0, 0, 256, '0/000'],
  [0, 0, 1, '0/000.p/1'],
  [1, 999, 255, '1/999.p/255'],
  [0, 1_000, 256, '0/x001/000'],
  [63, 1_234_067, 17, '63/x001/x234/067.p/17'],
];

export function treeVectors(): unknown {
  const wanted = new Set(rootSizes);
  const builder = new FrontierBuilder();
  const roots: { size: number; root: string }[] = [];
  const tiles: { level: number; index: number; root: string }[] = [];
  for (let size = 0; size <= rootSizes.at(-1)!; size++) {
    if (wanted.has(size)) roots.push({ size, root: hex(builder.root()) });
    builder.append(leafHash(dataOf(size)), (level, tile) => {
      const index = (size + 1) / 256 ** (level + 1) - 1;
      if (index < 2 || index === 255) tiles.push({ level, index, root: hex(tile) });
    });
  }
  return {
    description:
      'The leaf data of index n, in place of a record hash, is the SHA-256 of n in ASCII decimal. roots: the Merkle tree hash of the first `size` leaves. tiles: the root over a full tile, which is an entry of the tile one level up. paths and malformed_paths: of tiles.',
    roots,
    tiles,
    paths: paths.map(([level, index, width, path]) => {
      if (tilePath({ level, index }, width) !== path) throw new Error(path);
      return { level, index, width, path };
    }),
    malformed_paths: [
      '',
      '0/0',
      '00/000',
      '64/000',
      '0/x000/001',
      '0/001/002',
      '0/1000',
      '0/000.p/0',
      '0/000.p/01',
      '0/000.p/256',
      '0/000\n',
    ],
  };
}

interface Inclusion {
  readonly name: string;
  readonly index: number;
  readonly size: number;
  readonly record_hash: string;
  readonly root: string;
  readonly hashes: readonly string[];
  readonly valid: boolean;
}
interface Consistency {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly from_root: string;
  readonly to_root: string;
  readonly hashes: readonly string[];
  readonly valid: boolean;
}

const places: readonly (readonly [number, number])[] = [
  [0, 1],
  [0, 2],
  [1, 2],
  [2, 3],
  [3, 7],
  [6, 7],
  [5, 8],
  [0, 9],
  [8, 9],
  [254, 255],
  [255, 256],
  [0, 257],
  [256, 257],
  [511, 513],
];
const steps: readonly (readonly [number, number])[] = [
  [1, 1],
  [1, 2],
  [2, 2],
  [2, 3],
  [3, 4],
  [3, 7],
  [4, 7],
  [6, 7],
  [6, 8],
  [7, 8],
  [8, 13],
  [255, 256],
  [256, 257],
  [255, 513],
  [512, 513],
];

export function proofVectors(): unknown {
  const data = Array.from({ length: 513 }, (_, index) => dataOf(index));
  const leaves = data.map(leaf);
  const proven = ([index, size]: readonly [number, number]): Inclusion => ({
    name: `leaf ${index} of ${size}`,
    index,
    size,
    record_hash: hex(data[index]!),
    root: hex(root(leaves.slice(0, size))),
    hashes: inclusion(index, leaves.slice(0, size)).map(base64),
    valid: true,
  });
  const stepped = ([from, to]: readonly [number, number]): Consistency => ({
    name: `from ${from} to ${to}`,
    from,
    to,
    from_root: hex(root(leaves.slice(0, from))),
    to_root: hex(root(leaves.slice(0, to))),
    hashes: consistency(from, leaves.slice(0, to)).map(base64),
    valid: true,
  });
  const one = proven([3, 7]);
  const step = stepped([3, 7]);
  const power = stepped([4, 7]);
  const wrongHash = (hashes: readonly string[]) =>
    hashes.with(1, base64(flip(new Uint8Array(Buffer.from(hashes[1]!, 'base64')))));
  const empty = hex(root([]));
  const badInclusion: Partial<Inclusion>[] = [
    { name: 'another leaf', record_hash: hex(data[2]!) },
    { name: 'another root', root: hex(root(leaves.slice(0, 6))) },
    { name: 'another index', index: 2 },
    { name: 'a smaller size', size: 4 },
    { name: 'an index outside the tree', index: 7 },
    { name: 'a hash less', hashes: one.hashes.slice(0, -1) },
    { name: 'a hash more', hashes: [...one.hashes, one.hashes[0]!] },
    { name: 'a changed hash', hashes: wrongHash(one.hashes) },
    { name: 'two hashes swapped', hashes: [one.hashes[1]!, one.hashes[0]!, one.hashes[2]!] },
    { name: 'no hashes', hashes: [] },
    { name: 'a hash of 31 bytes', hashes: one.hashes.with(0, base64(new Uint8Array(31))) },
    { name: 'an empty tree', index: 0, size: 0, hashes: [], root: empty },
  ];
  const badConsistency: Partial<Consistency>[] = [
    { name: 'another first root', from_root: hex(root(leaves.slice(0, 2))) },
    { name: 'another second root', to_root: hex(root(leaves.slice(0, 6))) },
    { name: 'another first size', from: 2 },
    { name: 'another second size', to: 9 },
    { name: 'the sizes swapped', from: 7, to: 3, from_root: step.to_root, to_root: step.from_root },
    { name: 'a hash less', hashes: step.hashes.slice(1) },
    { name: 'a hash more', hashes: [...step.hashes, step.hashes[0]!] },
    { name: 'a changed hash', hashes: wrongHash(step.hashes) },
    { name: 'no hashes', hashes: [] },
    { name: 'hashes between equal trees', from: 7, from_root: step.to_root },
    { name: 'different roots of one size', from: 7, from_root: step.from_root, hashes: [] },
    { name: 'the empty tree with hashes', from: 0, from_root: empty },
    { name: 'the empty tree with a wrong root', from: 0, hashes: [] },
  ];
  return {
    description:
      'RFC 9162 proofs over the leaves of tree.json; hashes in base64, roots in hex. What is not valid MUST be refused.',
    inclusion: [
      ...places.map(proven),
      ...badInclusion.map((bad) => ({ ...one, ...bad, valid: false })),
      // The hashes lead to the right root. Only their number shows that the proof is wrong.
      { ...proven([0, 2]), name: 'more hashes than the size allows', size: 1, valid: false },
      {
        ...proven([1, 2]),
        name: 'more hashes than the size allows, on the right',
        index: 0,
        size: 1,
        valid: false,
      },
      { ...proven([0, 2]), name: 'fewer hashes than the size demands', size: 3, valid: false },
    ],
    consistency: [
      ...steps.map(stepped),
      { ...step, name: 'from the empty tree', from: 0, from_root: empty, hashes: [] },
      { ...stepped([1, 2]), name: 'fewer hashes than the sizes demand', to: 3, valid: false },
      { ...stepped([1, 4]), name: 'more hashes than the sizes allow', to: 2, valid: false },
      ...badConsistency.map((bad) => ({ ...step, ...bad, valid: false })),
      {
        ...power,
        name: 'a first root where the proof leaves it out',
        hashes: [base64(new Uint8Array(Buffer.from(power.from_root, 'hex'))), ...power.hashes],
        valid: false,
      },
    ],
  };
}
