/**
 * The text of an IP address: dotted decimal IPv4 without leading zeros, or IPv6 as in RFC 4291, section 2.2. The alternatives
 * for IPv6 are those of `IPv6address` in RFC 3986, section 3.2.2. The client may control the text, so zone identifiers, ports,
 * brackets and prefix lengths are refused: an address then has no part that could carry anything else.
 */
const octet = '(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])';
const ipv4 = `${octet}(?:\\.${octet}){3}`;
const group = '[0-9A-Fa-f]{1,4}';
/** The last 32 bits. */
const tail = `(?:${group}:${group}|${ipv4})`;

/** Up to `count` groups before `::`. */
const upTo = (count: number) => `(?:(?:${group}:){0,${count - 1}}${group})?`;

const ipv6 = [
  `(?:${group}:){6}${tail}`,
  `::(?:${group}:){5}${tail}`,
  `${upTo(1)}::(?:${group}:){4}${tail}`,
  `${upTo(2)}::(?:${group}:){3}${tail}`,
  `${upTo(3)}::(?:${group}:){2}${tail}`,
  `${upTo(4)}::${group}:${tail}`,
  `${upTo(5)}::${tail}`,
  `${upTo(6)}::${group}`,
  `${upTo(7)}::`,
].join('|');

/** The text of an IPv4 or IPv6 address. Both cases of hexadecimal digits are allowed. */
export const ipPattern = new RegExp(`^(?:${ipv4}|${ipv6})$`);
