import { BlockList, isIPv4 } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isInRange, parseIpRange, prefixOf } from '../../src/addresses/ip-range.ts';

test.each([
  ['10.1.2.3', '0a010203', 32],
  ['10.0.0.0/8', '0a000000', 8],
  ['0.0.0.0/0', '00000000', 0],
  ['::', '0'.repeat(32), 128],
  ['2001:db8::1/32', '20010db8000000000000000000000001', 32],
  ['1:2:3:4:5:6:7::', '00010002000300040005000600070000', 128],
  ['64:ff9b::10.1.2.3', '0064ff9b00000000000000000a010203', 128],
  ['::ffff:10.1.2.3', '0a010203', 32],
  ['::ffff:10.1.2.3/104', '0a010203', 8],
  ['::ffff:10.1.2.3/90', '00000000000000000000ffff0a010203', 90],
])('%s', (text, hex, bits) => {
  const range = parseIpRange(text)!;
  expect([prefixOf(range, range.bytes.length * 8), range.bits]).toEqual([hex, bits]);
});

test.each([
  '',
  '10.0.0',
  '10.0.0.0/33',
  '::/129',
  '10.0.0.0/',
  '10.0.0.0/08',
  '10.0.0.0/-1',
  '10.0.0.0/8/8',
  'fe80::1%eth0',
  '[::1]',
  '1.2.3.4:80',
  'host',
])('%j is neither an address nor a range', (text) => expect(parseIpRange(text)).toBeUndefined());

test('ranges hold the addresses that Node says they hold', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.ipV4(), fc.ipV6()),
      fc.oneof(fc.ipV4(), fc.ipV6()),
      fc.nat(128),
      (net, address, length) => {
        const [network, other] = [parseIpRange(net)!, parseIpRange(address)!];
        // An IPv4 address in IPv6 notation is compared as the IPv4 address that it is.
        fc.pre(
          network.bytes.length === (isIPv4(net) ? 4 : 16) &&
            other.bytes.length === (isIPv4(address) ? 4 : 16),
        );
        const bits = Math.min(length, network.bytes.length * 8);
        const list = new BlockList();
        list.addSubnet(net, bits, isIPv4(net) ? 'ipv4' : 'ipv6');
        const expected =
          isIPv4(net) === isIPv4(address) && list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
        expect(isInRange(parseIpRange(`${net}/${bits}`)!, other)).toBe(expected);
      },
    ),
  );
});
