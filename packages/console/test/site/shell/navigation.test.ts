import type { Scope } from '@tallystick/protocol';
import { expect, it } from 'vitest';
import { pagesFor } from '../../../src/site/shell/navigation.ts';

const offered = (...scopes: Scope[]) => pagesFor({ name: 'Jane', scopes, csrf: 'x' }).map(({ page }) => page);

it('offers only the pages on which the reader may see something', () => {
  expect(offered('log:read')).toEqual(['verification', 'approvals']);
  expect(offered('approvals:decide')).toEqual(['approvals']);
  expect(offered('events:read')).not.toContain('verification');
  expect(offered('admin')).toEqual([
    ...[
      'overview',
      'events',
      'timeline',
      'verification',
      'approvals',
      'producers',
      'dead-letters',
      'tenants',
    ],
  ]);
});
