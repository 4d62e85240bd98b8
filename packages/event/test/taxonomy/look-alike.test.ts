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
