import { expect, test } from 'vitest';
import { retryAfterMs } from '../src/retry.ts';

const answer = (value?: string) =>
  new Response(null, { headers: value === undefined ? {} : { 'retry-after': value } });

test.each([
  [undefined, undefined],
  ['', undefined],
  ['soon', undefined],
  ['0', 0],
  ['2', 2_000],
  ['3600', 30_000],
  ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
  ['Fri, 31 Dec 2100 23:59:59 GMT', 30_000],
])('Retry-After: %s', (value, expected) => {
  expect(retryAfterMs(answer(value), 30_000)).toBe(expected);
});
