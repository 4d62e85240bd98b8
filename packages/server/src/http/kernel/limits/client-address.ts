import { ipPattern, parseIpRange } from '@tallystick/event';
import type { FastifyRequest } from 'fastify';

/** Bytes of an IPv6 address that name a network. One machine can have all addresses of its network. */
const networkBytes = 8;

/**
 * The address of the client: that of the connection, or the one that a trusted proxy names (`trustedProxies` of the HTTP options). A proxy
 * that forwards a header of the client may send any text, so a text that is not an address is ignored.
 */
export function addressOf({ ip, socket }: FastifyRequest): string | undefined {
  return ipPattern.test(ip) ? ip : socket.remoteAddress;
}

/** The id under which the requests of a client are counted: its IPv4 address, or its network for IPv6. */
export function networkOf(request: FastifyRequest): string {
  const address = addressOf(request) ?? '';
  const bytes = parseIpRange(address)?.bytes;
  if (bytes === undefined) return address;
  return bytes.slice(0, bytes.length === 16 ? networkBytes : bytes.length).join('.');
}
