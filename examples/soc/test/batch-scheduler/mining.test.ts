import { expect, test } from 'vitest';
import { attackKey, falsePositiveKey, withMember } from '../../src/batch-scheduler/mining.ts';
import type { Investigation } from '../../src/platform/investigation.ts';

const closed = (at: number, change: Partial<Investigation> = {}): Investigation => ({
  investigation_id: `inv-${at}`,
  tenant_id: 'acme',
  alert_id: `alert-${at}`,
  state: 'closed',
  severity: 'low',
  title: `Scan of port ${at}`,
  source: 'suricata',
  techniques: ['T1046', 'T1018'],
  entity_ids: [],
  verdict: 'false_positive',
  opened_at: '',
  closed_by: 'analysis',
  ...change,
});

test('the kind of an investigation', () => {
  expect(falsePositiveKey(closed(1))).toBe(falsePositiveKey(closed(2, { verdict: 'benign' })));
  expect(falsePositiveKey(closed(1, { closed_by: 'pattern' }))).toBeUndefined();
  expect(falsePositiveKey(closed(1, { verdict: 'true_positive' }))).toBeUndefined();
  expect(attackKey(closed(1))).toBeUndefined();
  const attack = closed(1, { verdict: 'true_positive' });
  expect(attackKey(attack)).toBe(attackKey({ ...attack, techniques: ['T1018', 'T1046'] }));
  expect(attackKey({ ...attack, techniques: [] })).toBeUndefined();
});

test('a cluster has each member once, and the newest of many', () => {
  const ids = (numbers: readonly number[], limit: number) =>
    numbers
      .reduce((cluster, at) => withMember(cluster, closed(at), limit), {
        key: 'k',
        members: [] as readonly Investigation[],
      })
      .members.map(({ investigation_id }) => investigation_id);
  expect(ids([1, 2, 1], 3)).toEqual(['inv-2', 'inv-1']);
  expect(ids([1, 2, 3], 2)).toEqual(['inv-2', 'inv-3']);
});
