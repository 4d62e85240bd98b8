import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** A message of the client is held in memory until it is decided. */
export const maxClientMessage = 64 * 1024 * 1024;

/**
 * Why a body is not read; `undefined` if it is. A body in another encoding could be a tool call for the server and something harmless
 * for the proxy: `+AHQ-ools/call` is `tools/call` in UTF-7.
 */
export function unreadable(headers: IncomingHttpHeaders): string | undefined {
  const type = /^application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i;
  if (!type.test(headers['content-type'] ?? '')) return 'the body must be application/json in UTF-8';
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') return 'the body must not be encoded';
  return undefined;
}

/** The body; `undefined` if it is too large. Rejects if the client breaks the connection. */
export async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxClientMessage) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
