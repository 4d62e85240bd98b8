import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import {
  head3,
  head5,
  leaves,
  plain,
  records,
  rewritten,
  signedAll,
  some,
} from '../../../../spec/vectors/generator/bundle-parts.ts';
import {
  chain,
  checkpoint,
  event,
  forge,
  logKey,
  otherKey,
  trusted,
  verifierKey,
} from '../../../../spec/vectors/generator/fixture.ts';
import { leavesOf, root } from '../../../../spec/vectors/generator/naive-tree.ts';
import { verifyBundle } from '../../src/index.ts';
import { bundleOf, pieces, places, stream, utf8, verify } from '../fixture.ts';

describe('pieces', () => {
  const speaking = chain(2, { 1: { event: event(1, { actor_id: 'Zoë \u{1f600}' }) } });

  test('may end anywhere, also inside a character', async () => {
    const bytes = bundleOf(await signedAll(speaking));
    const expected = await verify(bytes);
    expect(expected).toMatchObject({ verdict: 'verified', records: 2, covered_to: 1 });
    const letters = new TextDecoder('latin1').decode(bytes);
    const inside = letters.indexOf(new TextDecoder('latin1').decode(utf8('\u{1f600}')));
    for (let cut = inside - 3; cut < inside + 6; cut++) {
      const report = await verifyBundle(pieces(bytes.subarray(0, cut), bytes.subarray(cut)), {
        keys: [trusted],
      });
      expect(report).toEqual(expected);
    }
    for (const size of [1, 2, 3, 64]) {
      expect(await verifyBundle(stream(bytes, size), { keys: [trusted] })).toEqual(expected);
    }
  });

  test('gzip is the same bundle, and gzip that ends early is none', async () => {
    const bytes = bundleOf(await signedAll(speaking));
    const packed = gzipSync(bytes);
    expect(await verify(packed)).toEqual(await verify(bytes));
    for (let end = 0; end < packed.length; end += 97) {
      const report = await verify(packed.subarray(0, end));
      expect(report).toMatchObject({ verdict: 'not_verifiable', records: 0, head: null });
      expect(places(report)).toEqual(['BUNDLE_TRUNCATED']);
    }
  });
});

describe('a checkpoint that was kept', () => {
  const older = { records: records.slice(0, 3), checkpoints: [head3] };

  test.each([
    ['the same', [head5]],
    ['an older one', [head3]],
    ['both', [head3, head5, head3]],
  ])('%s changes nothing for the genuine bundle', async (_, checkpoints) => {
    expect(await verify(plain, { checkpoints })).toEqual(await verify(plain));
  });

  test('newer than a genuine bundle: its tail is cut', async () => {
    expect(await verify(older)).toMatchObject({ verdict: 'verified' });
    const report = await verify(older, { checkpoints: [head5] });
    expect(report).toMatchObject({ verdict: 'broken', covered_to: null, unsigned_tail: 0 });
    expect(places(report)).toEqual(['HEAD_MISMATCH@3']);
  });

  test('newer than the signature of the bundle, which has the records', async () => {
    const report = await verify({ records, checkpoints: [head3] }, { checkpoints: [head5] });
    expect(report).toMatchObject({ verdict: 'verified', covered_to: 2, unsigned_tail: 2 });
  });

  test('finds a chain that was rewritten and signed with the right key', async () => {
    const forged = await signedAll(rewritten);
    expect(await verify(forged)).toMatchObject({ verdict: 'verified' });
    const shorter = await verify(forged, { checkpoints: [head3] });
    expect(shorter.verdict).toBe('broken');
    expect(places(shorter)).toEqual(['CHECKPOINT_ROOT_MISMATCH@2']);
    // Of one size with the bundle's own, it contradicts that too.
    expect(places(await verify(forged, { checkpoints: [head5] })).sort()).toEqual([
      'CHECKPOINT_INCONSISTENT@4',
      'CHECKPOINT_ROOT_MISMATCH@4',
    ]);
  });

  test('of one size contradicts a part of another chain', async () => {
    const forged = {
      ...(await signedAll(rewritten)),
      records: [rewritten[1]!],
      complete: false,
      leaves: leavesOf(rewritten),
    };
    expect(await verify(forged)).toMatchObject({ verdict: 'verified_partial' });
    expect(places(await verify(forged, { checkpoints: [head5] }))).toEqual(['CHECKPOINT_INCONSISTENT@4']);
    expect(await verify(some, { checkpoints: [head5] })).toMatchObject({ verdict: 'verified_partial' });
  });

  test('that the bundle can’t be held against is the caller’s fault, not the bundle’s', async () => {
    const head = root(leaves.slice(0, 3));
    const other = 'audit.example.com/other/1';
    for (const [kept, code] of [
      [await checkpoint(3, head, { origin: other }), 'CHECKPOINT_MALFORMED'],
      [await checkpoint(3, head, { keys: [otherKey] }), 'NOTE_UNVERIFIED'],
      [await checkpoint(3, head, { name: other }), 'NOTE_UNVERIFIED'],
      ['not a note', 'NOTE_MALFORMED'],
    ]) {
      await expect(verify(plain, { checkpoints: [kept!] })).rejects.toMatchObject({ name: 'LogError', code });
    }
  });

  test('whose signature was forged is not relied upon in silence', async () => {
    const report = await verify(plain, { checkpoints: [forge(head3)] });
    expect(report.verdict).toBe('broken');
    expect(places(report)).toEqual(['CHECKPOINT_SIGNATURE_INVALID@2']);
  });
});

describe('the note that a verdict stands on', () => {
  const vouchedBy = async (...[bundle, options]: Parameters<typeof verify>) => {
    const notes: string[] = [];
    await verify(bundle, { ...options, onTrusted: (note) => notes.push(note) });
    return notes;
  };

  test('is told where there is one', async () => {
    expect(await vouchedBy(plain)).toEqual([head5]);
    expect(await vouchedBy({ ...plain, checkpoints: [head3] })).toEqual([head3]);
    expect(await vouchedBy(some)).toEqual([head5]);
  });

  test('is not told of what is broken, not vouched for or damaged', async () => {
    expect(await vouchedBy({ ...plain, records: rewritten })).toEqual([]);
    expect(await vouchedBy(plain, { keys: [] })).toEqual([]);
    expect(await vouchedBy(bundleOf(plain).subarray(0, -1))).toEqual([]);
  });
});

test('where the keys came from is reported, and keys are never taken from the bundle', async () => {
  const self = { ...plain, between: [{ key: trusted }] };
  const report = await verify(self, { keys: [] });
  expect(report).toMatchObject({ verdict: 'not_verifiable', trust: { source: 'none', keys: [] } });
  expect(places(report)).toEqual(['CHECKPOINT_UNTRUSTED@4']);
  expect((await verify(self)).trust).toEqual({ source: 'given', keys: [trusted] });
  expect((await verify(self, { trust: 'pinned' })).trust.source).toBe('pinned');
  await expect(verify(self, { keys: ['no key'] })).rejects.toMatchObject({ code: 'KEY_MALFORMED' });
  const other = await verify(self, { keys: [verifierKey('audit.example.com/other/1', logKey)] });
  expect(other.verdict).toBe('not_verifiable');
});

test('the first thousand findings are kept, and all of them count', async () => {
  const backwards: { [sequence: number]: { event: object } } = {};
  for (let at = 1; at < 1_201; at++) backwards[at] = { event: { ...event(at), tenant_id: 'other' } };
  const list = chain(1_201, backwards as never);
  const progress: number[] = [];
  const report = await verify(
    { records: list, checkpoints: [await checkpoint(1_201, root(leavesOf(list)))] },
    { onProgress: (done, expected) => progress.push(done, expected) },
  );
  expect(report).toMatchObject({ verdict: 'broken', records: 1_201 });
  expect(report.findings).toHaveLength(1_000);
  expect(places(report).at(-1)).toBe('TENANT_MISMATCH@1000');
  expect(progress).toEqual([1_000, 1_201]);
});
