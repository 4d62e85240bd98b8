import type { Scope } from '@tallystick/protocol';
import { expect, it } from 'vitest';
import { pagesFor } from '../../../src/site/shell/navigation.ts';

const offered = (...scopes: Scope[]) => pagesFor({ name: 'Jane', scopes, csrf: 'x' }).map(({ page }) => page);

it('offers only the pages on which the reader may see something', () => {
  expect(offered('log:read')).toEqual(['verification']);
  // The desk refuses a key that only submits events.
  expect(offered('events:write')).toEqual([]);
  expect(offered('approvals:decide')).toEqual(['approvals']);
  expect(offered('events:read')).not.toContain('verification');
  expect(offered('events:read')).not.toContain('keys');
  expect(offered('admin')).toEqual([
    ...['overview', 'events', 'timeline', 'exports', 'verification', 'approvals', 'intents', 'calls'],
    ...['producers', 'dead-letters', 'tenants', 'keys', 'followers'],
  ]);
  const ofOneTenant = pagesFor({ name: 'Jane', scopes: ['admin'], tenants: ['acme'], csrf: 'x' });
  expect(ofOneTenant.map(({ page }) => page)).not.toContain('keys');
});
