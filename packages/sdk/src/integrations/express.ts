/**
 * Audit events of an Express application.
 *
 * @example
 * const audited = expressAudit({ audit, tenant: (request) => request.user.tenant, actor: (request) => … });
 * app.post('/orders/:id/refund', audited({ eventType: 'order.refunded' }), handler);
 */
import { reportTo } from './report.ts';
import { emitRequest } from './request/emit-request.ts';
import type { RequestAuditOptions, RouteAudit } from './request/route-audit.ts';

export { outcomeOfStatus, type RequestAuditOptions, type RouteAudit } from './request/route-audit.ts';

/** What is used of Express' request. Declared here, so that the types of Express need not be installed. */
export interface ExpressRequest {
  readonly method: string;
  readonly baseUrl: string;
  readonly ip?: string | undefined;
  readonly headers: { readonly [name: string]: string | string[] | undefined };
  readonly route?: { readonly path?: unknown };
}

/** What is used of Express' response. */
export interface ExpressResponse {
  readonly statusCode: number;
  readonly writableFinished: boolean;
  once(event: 'close', listener: () => void): unknown;
}

/** Options of {@link expressAudit}. */
export interface ExpressAuditOptions<Req extends ExpressRequest = ExpressRequest>
  extends RequestAuditOptions<Req> {
  /** The id of a request. @defaultValue the header `x-request-id` */
  readonly requestId?: ((request: Req) => string | undefined) | undefined;
}

/** A middleware of a route. */
export type ExpressMiddleware<Req, Res> = (
  request: Req,
  response: Res,
  next: (error?: unknown) => void,
) => void;

/**
 * Gives the middleware of a route. It emits the route's event when the response has been sent or the client has gone. The address is
 * Express' own `request.ip`: configure `trust proxy` behind a proxy.
 */
export function expressAudit<Req extends ExpressRequest, Res extends ExpressResponse = ExpressResponse>(
  options: ExpressAuditOptions<Req>,
): (route: RouteAudit<Req, Res>) => ExpressMiddleware<Req, Res> {
  return (route) => (request, response, next) => {
    const startedAt = performance.now();
    const call = <T>(read: () => T): T | undefined => {
      try {
        return read();
      } catch (error) {
        reportTo(options.onError, error);
        return undefined;
      }
    };
    // The socket of a client that has gone has no address any more. The application's `trust proxy` may throw.
    const sourceIp = call(() => request.ip);
    // Emitted on close and not on finish: a client that has gone causes close alone.
    response.once('close', () => {
      const path = request.route?.path;
      emitRequest(options, route, request, response, {
        method: request.method,
        route: typeof path === 'string' ? `${request.baseUrl}${path}` : undefined,
        requestId: call(() => options.requestId?.(request)) ?? header(request, 'x-request-id'),
        sourceIp,
        userAgent: header(request, 'user-agent'),
        status: response.writableFinished ? response.statusCode : undefined,
        durationMs: performance.now() - startedAt,
        error: undefined,
      });
    });
    next();
  };
}

function header({ headers }: ExpressRequest, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}
