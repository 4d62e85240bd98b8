import { afterEach, expect, test } from 'vitest';
import type { GatedAction } from '../../src/gate/index.ts';
import { closeGates, failure, open, refund } from './open-gate.ts';

afterEach(closeGates);

test.each<[string, Partial<GatedAction>]>([
  ['no name', { action: '' }],
  ['no tenant', { tenantId: '' }],
])('an action with %s is refused', async (_name, over) => {
  expect(
    await failure(open({ tenantId: undefined }).gate.run({ ...refund, ...over } as GatedAction, () => 1)),
  ).toMatchObject({
    code: 'CONFIG_INVALID',
  });
});
