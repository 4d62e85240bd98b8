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

const auditState = Symbol('tallystick.audit');

/** What is known of a request until its response has been sent. */
interface AuditState {
  readonly route: RouteAudit<FastifyRequest, FastifyReply> | undefined;
  readonly url: string | undefined;
  error: unknown;
}

type Audited = FastifyRequest & { [auditState]?: AuditState };

/**
 * Fastify makes a new object each time `routeOptions` is read, so it is read once for each request. A hook that the application added
 * before this plugin may have answered the request, so any hook of this plugin may be the first one.
 */
function stateOf(request: Audited): AuditState {
  let state = request[auditState];
  if (state === undefined) {
    const { config, url } = request.routeOptions;
    state = { route: config.audit, url, error: undefined };
    request[auditState] = state;
  }
  return state;
}

/**
 * The plugin. It emits the event that a route declares as `config.audit`, when the response has been sent or the client has gone.
 * Address and request id are Fastify's own `request.ip` and `request.id`: configure `trustProxy` behind a proxy.
 */
export const fastifyAudit: FastifyPluginCallback<FastifyAuditOptions> = Object.assign(
  (app: FastifyInstance, options: FastifyAuditOptions, done: () => void) => {
    if (!app.hasRequestDecorator(auditState)) app.decorateRequest(auditState);
    const emit = (request: Audited, reply: FastifyReply, status: number | undefined) => {
      const { route, url, error } = stateOf(request);
      if (route === undefined) return;
      emitRequest(options, route, request, reply, {
        method: request.method,
        route: url,
        requestId: request.id,
        sourceIp: request.ip,
        userAgent: request.headers['user-agent'],
        status,
        durationMs: reply.elapsedTime,
        error,
      });
    };
    app.addHook('onRequest', (request: Audited, reply, next) => {
      if (stateOf(request).route !== undefined) {
        // Fastify does not call onResponse for a client that has gone before the response began.
        reply.raw.once('close', () => {
          if (!reply.raw.writableEnded) emit(request, reply, undefined);
        });
      }
      next();
    });
    app.addHook('onError', (request: Audited, _reply, error, next) => {
      stateOf(request).error = error;
      next();
    });
    app.addHook('onResponse', (request: Audited, reply, next) => {
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
