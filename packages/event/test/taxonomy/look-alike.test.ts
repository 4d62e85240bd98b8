import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isServiceActor } from '../../src/taxonomy/log.ts';
import { looksLike } from '../../src/taxonomy/look-alike.ts';

test.each([
  'tallystick',
  'Tallystick',
  'TALLYSTICK',
  'tally stick',
  'tallystick ',
  'tally-stick',
  'tally\u200bstick',
  't\u0430llystick',
  '\uff54\uff41\uff4c\uff4c\uff59\uff53\uff54\uff49\uff43\uff4b',
  'ta\u0301llystick',
  'ta11ystick',
  '\u{1d42d}allystick',
  'tallyst\u0456ck',
  'tallyst1ck',
  'taIIystick',
  'tally\ufb06ick',
  'TALL\u03a5STICK',
  'tallysti\u03f2k',
  '\u13a2\u13aa\u13de\u13de\u13bd\u13da\u13a2\u13a5\u13df\u13e6',
])('%j looks like the name', (text) => expect(looksLike(text, 'tallystick')).toBe(true));

test.each([
  '',
  'tally',
  'tallysticks',
  'my-tallystick',
  'tallystick-relay',
  'jane',
  'tallystick2',
  'x'.repeat(1e6),
])('%#: another name does not', (text) => expect(looksLike(text, 'tallystick')).toBe(false));

test('a system actor that looks like the service counts as the service; a person with that name does not', () => {
  expect(isServiceActor('system', 'T\u0430llystick')).toBe(true);
  expect(isServiceActor('system', 'tallystick-relay')).toBe(false);
  expect(isServiceActor('user', 'Tallystick')).toBe(false);
  expect(isServiceActor('system', undefined)).toBe(false);
});

test('every character of the table in spec/event.md is replaced, and is written there as the first step leaves it', () => {
  const text = readFileSync(new URL('../../../../spec/event.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `([a-z])` \| ((?:(?:U\+[0-9A-F]{4}|`[^ ]+`) ?)+)\|$/gm)];
  expect(rows.map(([, letter]) => letter).join('')).toBe('acklsty');
  for (const [, letter, list] of rows) {
    const shapes = list!
      .trim()
      .split(' ')
      .map((one) =>
        one.startsWith('U+') ? String.fromCodePoint(Number.parseInt(one.slice(2), 16)) : one.at(-2)!,
      );
    expect(shapes.map((shape) => shape.normalize('NFKD').toLowerCase().normalize('NFKD'))).toEqual(shapes);
    expect(shapes.filter((shape) => !looksLike('tallystick'.replace(letter!, shape), 'tallystick'))).toEqual(
      [],
    );
  }
});
