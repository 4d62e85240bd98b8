import { createVerifier, formatVerifierKey, type Verifier } from '@tallystick/log';
import { describe, expect, test } from 'vitest';
import { decideTrust, type TrustQuestion } from '../../src/trust/decide-trust.ts';
import { type KnownLogs, pinOf, readVerifierKey, withoutPin, withPin } from '../../src/trust/known-logs.ts';

const origin = 'audit.example.com/acme/1';
const key = (byte: number, name = origin): Verifier => createVerifier(name, new Uint8Array(32).fill(byte));
const pinned = (...verifiers: Verifier[]): KnownLogs =>
  verifiers.reduce<KnownLogs>(
    (known, verifier) =>
      withPin(known, pinOf(verifier, { pinnedAt: '2025-03-14T09:00:00.000Z', by: 'hand' })),
    new Map(),
  );
const decide = (question: Partial<TrustQuestion>) =>
  decideTrust({ origin, given: [], known: new Map(), offered: undefined, isLive: true, ...question });
const keysOf = ({ verifiers }: { verifiers: readonly Verifier[] }) => verifiers.map(formatVerifierKey);

test('a given key comes before a pinned one', () => {
  const decision = decide({ given: [key(1)], known: pinned(key(2)), offered: key(2) });
  expect(decision).toMatchObject({ trust: 'given', keyChanged: true });
  expect(keysOf(decision)).toEqual([formatVerifierKey(key(1))]);
  expect(decision.pin).toBeUndefined();
});

test('a given key of another log is not used', () => {
  const decision = decide({ given: [key(1, 'audit.example.com/other/1')], offered: key(1) });
  expect(decision).toMatchObject({ trust: 'given', verifiers: [] });
  expect(decision.notice).toContain('none of the given keys');
});

test('a pinned key comes before what the place shows', () => {
  const decision = decide({ known: pinned(key(1)), offered: key(1) });
  expect(decision).toMatchObject({ trust: 'pinned', keyChanged: false });
  expect(decision.notice).toBeUndefined();
});

test('another key than the pinned one is never trusted, and the user is told', () => {
  const decision = decide({ known: pinned(key(1)), offered: key(2) });
  expect(decision).toMatchObject({ trust: 'pinned', keyChanged: true });
  expect(keysOf(decision)).toEqual([formatVerifierKey(key(1))]);
  expect(decision.notice).toContain('another key than the one pinned on 2025-03-14');
  expect(decision.pin).toBeUndefined();
});

describe('first use', () => {
  test('of a live place pins its key and says so', () => {
    const decision = decide({ offered: key(1) });
    expect(decision).toMatchObject({ trust: 'first-use', pin: key(1), keyChanged: false });
    expect(decision.notice).toContain('trusted at first use');
  });

  test('of a bundle trusts nothing', () => {
    const decision = decide({ offered: key(1), isLive: false });
    expect(decision).toMatchObject({ trust: 'none', verifiers: [] });
    expect(decision.pin).toBeUndefined();
    expect(decision.notice).toContain("--key '<name>+<id>+<key>'");
  });

  test('of a live place without a key, or with a key of another log', () => {
    expect(decide({})).toMatchObject({ trust: 'none' });
    expect(decide({ offered: key(1, 'audit.example.com/other/1') })).toMatchObject({ trust: 'none' });
  });
});

describe('a new epoch', () => {
  const next = 'audit.example.com/acme/2';

  test('under the pinned key is trusted and pinned', () => {
    const decision = decide({ origin: next, known: pinned(key(1)), offered: key(1, next) });
    expect(decision).toMatchObject({ trust: 'pinned', pin: key(1, next), keyChanged: false });
  });

  test('under another key is not', () => {
    const decision = decide({ origin: next, known: pinned(key(1)), offered: key(2, next) });
    expect(decision).toMatchObject({ trust: 'pinned', keyChanged: true });
    expect(keysOf(decision)).toEqual([formatVerifierKey(key(1, next))]);
    expect(decision.pin).toBeUndefined();
  });

  test('follows the latest epoch, and no other tenant or log', () => {
    const known = pinned(
      key(1),
      key(2, next),
      key(3, 'audit.example.com/other/1'),
      key(4, 'x.example.com/acme/1'),
    );
    const third = 'audit.example.com/acme/3';
    expect(keysOf(decide({ origin: third, known }))).toEqual([formatVerifierKey(key(2, third))]);
  });

  test('the key of a later epoch says nothing about an earlier one', () => {
    expect(decide({ known: pinned(key(1, next)), offered: key(1), isLive: false })).toMatchObject({
      trust: 'none',
    });
  });
});

test('keys that are malformed, or whose name is no origin', () => {
  expect(readVerifierKey(`${formatVerifierKey(key(1))}\n`).name).toBe(origin);
  for (const text of [
    '',
    'x',
    formatVerifierKey(key(1, 'no-origin')),
    formatVerifierKey(key(1)).replace('a', 'b'),
  ]) {
    expect(() => readVerifierKey(text)).toThrow("not a log's verifier key");
  }
});

test('unpinning what is not pinned is an error', () => {
  expect(withoutPin(pinned(key(1)), origin).size).toBe(0);
  expect(() => withoutPin(new Map(), origin)).toThrow(`no key or checkpoint of ${origin} is kept`);
});
