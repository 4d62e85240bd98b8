import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatTlogProof } from '@tallystick/log';
import {
  head3,
  head5,
  leaves,
  records,
  rewritten,
  signedAll,
} from '../../spec/vectors/generator/bundle-parts.ts';
import { linesOf, seal } from '../../spec/vectors/generator/bundle-writer.ts';
import {
  chain,
  checkpoint,
  event,
  forge,
  genesis,
  logKey,
  otherKey,
  verifierKey,
} from '../../spec/vectors/generator/fixture.ts';
import { inclusion, leavesOf, root } from '../../spec/vectors/generator/naive-tree.ts';

/** A file that mutants are made from, with the keys that its reader trusts. */
export interface Base {
  readonly name: string;
  readonly bytes: Buffer;
  readonly keys: readonly string[];
}

const vectors = join(import.meta.dirname, '../../spec/vectors');
const read = (name: string) => readFileSync(join(vectors, name));
const list = (name: string) => JSON.parse(read(name).toString());

const bundles: Base[] = list('bundles/index.json').bundles.map(
  ({ file, keys }: { file: string; keys: string[] }) => ({
    name: file,
    bytes: read(`bundles/${file}`),
    keys,
  }),
);

const proofs = list('tlog-proof.json');
const receipts: Base[] = [...proofs.valid, ...proofs.refused].map(
  ({ name, proof, keys }: { name: string; proof: string; keys: string[] }) => ({
    name: `receipt: ${name}`,
    bytes: Buffer.from(proof),
    keys,
  }),
);
const rotated: Base[] = list('receipts.json')
  .receipts.filter(({ receipt }: { receipt: string }) =>
    Buffer.from(receipt, 'base64').toString().includes('tallystick/key-rotation/v1'),
  )
  .map(({ name, receipt, keys }: { name: string; receipt: string; keys: string[] }) => ({
    name: `receipt: ${name}`,
    bytes: Buffer.from(receipt, 'base64'),
    keys,
  }));
const own = bundles.find(({ name }) => name === 'history.tally')!;
const ofRecord = (at: number): Base => ({
  name: `receipt of record ${at}`,
  bytes: Buffer.from(
    formatTlogProof({
      extra: Buffer.from(records[at]!.text),
      index: at,
      inclusion: inclusion(at, leaves),
      checkpoint: head5,
    }),
  ),
  keys: own.keys,
});

/** Bundles of a second epoch, each of which names another checkpoint of the first one, or none: whole ones, and parts of them. */
const second = 'audit.example.com/acme/2';
const named = [
  head5,
  head3,
  forge(head5),
  'not a checkpoint\n',
  await checkpoint(5, root(leavesOf(rewritten))),
  await checkpoint(9, root(leavesOf(chain(9)))),
  await checkpoint(5, root(leaves), { keys: [otherKey] }),
  await checkpoint(5, root(leaves), { origin: 'audit.example.com/other/1' }),
];
export const laterEpochs: readonly Base[] = (
  await Promise.all(
    named.map(async (note) => {
      const first = genesis({ origin: second, epoch: 2, recovery: { checkpoint: note, reason: 'restored' } });
      const parts = await signedAll(chain(3, {}, first), second);
      const proofs = { complete: false, leaves: leavesOf(parts.records) };
      return [
        parts,
        { ...parts, ...proofs, records: parts.records.slice(0, 2) },
        { ...parts, ...proofs, records: parts.records.slice(1) },
      ];
    }),
  )
)
  .flat()
  .map((parts, at) => ({
    name: `second epoch ${at}`,
    bytes: Buffer.from(seal(linesOf(parts))),
    keys: [verifierKey(second, logKey)],
  }));

/** Files with records that are read to their end: their mutants reach the rules for records more often. */
const readable = bundles.filter(({ name }) =>
  ['history.tally', 'some-history.tally', 'awkward.tally', 'closed.tally', 'closed-twice.tally'].includes(
    name,
  ),
);

/** Smallest first, because a smaller number is a simpler case. */
export const corpus: readonly Base[] = [
  ...bundles,
  ...Array.from({ length: 8 }, () => readable).flat(),
  ...laterEpochs,
  ...laterEpochs,
  ...receipts,
  ...rotated,
  ...Array.from({ length: 4 }, () => [0, 2, 4].map(ofRecord)).flat(),
].sort((a, b) => a.bytes.length - b.bytes.length);

const fork = await signedAll(chain(7, { 2: { event: event(2, { actor_id: 'mallory' }) } }));
const genuine = chain(9);

/** Checkpoints that the reader kept or gives: genuine ones, those of forks, and some that are not what they seem. */
export const checkpoints: readonly string[] = [
  head5,
  head3,
  await checkpoint(9, root(leavesOf(genuine))),
  await checkpoint(5, root(leavesOf(rewritten))),
  fork.checkpoints[0]!,
  forge(head3),
  await checkpoint(5, root(leaves), { keys: [otherKey] }),
  await checkpoint(5, root(leaves), { origin: 'audit.example.com/other/1' }),
  await checkpoint(0, Buffer.from('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 'hex')),
  'not a checkpoint\n',
];
