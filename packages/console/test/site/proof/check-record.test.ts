import { flattenRecord, formatTlogProof, readRecord } from '@tallystick/log';
import { expect, it } from 'vitest';
import { head3, head5, leaves, records } from '../../../../../spec/vectors/generator/bundle-parts.ts';
import {
  chain,
  checkpoint,
  event,
  otherKey,
  trusted,
} from '../../../../../spec/vectors/generator/fixture.ts';
import {
  inclusion,
  leavesOf,
  consistency as proofBetween,
  root,
} from '../../../../../spec/vectors/generator/naive-tree.ts';
import { checkRecord, type Evidence } from '../../../src/site/proof/check-record.ts';

const viewOf = (text: string, hash: string) => ({ ...flattenRecord(readRecord(text), hash), epoch: 1 });
const receiptOf = (note = head5) => ({
  text: formatTlogProof({ index: 3, inclusion: inclusion(3, leaves), checkpoint: note }),
});

const sound: Evidence = {
  view: viewOf(records[3]!.text, records[3]!.hashHex),
  record: records[3]!.text,
  predecessor: records[2]!.text,
  receipt: receiptOf(),
  key: trusted,
};

/** The steps that failed and those that were not checked. */
async function faults(changes: Partial<Evidence>) {
  const { checks, checkpoint } = await checkRecord({ ...sound, ...changes });
  const of = (wanted: string) => checks.filter(({ state }) => state === wanted).map(({ step }) => step);
  return { failed: of('failed'), not_checked: of('not_checked'), isKept: checkpoint !== undefined };
}

it('proves a sound record, and remembers the checkpoint', async () => {
  expect(await faults({})).toEqual({ failed: [], not_checked: ['history'], isKept: true });
  expect(await checkRecord(sound)).toMatchObject({ size: 5, checkpoint: head5 });
});

it('notices changed bytes, and shows what was expected and what was found', async () => {
  const record = sound.record.replace('"actor_id":"', '"actor_id":"x');
  expect(record).not.toBe(sound.record);
  const { checks } = await checkRecord({ ...sound, record, view: viewOf(record, records[3]!.hashHex) });
  expect(checks.filter(({ state }) => state === 'failed')).toEqual([
    expect.objectContaining({
      step: 'hash',
      expected: records[3]!.hashHex,
      found: expect.stringMatching(/^[0-9a-f]{64}$/),
    }),
    expect.objectContaining({ step: 'inclusion', expected: expect.any(String), found: expect.any(String) }),
  ]);
});

it('notices bytes whose hash was changed with them', async () => {
  const record = sound.record.replace('"actor_id":"', '"actor_id":"x');
  const { createHash } = await import('node:crypto');
  const hash = createHash('sha256').update(record).digest('hex');
  expect(await faults({ record, view: viewOf(record, hash) })).toMatchObject({
    failed: ['inclusion'],
    isKept: false,
  });
});

it('notices a page that shows something else than the record', async () => {
  expect(await faults({ view: { ...sound.view, actor_id: 'mallory' } })).toMatchObject({
    failed: ['content'],
    isKept: false,
  });
  expect(await faults({ view: { ...sound.view, extra: 1 } })).toMatchObject({ failed: ['content'] });
  const { actor_id: _, ...without } = sound.view as Record<string, unknown>;
  expect(await faults({ view: without })).toMatchObject({ failed: ['content'] });
});

it('notices another record before it, and says when it may not see that', async () => {
  expect(await faults({ predecessor: records[1]!.text })).toMatchObject({ failed: ['link'] });
  expect(await faults({ predecessor: undefined })).toMatchObject({
    failed: [],
    not_checked: ['link', 'history'],
  });
  const { checks } = await checkRecord({ ...sound, predecessor: null });
  expect(checks.filter(({ state }) => state === 'failed')).toEqual([
    expect.objectContaining({ code: 'LINK_MISSING', expected: records[2]!.hashHex, found: 'no record' }),
  ]);
  const view = viewOf(records[0]!.text, records[0]!.hashHex);
  const receipt = { text: formatTlogProof({ index: 0, inclusion: inclusion(0, leaves), checkpoint: head5 }) };
  expect(await faults({ view, record: records[0]!.text, predecessor: undefined, receipt })).toMatchObject({
    failed: [],
  });
});

it('notices a receipt of another place', async () => {
  const text = formatTlogProof({ index: 2, inclusion: inclusion(2, leaves), checkpoint: head5 });
  expect((await faults({ receipt: { text } })).failed).toContain('inclusion');
});

it('trusts no other key than the pinned one', async () => {
  expect(
    await faults({ receipt: receiptOf(await checkpoint(5, root(leaves), { keys: [otherKey] })) }),
  ).toMatchObject({
    failed: ['signature'],
    isKept: false,
  });
});

it('says what it could not check without a receipt', async () => {
  expect(await faults({ receipt: { missing: 'The chain is stopped.' } })).toEqual({
    failed: [],
    not_checked: ['inclusion', 'signature', 'history'],
    isKept: false,
  });
  expect(await faults({ receipt: { text: 'nothing' } })).toMatchObject({ failed: ['inclusion'] });
});

it('demands that the log only grew since the last visit', async () => {
  const consistency = proofBetween(3, leaves);
  expect(await faults({ kept: head3, consistency })).toEqual({ failed: [], not_checked: [], isKept: true });
  expect(await faults({ kept: head3, consistency: consistency.slice(1) })).toMatchObject({
    failed: ['history'],
    isKept: false,
  });
  // A fork could otherwise make the browser forget what it knew by giving no proof once.
  expect(await faults({ kept: head3 })).toEqual({ failed: [], not_checked: ['history'], isKept: false });
  const forked = await checkpoint(5, root(leavesOf([...records.slice(0, 4), { hash: new Uint8Array(32) }])));
  expect(await faults({ kept: forked })).toMatchObject({ failed: ['history'], isKept: false });
  const { checks } = await checkRecord({ ...sound, kept: forked });
  expect(checks.find(({ step }) => step === 'history')).toMatchObject({
    expected: expect.stringMatching(/^5 [0-9a-f]{64}$/),
    found: expect.stringMatching(/^5 [0-9a-f]{64}$/),
  });
});

it('notices that the page calls an event the word of the service, or its place another one', async () => {
  // The service submits no `audit.*` events with an API key: a client wrote it, and the page must say so.
  const forged = { event: event(3, { event_type: 'audit.api_key_created' }) };
  const claims = chain(5, { 3: forged });
  const tree = leavesOf(claims);
  const note = await checkpoint(5, root(tree));
  const view = viewOf(claims[3]!.text, claims[3]!.hashHex);
  const receipt = { text: formatTlogProof({ index: 3, inclusion: inclusion(3, tree), checkpoint: note }) };
  const claimed = { record: claims[3]!.text, predecessor: claims[2]!.text, receipt };
  expect((await faults({ ...claimed, view: { ...view, claimed: true } })).failed).toEqual([]);
  expect((await faults({ ...claimed, view })).failed).toEqual(['content']);
  expect((await faults({ view: { ...sound.view, claimed: true } })).failed).toEqual(['content']);
  expect((await faults({ view: { ...sound.view, epoch: 2 } })).failed).toEqual(['inclusion']);
});

it('notices a record of another tenant that the log contains', async () => {
  const foreign = chain(5, { 3: { tenantId: 'globex', event: event(3, { tenant_id: 'globex' }) } });
  const tree = leavesOf(foreign);
  const note = await checkpoint(5, root(tree));
  const receipt = { text: formatTlogProof({ index: 3, inclusion: inclusion(3, tree), checkpoint: note }) };
  const view = viewOf(foreign[3]!.text, foreign[3]!.hashHex);
  const parts = { record: foreign[3]!.text, predecessor: foreign[2]!.text, receipt };
  expect((await faults({ ...parts, view })).failed).toEqual(['inclusion']);
});

it('says that a page shows something else where the value has no canonical text', async () => {
  const hostile = JSON.parse('{"actor_id":"\\ud800","metadata":{"n":1e999}}') as object;
  expect((await faults({ view: { ...sound.view, ...hostile } })).failed).toEqual(['content']);
});
