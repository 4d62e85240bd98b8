import { request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import { type Duplex, duplexPair, Readable } from 'node:stream';
import type { Fetch } from '@tallystick/client';

/** Requests to an HTTP server inside this process. */
export interface InProcess {
  readonly fetch: Fetch;
  /** Ends the connections that are still open. */
  close(): void;
}

/**
 * Connects a client to an HTTP server that does not listen: each request goes over a pair of streams in memory. No port is
 * opened. Unlike Fastify's `inject`, which collects what a route writes faster than the client reads, the streams have
 * backpressure: a bundle or a live stream of any length takes constant memory.
 */
export function inProcess(server: Server): InProcess {
  /** The server's ends of the connections. Owned by this closure. */
  const open = new Set<Duplex>();

  const connect = (): Duplex => {
    const [ours, theirs] = duplexPair();
    open.add(theirs);
    ours.once('close', () => theirs.destroy());
    theirs.once('close', () => {
      open.delete(theirs);
      // What the server wrote before it ended is still to be read; what it broke off never ends by itself.
      if (!theirs.writableFinished) ours.destroy(new Error('the service ended the connection'));
    });
    // A broken connection is reported by the request that it belongs to.
    ours.on('error', () => {});
    theirs.on('error', () => {});
    server.emit('connection', theirs);
    return ours;
  };

  return {
    fetch: async (url, { method, headers, body, signal }) => {
      signal?.throwIfAborted();
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const request = httpRequest(url, {
          method: method ?? 'GET',
          headers: headers as Record<string, string>,
          createConnection: connect,
          ...(signal != null && { signal }),
        });
        request.once('response', resolve);
        request.on('error', (error) => reject(signal?.aborted === true ? signal.reason : error));
        request.end(body as string | undefined);
      });
      const { statusCode: status = 500, statusMessage: statusText = '', headers: received } = response;
      const hasBody = status !== 204 && status !== 304;
      if (!hasBody) response.resume();
      return new Response(hasBody ? (Readable.toWeb(response) as ReadableStream<Uint8Array>) : null, {
        status,
        statusText,
        headers: Object.entries(received).flatMap(([name, value]) =>
          [value ?? []].flat().map((each): [string, string] => [name, each]),
        ),
      });
    },
    close: () => {
      for (const connection of open) connection.destroy();
    },
  };
}
