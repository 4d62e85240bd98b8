/**
 * Audit events of a Fastify application.
 *
 * @example
 * await app.register(fastifyAudit, { audit, tenant: (request) => request.user.tenant, actor: (request) => … });
 * app.post('/orders/:id/refund', { config: { audit: { eventType: 'order.refunded' } } }, handler);
 */
import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import type { AuditEmitter } from '../emitter/emitter.ts';
import { emitRequest } from './request/emit-request.ts';
import type { RequestAuditOptions, RouteAudit } from './request/route-audit.ts';

export { outcomeOfStatus, type RequestAuditOptions, type RouteAudit } from './request/route-audit.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The event that this route emits for each request; absent: none. */
    readonly audit?: RouteAudit<FastifyRequest, FastifyReply> | undefined;
  }
}

/** Options of {@link fastifyAudit}. */
export interface FastifyAuditOptions extends RequestAuditOptions<FastifyRequest> {
  /** An emitter that is closed with the application. @defaultValue none: the application closes its emitter itself */
  readonly closeWithApp?: Pick<AuditEmitter, 'close'> | undefined;
}

/**
 * The plugin. It emits the event that a route declares as `config.audit`, when the response has been sent or the client has gone.
 * Address and request id are Fastify's own `request.ip` and `request.id`: configure `trustProxy` behind a proxy.
 */
export const fastifyAudit: FastifyPluginCallback<FastifyAuditOptions> = Object.assign(
  (app: FastifyInstance, options: FastifyAuditOptions, done: () => void) => {
    /** The error of a request, until its response has been sent. */
    const errors = new WeakMap<FastifyRequest, unknown>();
    const emit = (request: FastifyRequest, reply: FastifyReply, status: number | undefined) => {
      const route = request.routeOptions.config.audit;
      if (route === undefined) return;
      emitRequest(options, route, request, reply, {
        method: request.method,
        route: request.routeOptions.url,
        requestId: request.id,
        sourceIp: request.ip,
        userAgent: request.headers['user-agent'],
        status,
        durationMs: reply.elapsedTime,
        error: errors.get(request),
      });
    };
    app.addHook('onRequest', (request, reply, next) => {
      if (request.routeOptions.config.audit !== undefined) {
        // Fastify does not call onResponse for a client that has gone before the response began.
        reply.raw.once('close', () => {
          if (!reply.raw.writableEnded) emit(request, reply, undefined);
        });
      }
      next();
    });
    app.addHook('onError', (request, _reply, error, next) => {
      if (request.routeOptions.config.audit !== undefined) errors.set(request, error);
      next();
    });
    app.addHook('onResponse', (request, reply, next) => {
      emit(request, reply, reply.statusCode);
      next();
    });
    const { closeWithApp } = options;
    if (closeWithApp !== undefined) app.addHook('onClose', async () => void (await closeWithApp.close()));
    done();
  },
  // Without encapsulation, as with the package fastify-plugin: the hooks apply to the routes of the whole application.
  { [Symbol.for('skip-override')]: true, [Symbol.for('fastify.display-name')]: '@tallystick/sdk' },
);
