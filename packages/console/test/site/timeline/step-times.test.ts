import { expect, it } from 'vitest';
import { stepTimes } from '../../../src/site/timeline/step-times.ts';

const entry = (audit_id: string, elapsed_ms: number, more: object = {}) => ({
  ...{ depth: 0, is_root: false, elapsed_ms, duration_ms: 0 },
  event: { audit_id, ...more },
});

it('lasts until the last record that a record led to itself, or as long as the record says', () => {
  const times = stepTimes([
    entry('a', 0),
    entry('b', 5, { parent_id: 'a' }),
    entry('c', 20, { parent_id: 'a', outcome: { duration_ms: 7 } }),
    entry('d', 60, { parent_id: 'b' }),
    entry('late cause', 90),
    entry('early', 80, { parent_id: 'late cause', outcome: { duration_ms: 'text' } }),
  ]);
  expect(times).toEqual([20, 55, 7, 0, 0, 0]);
});
