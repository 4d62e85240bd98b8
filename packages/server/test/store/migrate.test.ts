import { expect, test } from 'vitest';
import { migrations } from '../../src/store/migrate.ts';

// Two changes that were made side by side took the same number. Their order then depended on the rest of their names.
test('each migration has a number of its own, and none is left out', () => {
  const numbers = migrations().map(({ name }) => Number(/^(\d{4})_[a-z_]+\.sql$/.exec(name)?.[1]));
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
});
