/**
 * Audit events of a Fastify application.
 *
 * @example
 * await app.register(fastifyAudit, { audit, tenant: (request) => request.user.tenant, actor: (request) => … });
 * app.post('/orders/:id/refund', { config: { audit: { eventType: 'order.refunded' } } }, handler);
 */
import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import type { AuditEmitter } from '../emitter/emitter.ts';
import { reportTo } from './report.ts';
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
    const emitted = new WeakSet<FastifyRequest>();
    const addresses = new WeakMap<FastifyRequest, string | undefined>();
    /** The error of a request, until its response has been sent. */
    const errors = new WeakMap<FastifyRequest, unknown>();
    const emit = (request: FastifyRequest, reply: FastifyReply, status: number | undefined) => {
      const route = request.routeOptions.config.audit;
      if (route === undefined || emitted.has(request)) return;
      emitted.add(request);
      emitRequest(options, route, request, reply, {
        method: request.method,
        route: request.routeOptions.url,
        requestId: request.id,
        // A hook that answers before those of this plugin, such as one that refuses a login, skips onRequest.
        sourceIp: addresses.has(request) ? addresses.get(request) : addressOf(request),
        userAgent: request.headers['user-agent'],
        status,
        durationMs: reply.elapsedTime,
        error: errors.get(request),
      });
    };
    /** The socket of a client that has gone has no address any more, so it is read at once. */
    const addressOf = (request: FastifyRequest) => {
      try {
        return request.ip;
      } catch (error) {
        // The application's `trustProxy` threw.
        reportTo(options.onError, error);
        return undefined;
      }
    };
    app.addHook('onRequest', (request, reply, next) => {
      if (request.routeOptions.config.audit !== undefined) {
        addresses.set(request, addressOf(request));
        // Fastify does not call onResponse for a client that has gone before the response was sent.
        reply.raw.once('close', () =>
          emit(request, reply, reply.raw.writableFinished ? reply.statusCode : undefined),
        );
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
