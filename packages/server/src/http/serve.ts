import type { FastifyInstance } from 'fastify';
import type { AuditService } from '../app.ts';
import { createHttpApp, type HttpOptions } from './http-app.ts';

/** Where the server listens, and how the API behaves. */
export interface ServeOptions extends HttpOptions {
  /** Address to listen on. @defaultValue '127.0.0.1', which other machines can't reach */
  readonly host?: string | undefined;
  /** 0 for any free port. @defaultValue 8040 */
  readonly port?: number | undefined;
  /** How long `close()` waits for requests in progress before it ends their connections, ms. @defaultValue 10000 */
  readonly drainMs?: number | undefined;
}

/** The default address: only this machine can reach it. */
export const defaultHost = '127.0.0.1';
/** The default port. */
export const defaultPort = 8040;

/** A server that is listening. */
export interface HttpServer {
  readonly app: FastifyInstance;
  /** Without a slash at the end. */
  readonly url: string;
  /** Accepts no more requests, ends streams and waits for requests in progress. Safe to call twice. */
  close(): Promise<void>;
}

/** Starts to listen. The caller still owns the service and closes it after the server. */
export async function serveHttp(service: AuditService, options: ServeOptions = {}): Promise<HttpServer> {
  const { host = defaultHost, port = defaultPort, drainMs = 10_000, ...rest } = options;
  const app = createHttpApp(service, rest);
  const url = await app.listen({ host, port });
  let closing: Promise<void> | undefined;
  const close = async () => {
    const force = setTimeout(() => app.server.closeAllConnections(), drainMs);
    try {
      await app.close();
    } finally {
      clearTimeout(force);
    }
  };
  return {
    app,
    url,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}
