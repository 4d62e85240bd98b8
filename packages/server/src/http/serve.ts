import type { FastifyInstance } from 'fastify';
import type { AuditService } from '../../app.ts';
import { createHttpApp, type HttpOptions } from './app.ts';

/** Where to listen, beside how the API behaves. */
export interface ServeOptions extends HttpOptions {
  /** Loopback unless somebody decides otherwise. @defaultValue '127.0.0.1' */
  readonly host?: string | undefined;
  /** 0 for any free one. @defaultValue 8040 */
  readonly port?: number | undefined;
  /** How long requests under way may take when the server closes, ms. @defaultValue 10000 */
  readonly drainMs?: number | undefined;
}

/** Where the service listens unless told otherwise: this machine alone. */
export const defaultHost = '127.0.0.1';
/** The service's port unless told otherwise. */
export const defaultPort = 8040;

/** An API that listens. */
export interface HttpServer {
  readonly app: FastifyInstance;
  /** Without a slash at its end. */
  readonly url: string;
  /** Takes nothing more, ends streams, waits for the requests under way. Safe to call twice. */
  close(): Promise<void>;
}

/** Starts to listen; the service stays the caller's to close. */
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
