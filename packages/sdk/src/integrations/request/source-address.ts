import { ipPattern } from '@tallystick/event';

/**
 * The network address of a client, as an event writes it. Node.js writes IPv4 clients of a dual-stack socket as `::ffff:192.0.2.1`,
 * and link-local addresses with a zone. Everything that is not an address gives `undefined`: proxies send `unknown`, host names and
 * addresses with ports, and the event must not be refused because of them.
 */
export function sourceAddress(given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  const address = given.startsWith('::ffff:') && given.includes('.') ? given.slice('::ffff:'.length) : given;
  const withoutZone = address.includes('%') ? address.slice(0, address.indexOf('%')) : address;
  return withoutZone.length <= 45 && ipPattern.test(withoutZone) ? withoutZone : undefined;
}
