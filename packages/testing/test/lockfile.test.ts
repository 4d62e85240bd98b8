import { expect, test } from 'vitest';
import { missingFromLockfile } from '../../../scripts/lockfile.ts';

// A registry did not have the newest packages yet: npm locked a linter with two of its eight platforms and reported no error.
// `npm ci` failed on the next machine.
test('an optional dependency without an entry is found', () => {
  const packages = {
    '': {},
    'node_modules/tool': { optionalDependencies: { '@tool/linux': '1', '@tool/darwin': '1' } },
    'node_modules/@tool/linux': {},
  };
  expect(missingFromLockfile({ packages })).toEqual([
    'there is no @tool/darwin, which node_modules/tool needs: choose a version that the registry has completely',
  ]);
});

test('an entry counts only in a place where Node finds it', () => {
  const nested = 'node_modules/a/node_modules/tool';
  const needs = { optionalDependencies: { native: '1' } };
  for (const place of [nested, 'node_modules/a', '']) {
    const entry = `${place && `${place}/`}node_modules/native`;
    expect(missingFromLockfile({ packages: { [nested]: needs, [entry]: {} } })).toEqual([]);
  }
  const elsewhere = { [nested]: needs, 'node_modules/b/node_modules/native': {} };
  expect(missingFromLockfile({ packages: elsewhere })).toHaveLength(1);
});
