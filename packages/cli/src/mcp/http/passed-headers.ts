import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';

/** Headers that belong to one connection: RFC 9110, section 7.6.1. */
const ofConnection = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** Headers about the body, which the proxy has read and writes anew. */
const ofBody = ['content-length', 'content-type', 'content-encoding'];

/** What the proxy writes itself, and what would let a server read another request than the one that was decided. */
const notOfClient = [
  ...['host', 'origin', 'referer', 'accept-encoding', 'expect', 'mcp-session-id', 'mcp-method', 'mcp-name'],
  ...['x-http-method', 'x-http-method-override', 'x-method-override'],
  // Those of a browser belong to all servers on this machine.
  'cookie',
];

/** The headers of a client's request that pass to the server. */
export function passedToServer(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return passed(headers, notOfClient, /^(?:mcp-param-|sec-|access-control-)/);
}

/** The headers of a server's answer that pass to the client. */
export function passedToClient(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return passed(headers, ['set-cookie', 'alt-svc', 'strict-transport-security'], /^access-control-/);
}

function passed(
  headers: IncomingHttpHeaders,
  except: readonly string[],
  exceptPattern: RegExp,
): OutgoingHttpHeaders {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  const dropped = new Set([...ofConnection, ...ofBody, ...named, ...except]);
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !dropped.has(name) && !exceptPattern.test(name)),
  );
}
