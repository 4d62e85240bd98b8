import { isIP } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ipPattern } from '../../src/index.ts';

/** Texts that are addresses, or nearly. */
const group = fc.constantFrom('0', '1', 'ab', 'FFFF', 'f00d', '12345', 'g', '');
const octet = fc.constantFrom('0', '9', '10', '99', '100', '249', '255', '256', '01', '');
const ipv4 = fc.array(octet, { minLength: 3, maxLength: 5 }).map((parts) => parts.join('.'));
const groups = fc.array(group, { maxLength: 9 }).map((parts) => parts.join(':'));
const address = fc.oneof(
  ipv4,
  groups,
  fc.tuple(groups, fc.constantFrom('::', ':', ''), groups).map((parts) => parts.join('')),
  fc.tuple(groups, fc.constantFrom('::', ':'), ipv4).map((parts) => parts.join('')),
);

test('the pattern accepts what Node accepts as an address', () => {
  fc.assert(
    fc.property(address, (text) => {
      expect(ipPattern.test(text), text).toBe(isIP(text) !== 0);
    }),
    { numRuns: 20_000 },
  );
});

test('and random addresses in full form', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      expect(ipPattern.test(text), text).toBe(isIP(text) !== 0);
    }),
    { numRuns: 2_000 },
  );
});

test.each(['fe80::1%eth0', '1.2.3.4:80', '[::1]', '10.0.0.0/8', ' 1.2.3.4', '1.2.3.4\n'])(
  '%j is refused',
  (text) => {
    expect(ipPattern.test(text)).toBe(false);
  },
);
