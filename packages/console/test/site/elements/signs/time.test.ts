import { expect, it } from 'vitest';
import { agoText } from '../../../../src/site/elements/signs/time.tsx';

it('says how far away a time is in the largest unit that has at least one of it', () => {
  // What was 59.6 seconds ago was shown as "60 seconds ago", and what is now as "now", as if it went on.
  const second = 1_000;
  const minute = 60 * second;
  const hour = 60 * minute;
  const texts = [
    0,
    -400,
    -2 * second,
    -59.6 * second,
    -59.6 * minute,
    -23.7 * hour,
    12 * hour - second,
    48 * hour,
  ];
  expect(texts.map(agoText)).toEqual([
    ...['just now', 'just now', '2 seconds ago', '1 minute ago', '1 hour ago'],
    ...['1 day ago', 'in 12 hours', 'in 2 days'],
  ]);
});
