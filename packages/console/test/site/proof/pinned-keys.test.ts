import { createVerifier, formatCheckpoint, formatNote, formatVerifierKey } from '@tallystick/log';
import { expect, it } from 'vitest';
import { PinnedKeys } from '../../../src/site/proof/pinned-keys.ts';

const keyOf = (origin: string) => formatVerifierKey(createVerifier(origin, new Uint8Array(32).fill(7)));
const noteOf = (origin: string, size: number) =>
  formatNote({
    text: formatCheckpoint({ origin, size, root: new Uint8Array(32) }),
    signatures: [{ name: origin, keyId: new Uint8Array(4), signature: new Uint8Array(64) }],
  });

function open(stored = new Map<string, string>(), place = '/console/') {
  const storage = {
    getItem: (name: string) => stored.get(name) ?? null,
    setItem: (name: string, value: string) => void stored.set(name, value),
  };
  return new PinnedKeys(storage, () => Date.parse('2026-11-29T12:00:00Z'), place);
}

it('pins one key per tenant, for every epoch of its log', () => {
  const keys = open();
  keys.pin(` ${keyOf('example.com/acme/1')}\n`, 'first-use');
  expect(keys.find('example.com/acme/2')).toEqual({
    key: keyOf('example.com/acme/1'),
    pinned_at: '2026-11-29T12:00:00.000Z',
    by: 'first-use',
  });
  expect(keys.find('example.com/globex/1')).toBeUndefined();
  expect(() => keys.pin('no key', 'hand')).toThrow(/KEY_MALFORMED|malformed/);
});

it('keeps the newest checkpoint, and forgets it with its key', () => {
  const keys = open();
  const sizeKept = () => keys.find('example.com/acme/1')?.checkpoint?.note.split('\n').slice(0, 2).join(' ');
  keys.keep(noteOf('example.com/acme/1', 5));
  expect(sizeKept()).toBeUndefined();
  keys.pin(keyOf('example.com/acme/1'), 'first-use');
  for (const size of [5, 9, 7]) keys.keep(noteOf('example.com/acme/1', size));
  expect(sizeKept()).toBe('example.com/acme/1 9');
  keys.keep(noteOf('example.com/acme/2', 3));
  keys.keep(noteOf('example.com/acme/1', 12));
  expect(sizeKept()).toBe('example.com/acme/2 3');
  keys.pin(keyOf('example.com/acme/1'), 'hand');
  expect(sizeKept()).toBeUndefined();
});

// The name of the log was a part of the place: a service that gave its log another name was trusted anew, without a word.
it('does not trust a log of another name in the place of the one that it knows', () => {
  const stored = new Map<string, string>();
  const keys = open(stored);
  keys.pin(keyOf('example.com/acme/1'), 'first-use');
  keys.keep(noteOf('example.com/acme/1', 5));
  expect(keys.find('renamed.example/acme/1')?.key).toBe(keyOf('example.com/acme/1'));
  keys.keep(noteOf('renamed.example/acme/1', 9));
  expect(keys.find('renamed.example/acme/1')?.checkpoint?.note).toBe(noteOf('example.com/acme/1', 5));
  // Another service below another path of the same host, and a reader who trusts the new log.
  expect(open(stored, '/other/console/').find('example.com/acme/1')).toBeUndefined();
  keys.pin(keyOf('renamed.example/acme/1'), 'hand');
  expect(keys.find('renamed.example/acme/1')).toMatchObject({ by: 'hand' });
});
