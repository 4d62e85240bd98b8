import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Text } from '../../src/redaction/characters.ts';
import { findSecrets } from '../../src/redaction/find-secrets.ts';
import { Redactor } from '../../src/redaction/redactor.ts';
import { SecretNames } from '../../src/redaction/secret-names.ts';
import { readCorpus } from './corpus.ts';

const names = new SecretNames([], []);

/** Counts every character that the scanner reads. */
class CountedText implements Text {
  reads = 0;
  readonly length: number;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
    this.length = text.length;
  }

  charCodeAt(index: number): number {
    this.reads++;
    return this.#text.charCodeAt(index);
  }

  slice(start?: number, end?: number): string {
    const part = this.#text.slice(start, end);
    this.reads += part.length;
    return part;
  }
}

function readsOf(text: string): number {
  const counted = new CountedText(text);
  findSecrets(counted, names);
  return counted.reads;
}

/** Beginnings of everything that the scanner recognises. Repeated, they are what an attacker would send. */
const pieces = [
  ...[
    '-----BEGIN PRIVATE KEY-----',
    '-----BEGIN ',
    '-----END ',
    'eyJ',
    'eyJaaaaaaaaaaaa.',
    'a.',
    'sk-',
    'ghp_',
    'SG.',
    'xoxb-',
  ],
  ...[
    'password=',
    'password="',
    "password='",
    'password=\\"',
    'password=\\\\\\"',
    'password: ',
    'password=${',
    'token=$(',
    'name="',
  ],
  ...[
    'name=\\"password',
    '"value":"',
    'cookie:',
    'cookie: a',
    'authorization: digest ',
    'authorization: bearer $',
    'bearer ',
    'a://',
  ],
  ...[
    'a://b:c',
    '://',
    '@',
    '@tcp(',
    '@//',
    '<password>',
    '<password ',
    '<a',
    '<',
    '>',
    ' -p',
    'mysql -p',
    ' --password ',
    '--password "',
  ],
  ...[
    'sqlplus a/',
    '4',
    '4 ',
    '4-',
    '1234 ',
    'pin 1234',
    '.atlasv1.',
    'Q~',
    '-us1',
    'a'.repeat(40),
    ' ',
    '\n',
    '\\',
    '"',
    "'",
    '=',
    ':',
  ],
];

describe('the work is linear in the length of the text', () => {
  /** A run of such pieces that fills a text. */
  const hostile = fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 5 });
  const maxReadsPerCharacter = 1_500;

  test.each(pieces)('%j', (piece) => {
    const small = readsOf(piece.repeat(Math.ceil(4_000 / piece.length)));
    const large = readsOf(piece.repeat(Math.ceil(64_000 / piece.length)));
    // Sixteen times the text. A quadratic scan would read 256 times as much.
    expect(large).toBeLessThan(32 * small + 100_000);
    expect(large / 64_000).toBeLessThan(maxReadsPerCharacter);
  });

  test('for any mixture of them', () => {
    fc.assert(
      fc.property(hostile, hostile, hostile, (head, part, tail) => {
        const of = (length: number) => {
          const middle = part.join('');
          return head.join('') + middle.repeat(Math.ceil(length / middle.length)) + tail.join('');
        };
        expect(readsOf(of(32_000))).toBeLessThan(32 * readsOf(of(2_000)) + 100_000);
      }),
      { numRuns: 150 },
    );
  });
});

test('secrets are found in order, within the text and without overlap', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 30 }), (parts) => {
      const text = parts.join('');
      let end = 0;
      for (const [from, to] of findSecrets(text, names)) {
        // In order, within the text, and without overlap.
        expect(from).toBeGreaterThanOrEqual(end);
        expect(to).toBeGreaterThan(from);
        expect(to).toBeLessThanOrEqual(text.length);
        end = to;
      }
    }),
    { numRuns: 500 },
  );
});

test('a second pass changes nothing', () => {
  const redactor = new Redactor({ names: [], allowNames: [], patterns: [], paths: [] });
  for (const { line, given } of readCorpus()) {
    const once = redactor.redact({ context: given });
    expect(redactor.redact(once), line).toEqual(once);
  }
});
