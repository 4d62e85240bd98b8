import { expect, test } from 'vitest';
import { smallest } from './smallest.ts';

const lines = Array.from({ length: 300 }, (_, at) => `line ${at}\n`).join('');

test('what remains is what the fault needs', async () => {
  const isFaulty = async (bytes: Uint8Array) => /17.*203/s.test(Buffer.from(bytes).toString());
  expect(Buffer.from(await smallest(Buffer.from(lines), isFaulty)).toString()).toBe('17203');
});

test('a file that needs every byte stays as it is', async () => {
  const whole = Buffer.from('\u0000a\n\nb');
  expect(await smallest(whole, async (bytes) => whole.equals(bytes))).toEqual(whole);
});

test('a long file is not tried byte by byte', async () => {
  const long = Buffer.alloc(100_000, 'x');
  let tries = 0;
  await smallest(long, async () => {
    tries++;
    return false;
  });
  expect(tries).toBeLessThan(10);
});
