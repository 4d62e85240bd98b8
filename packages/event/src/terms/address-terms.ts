import { type IpRange, prefixOf } from '../addresses/ip-range.ts';

/** The lengths of the prefixes of an address that are terms. */
const prefixLengths: { readonly [bytes: number]: readonly number[] } = {
  4: [0, 8, 16, 20, 24, 28, 32],
  16: [0, 16, 32, 48, 56, 64, 128],
};

/** The terms of an address: one for each prefix that a range may have. */
export function addressTerms(name: string, address: IpRange): string[] {
  return prefixLengths[address.bytes.length]!.map((bits) => termOf(name, address, bits));
}

/** The term that all addresses of a range have: that of the longest prefix they share. */
export function addressTerm(name: string, range: IpRange): string {
  return termOf(name, range, prefixLengths[range.bytes.length]!.findLast((length) => length <= range.bits)!);
}

function termOf(name: string, range: IpRange, bits: number): string {
  return `${name}/${bits}=${prefixOf(range, bits)}`;
}
