import { expect, test } from 'vitest';
import { sourceAddress } from '../../../src/integrations/request/source-address.ts';

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8::1', '2001:db8::1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['unknown', undefined],
  ['192.0.2.1:4711', undefined],
  ['192.0.2.1, 10.0.0.1', undefined],
  ['<script>', undefined],
  ['', undefined],
  [undefined, undefined],
])('%j is %j', (given, expected) => {
  expect(sourceAddress(given)).toBe(expected);
});
