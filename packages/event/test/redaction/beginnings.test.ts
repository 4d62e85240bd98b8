import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextPlace } from '../../src/redaction/beginnings.ts';
import type { Text } from '../../src/redaction/characters.ts';
import { programNames } from '../../src/redaction/command-lines.ts';
import { findSecrets } from '../../src/redaction/find-secrets.ts';
import { SecretNames } from '../../src/redaction/secret-names.ts';
import { introductoryWords } from '../../src/redaction/sentences.ts';
import { tokenBeginnings } from '../../src/redaction/token-formats.ts';
import { schemeWords } from '../../src/redaction/values.ts';
import { readCorpus } from './corpus.ts';

const names = new SecretNames(['memberNumber'], []);

/** Tries every rule at every index. */
const everywhere = (_: Text, at: number) => at;

/** A rule that the search for places skips would leave a secret in the trail permanently. */
function expectSame(text: string): void {
  expect(findSecrets(text, names), text).toEqual(findSecrets(text, names, everywhere));
}

/** Every text in a value: names of members, texts, and the value as JSON, as it occurs within a log line. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => [name, ...textsIn(member)]);
}
const corpus = readCorpus().flatMap(({ given }) => [JSON.stringify(given), ...textsIn(given)]);

const beginnings = [...tokenBeginnings, ...programNames, ...introductoryWords, ...schemeWords];
const clean = [
  'An Office process started an encoded shell command',
  '2026-11-28T12:00:00.040Z',
  's3://evidence/a/b/c',
  'user ann@example.com, status: 200',
  '0190f3c5-7e1c-7e55-9a3e-5a0c4b9f1d27',
  'größer als 10 €',
];

test('the search finds in the corpus what all rules at every index find', () => {
  for (const text of corpus) expectSame(text);
});

test('the search finds in mixtures of corpus and clean text what all rules at every index find', () => {
  const fragment = fc.tuple(fc.constantFrom(...corpus), fc.nat(), fc.nat()).map(([text, from, length]) => {
    const start = from % text.length;
    return text.slice(start, start + 1 + (length % text.length));
  });
  const whole = fc.constantFrom(...corpus, ...clean, ...beginnings);
  const joint = fc.constantFrom(
    '',
    ' ',
    '\n',
    '"',
    '-',
    ' -',
    ':',
    '=',
    ', ',
    '.',
    '_',
    '/',
    '1',
    'é',
    '\u{1f600}',
    'Q',
  );
  const part = fc.oneof(
    fragment,
    whole,
    whole.map((text) => text.toUpperCase()),
    fc.string({ maxLength: 8 }),
  );
  const mixture = fc
    .array(fc.tuple(part, joint), { minLength: 1, maxLength: 6 })
    .map((parts) => parts.flat().join(''));
  fc.assert(fc.property(mixture, expectSame), { numRuns: 3_000 });
});

test('a beginning of a token, a program and a sentence is a place, at the start of a word and not within one', () => {
  for (const beginning of beginnings) {
    expect(nextPlace(`+ ${beginning}xx`, 0), beginning).toBe(2);
    // Within the prefix, a sign may be a place of its own.
    const word = /^[A-Za-z0-9]*/.exec(beginning)![0].replaceAll('Q', '');
    expect(nextPlace(`zz${word}`, 0), beginning).toBe(2 + word.length);
  }
});

test('a text in plain words has no place', () => {
  const text = 'Five workers were healthy yesterday, and the queue of the last hour was empty.';
  expect(nextPlace(text, 0)).toBe(text.length);
});
