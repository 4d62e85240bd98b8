import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** An event's member with secrets, or without, and what redaction has to make of it. */
export interface Case {
  readonly line: string;
  readonly given: object;
  readonly expected: object;
  readonly secrets: readonly string[];
}

const alphabets: Record<string, string> = {
  a: 'abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789',
  h: '0123456789abcdef',
  u: 'abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789-_',
  d: '123456789',
  U: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567',
  b: 'abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789+/',
};

/** Reads `corpus.txt`. The invented characters are the same in every run. */
export function readCorpus(): Case[] {
  const lines = readFileSync(join(import.meta.dirname, 'corpus.txt'), 'utf8').split('\n');
  return lines.filter((line) => line.startsWith('{')).map(toCase);
}

function toCase(line: string): Case {
  let seed = 7;
  // A linear congruential generator: good enough for invented characters, and the same everywhere.
  const next = (bound: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * bound);
  };
  const text = line.replace(/~([ahudUb])(\d+)~/g, (_, kind: string, count: string) => {
    const alphabet = alphabets[kind]!;
    const characters = Array.from({ length: Number(count) }, () => alphabet[next(alphabet.length)]!);
    // Nearly every real token has a digit.
    if (kind !== 'U' && characters.length > 3) characters[2] = '7';
    return characters.join('');
  });
  return {
    line,
    given: JSON.parse(text.replace(/[«»]/g, '')),
    expected: JSON.parse(text.replace(/«[^»]*»/g, '[REDACTED]')),
    secrets: Array.from(text.matchAll(/«([^»]*)»/g), ([, secret]) => JSON.parse(`"${secret}"`) as string),
  };
}
