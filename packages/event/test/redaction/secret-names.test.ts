import { afterEach, expect, test, vi } from 'vitest';
import { SecretNames } from '../../src/redaction/secret-names.ts';

afterEach(() => vi.restoreAllMocks());

// The cache kept 2,000 names of any length. A client whose events had names of 250 KB made the service keep half a gigabyte.
test('a name that is too long to be one is not kept', () => {
  const set = vi.spyOn(Map.prototype, 'set');
  const names = new SecretNames([], []);
  expect(names.of(`${'x'.repeat(250_000)}_password`)).toBe('none');
  expect(names.of('db_password')).not.toBe('none');
  const kept = set.mock.calls.map(([name]) => name).filter((name) => typeof name === 'string');
  expect(kept).toContain('db_password');
  expect(kept.filter((name) => name.length > 256)).toEqual([]);
});

// The capital inside split the word into two that are harmless.
test.each(['PassWord', 'pAsSwOrD', 'pass_phrase', 'userPassWord', 'DB_PassWord2', 'Pass-Phrase'])(
  '%s is a secret',
  (name) => {
    expect(new SecretNames([], []).of(name)).not.toBe('none');
  },
);

test.each(['passing_words', 'is_pass_in_review', 'pass_count', 'keyboard', 'worldPass_wordCount'])(
  '%s is none',
  (name) => {
    expect(new SecretNames([], []).of(name)).toBe('none');
  },
);
