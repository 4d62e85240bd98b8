import { type IpRange, parseIpRange } from '../addresses/ip-range.ts';

/** Characters of which addresses consist. */
const separators = /[^0-9A-Fa-f:.]+/;
const ipv4 = /(?<![0-9A-Fa-f.])\d{1,3}(?:\.\d{1,3}){3}(?![0-9A-Fa-f]|\.\d)/;
/** Every address has two colons, or a dot between two digits. Most texts have neither. */
const hasAddress = /:[0-9A-Fa-f.]*:|\d\.\d/;
/** The longest text of an address, and a port. */
const maxLength = 64;

/** The IP addresses that are written in a text: alone, with a port, in brackets, or in a sentence. */
export function addressesIn(text: string): IpRange[] {
  if (!hasAddress.test(text)) return [];
  return text.split(separators).flatMap((run) => {
    if (run.length < 2 || run.length > maxLength) return [];
    const address = parseIpRange(run.replace(/\.$/, '')) ?? parseIpRange(ipv4.exec(run)?.[0] ?? '');
    return address === undefined ? [] : [address];
  });
}
