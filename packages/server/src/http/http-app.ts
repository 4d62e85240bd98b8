import Fastify, { type FastifyInstance } from 'fastify';
import type { AuditService } from '../../app.ts';
import { ServiceMetrics } from '../../metrics/service-metrics.ts';
import { addStoreGauges } from '../../metrics/store-gauges.ts';
import { DeadLetters } from '../../operations/dead-letters.ts';
import { ReadAudit } from '../../operations/read-audit.ts';
import { HeadWatch } from '../../trail/tail.ts';
import { Trail } from '../../trail/trail.ts';
import { documentPage } from '../openapi/document-page.ts';
import { openApiDocument } from '../openapi/openapi.ts';
import { endpoints } from '../routes/index.ts';
import { answerProblem, answerUnmatched } from './error-handler.ts';
import { type LoggerChoice, loggerOptions, safeError } from './logging.ts';
import { HttpProblem } from './problem.ts';
import { addRoute } from './route.ts';
import { answerClientError, defaultTimeouts, type ServerTimeouts, serverOptions } from './server-options.ts';
import { defaultLimits, type Gateway, type HttpLimits, type Services } from './services.ts';
import { Streams } from './streams.ts';

/** How the HTTP API behaves. */
export interface HttpOptions {
  /** pino options, a logger, or false. @defaultValue level `info` to stdout */
  readonly logger?: LoggerChoice | undefined;
  readonly limits?: Partial<HttpLimits> | undefined;
  readonly timeouts?: Partial<ServerTimeouts> | undefined;
  /** Whether reads and exports are chained as `audit.read` and `audit.exported`. @defaultValue true */
  readonly auditReads?: boolean | undefined;
  /** How often followed chains are looked at, ms. @defaultValue 500 */
  readonly tailIntervalMs?: number | undefined;
  /**
   * Those whose hooks the service was opened with; without them, what the service stores is not counted.
   * @defaultValue fresh ones
   */
  readonly metrics?: ServiceMetrics | undefined;
  /** Hands submitted events to a queue, and answers 202. @defaultValue none: they are chained, and answered with receipts */
  readonly gateway?: Gateway | undefined;
  readonly now?: (() => number) | undefined;
}

/**
 * The service on the wire. The app does not own the service: close the app first, which ends streams and waits for
 * requests, then the service.
 */
export function createHttpApp(service: AuditService, options: HttpOptions = {}): FastifyInstance {
  const app = Fastify({
    ...serverOptions(options.timeouts),
    ...loggerOptions(options.logger),
    clientErrorHandler: answerClientError,
    // What the router itself refuses, such as a path that is no UTF-8, comes past the error handler.
    frameworkErrors: answerProblem,
  }) as unknown as FastifyInstance;
  const limits = { ...defaultLimits, ...options.limits };
  const metrics = options.metrics ?? new ServiceMetrics();
  const all = endpoints(limits);
  const document = openApiDocument(all);
  const services: Services = {
    service,
    gateway: options.gateway,
    trail: new Trail(service.database),
    heads: new HeadWatch(service.database, options.tailIntervalMs ?? 500),
    deadLetters: new DeadLetters(service.database),
    readAudit: new ReadAudit(service.writer, {
      enabled: options.auditReads,
      ...(options.now !== undefined && { now: options.now }),
      onFailure: (error) => {
        metrics.countReadAuditFailure();
        app.log.warn({ err: safeError(error) }, 'a read of the trail could not be chained');
      },
    }),
    metrics,
    streams: new Streams(limits.maxStreams),
    now: options.now ?? Date.now,
    refreshGauges: addStoreGauges(metrics, service),
    limits,
    documents: { openapi: JSON.stringify(document), page: documentPage(document) },
  };

  // Bodies are read by the routes, after authentication and as bytes: no parser may touch them before.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));
  app.server.maxConnections = { ...defaultTimeouts, ...options.timeouts }.maxConnections;
  let closing = false;
  const onServiceClosing = () => services.streams.close();
  service.closing.addEventListener('abort', onServiceClosing);
  app.addHook('onRequest', async () => {
    if (closing || service.closing.aborted)
      throw new HttpProblem('CLOSING', 'the service is shutting down', { headers: { connection: 'close' } });
  });
  app.addHook('onSend', async (_request, reply, payload) => {
    // A connection that was kept would hold the close up until it idles out.
    if (closing) reply.header('connection', 'close');
    return payload;
  });
  app.addHook('preClose', async () => {
    closing = true;
    service.closing.removeEventListener('abort', onServiceClosing);
    services.streams.close();
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unmatched';
    metrics.observeRequest(request.method, route, reply.statusCode, reply.elapsedTime / 1_000);
  });
  app.setErrorHandler((error, request, reply) => answerProblem(error, request, reply));
  app.setNotFoundHandler((request, reply) => answerUnmatched(all, request, reply));
  for (const each of all) addRoute(app, services, each);
  return app;
}
