import { ipPattern } from './ip-address.ts';

// Why not ipaddr.js (MIT, kept well): this package has no dependency and runs in browsers, and `ipPattern` has checked the text already.

/** A range of IP addresses: those whose first `bits` bits are those of `bytes`. An address is a range of one. */
export interface IpRange {
  /** 4 bytes of IPv4, or 16 bytes of IPv6. */
  readonly bytes: readonly number[];
  readonly bits: number;
}

/**
 * Reads an address, or a range in CIDR notation such as `10.0.0.0/8`. An IPv4 address that is written as IPv6 (`::ffff:10.0.0.1`) is the
 * IPv4 address.
 *
 * @returns undefined if the text is neither
 */
export function parseIpRange(text: string): IpRange | undefined {
  const [address = '', prefix, ...rest] = text.split('/');
  if (rest.length > 0 || !ipPattern.test(address)) return undefined;
  const written = address.includes(':') ? bytesOfV6(address) : bytesOfV4(address);
  const isMapped = written.length === 16 && mappedPrefix.every((byte, at) => written[at] === byte);
  if (prefix === undefined) {
    const bytes = isMapped ? written.slice(12) : written;
    return { bytes, bits: bytes.length * 8 };
  }
  if (!/^(?:0|[1-9]\d{0,2})$/.test(prefix) || Number(prefix) > written.length * 8) return undefined;
  const bits = Number(prefix);
  return isMapped && bits >= 96 ? { bytes: written.slice(12), bits: bits - 96 } : { bytes: written, bits };
}

/** Whether an address lies in a range. An IPv4 address lies in no range of IPv6. */
export function isInRange(range: IpRange, address: IpRange): boolean {
  if (range.bytes.length !== address.bytes.length || address.bits < range.bits) return false;
  return prefixOf(range, range.bits) === prefixOf(address, range.bits);
}

/** The first bits of an address as hexadecimal digits of its whole length. The bits after them are zero. */
export function prefixOf({ bytes }: IpRange, bits: number): string {
  return bytes
    .map((byte, at) => byte & (0xff00 >> Math.min(8, Math.max(0, bits - at * 8))) & 0xff)
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}

const mappedPrefix = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

function bytesOfV4(text: string): number[] {
  return text.split('.').map(Number);
}

function bytesOfV6(text: string): number[] {
  const [head = '', tail] = text.split('::');
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const zeros = Array.from({ length: 16 - before.length - after.length }, () => 0);
  return [...before, ...zeros, ...after];
}

function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return bytesOfV4(group);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
