import { expect, test } from 'vitest';
import { randomClusterId } from '../src/kafka/kafka.ts';

test('a cluster id is 16 bytes in base64url and never looks like an option of a command', () => {
  const ids = Array.from({ length: 2_000 }, randomClusterId);
  for (const id of ids) expect(id).toMatch(/^[A-Za-f][\w-]{21}$/);
  expect(new Set(ids).size).toBe(ids.length);
});
