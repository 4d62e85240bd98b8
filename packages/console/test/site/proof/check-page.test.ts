import {
  createVerifier,
  flattenRecord,
  formatVerifierKey,
  parseVerifierKey,
  readRecord,
  type SealedRecord,
} from '@tallystick/log';
import { expect, it } from 'vitest';
import {
  base64,
  chain,
  checkpoint,
  origin,
  otherKey,
  trusted,
} from '../../../../../spec/vectors/generator/fixture.ts';
import { consistency, leavesOf, multiproof, root } from '../../../../../spec/vectors/generator/naive-tree.ts';
import { checkPage, type PageToCheck } from '../../../src/site/proof/check-page.ts';

const records = chain(20);
const leaves = leavesOf(records);
const viewOf = ({ text, hashHex }: SealedRecord) => ({
  ...flattenRecord(readRecord(text), hashHex),
  epoch: 1,
  record: text,
});
const listed = [11, 7, 3, 2];

const evidenceOf = async (size = 16, of = leaves) => ({
  origin,
  checkpoint: await checkpoint(size, root(of.slice(0, size))),
  hashes: multiproof([...listed].reverse(), of.slice(0, size)).map(base64),
  keys: [],
  rotations: [],
});
const sound: PageToCheck = {
  events: listed.map((at) => viewOf(records[at]!)),
  evidence: await evidenceOf(),
  key: trusted,
};

it('proves a page with one proof, and lets the browser remember the checkpoint', async () => {
  expect(await checkPage(sound)).toEqual({
    faults: [],
    isProofLost: false,
    size: 16,
    epoch: 1,
    hashOnly: 0,
    history: 'first_visit',
    checkpoint: sound.evidence.checkpoint,
  });
});

it('names the record whose bytes were changed, or that the list shows otherwise', async () => {
  const changed = { ...sound.events[1]!, record: records[7]!.text.replace('"actor_id":"', '"actor_id":"x') };
  const { faults, isProofLost, ...rest } = await checkPage({
    ...sound,
    events: sound.events.with(1, changed),
  });
  expect(isProofLost).toBe(true);
  expect(faults.find(({ sequence }) => sequence === 7)?.text).toContain('the record was changed');
  expect(rest.checkpoint).toBeUndefined();
  const shown = { ...sound.events[1]!, actor_id: 'mallory' };
  const other = await checkPage({ ...sound, events: sound.events.with(1, shown) });
  expect(other.faults).toEqual([
    expect.objectContaining({ sequence: 7, text: expect.stringContaining('another actor_id') }),
  ]);
  expect([other.isProofLost, other.checkpoint]).toEqual([false, undefined]);
});

it('blames a record for a broken link only provisionally', async () => {
  const changed = { ...sound.events[3]!, record: records[2]!.text.replace('"actor_id":"', '"actor_id":"x') };
  const { faults } = await checkPage({ ...sound, events: sound.events.with(3, changed) });
  expect(faults.filter(({ isAboutLink }) => isAboutLink).map(({ sequence }) => sequence)).toEqual([3]);
});

it('trusts the pinned key alone', async () => {
  const forged = await checkpoint(16, root(leaves.slice(0, 16)), { keys: [otherKey] });
  const { faults, checkpoint: kept } = await checkPage({
    ...sound,
    evidence: { ...sound.evidence, checkpoint: forged },
  });
  expect(faults).toEqual([{ text: expect.stringContaining('has not signed the checkpoint') }]);
  expect(kept).toBeUndefined();
});

it('finds a fork and a shortened log with the checkpoint of the last visit, and shows both roots', async () => {
  const grown = { ...sound, kept: await checkpoint(10, root(leaves.slice(0, 10))) };
  const proof = consistency(10, leaves.slice(0, 16));
  expect(await checkPage({ ...grown, consistency: proof })).toMatchObject({ faults: [], history: 'one_log' });
  const unproven = await checkPage(grown);
  expect([unproven.history, unproven.faults, unproven.checkpoint]).toEqual(['no_proof', [], undefined]);
  const forkedLeaves = leavesOf([...records.slice(0, 9), { hash: new Uint8Array(32) }]);
  const forked = await checkPage({
    ...sound,
    kept: await checkpoint(10, root(forkedLeaves)),
    consistency: proof,
  });
  expect(forked.history).toBe('contradiction');
  expect(forked.faults[0]).toMatchObject({
    text: expect.stringContaining('it was forked'),
    expected: expect.stringMatching(/^10 [0-9a-f]{64}$/),
    found: expect.stringMatching(/^16 [0-9a-f]{64}$/),
  });
  const shortened = await checkPage({ ...sound, kept: await checkpoint(20, root(leaves)) });
  expect(shortened.faults.map(({ text }) => text)).toEqual([expect.stringContaining('shorter')]);
});

it('says that nothing is signed, and that evidence can’t be read', async () => {
  const { checkpoint: _, ...unsigned } = sound.evidence;
  expect(await checkPage({ ...sound, evidence: unsigned })).toMatchObject({
    faults: [],
    history: 'not_signed',
  });
  const broken = await checkPage({ ...sound, evidence: { ...sound.evidence, checkpoint: 'nonsense' } });
  expect(broken.faults).toEqual([{ text: expect.stringContaining('can’t be read') }]);
});

// A service that denied its checkpoints, or showed an earlier epoch or a log of another name, got the verdict that nothing is signed yet.
it('finds that the service denies what this browser verified', async () => {
  const { checkpoint: _, ...unsigned } = sound.evidence;
  const kept = await checkpoint(10, root(leaves.slice(0, 10)));
  const textsOf = async (page: PageToCheck) => (await checkPage(page)).faults.map(({ text }) => text);
  expect(await textsOf({ ...sound, evidence: unsigned, kept })).toEqual([
    expect.stringContaining('this browser verified a signed tree of 10 records'),
  ]);
  const later = kept.replaceAll(origin, origin.replace(/1$/, '2'));
  expect(await textsOf({ ...sound, kept: later })).toEqual([expect.stringContaining('was set back')]);
  const { publicKey } = parseVerifierKey(trusted);
  const renamed = formatVerifierKey(createVerifier(`other.${origin}`, publicKey));
  const [first] = (await checkPage({ ...sound, key: renamed })).faults;
  expect(first).toMatchObject({ text: expect.stringContaining('another log'), found: origin });
});
