import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Principal } from '../access/principal.ts';
import { ServiceMetrics } from '../metrics/service-metrics.ts';
import { addStoreGauges } from '../metrics/store-gauges.ts';
import { DeadLetters } from '../query/dead-letters.ts';
import { ReadAudit } from '../query/read-audit.ts';
import { HeadWatch } from '../query/tail.ts';
import { Trail } from '../query/trail.ts';
import type { AuditService } from '../service.ts';
import { authenticate } from './authenticate.ts';
import { readBody } from './body.ts';
import { documentPage } from './document-page.ts';
import type { Answer, Endpoint } from './endpoint.ts';
import { type LoggerChoice, loggerOptions, safeError } from './logging.ts';
import { openApiDocument } from './openapi.ts';
import { HttpProblem, toProblem } from './problem.ts';
import { endpoints } from './routes/index.ts';
import { answerClientError, defaultTimeouts, type ServerTimeouts, serverOptions } from './server-options.ts';
import { defaultLimits, type HttpLimits, type Services } from './services.ts';
import { Streams } from './streams.ts';
import { readJson, validate } from './validate.ts';

/** JSON bodies of routes other than ingest. */
const maxJsonBytes = 64 * 1024;

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

function addRoute(app: FastifyInstance, services: Services, each: Endpoint): void {
  const principals = new WeakMap<FastifyRequest, Principal>();
  const url = each.path.replaceAll(/\{(\w+)\}/g, (whole, name) =>
    each.wildcard === true && each.path.endsWith(whole) ? '*' : `:${name}`,
  );
  const name = each.wildcard === true ? /\{(\w+)\}$/.exec(each.path)![1]! : undefined;
  app.route({
    method: each.method,
    url,
    onRequest: async (request) => {
      const principal = await authenticate(services.service, request, each.access);
      if (principal !== undefined) principals.set(request, principal);
    },
    handler: async (request, reply) => {
      const given = { ...(request.params as Record<string, string>) };
      if (name !== undefined) {
        given[name] = given['*']!;
        delete given['*'];
      }
      const params = each.params === undefined ? {} : validate(each.params, given, 'PARAMETER_INVALID');
      const query = { ...(request.query as object) };
      const answer = await each.handle({
        services,
        principal: principals.get(request)!,
        params,
        query: each.query === undefined ? {} : validate(each.query, query, 'PARAMETER_INVALID'),
        body: await bodyOf(each, request),
        request,
        reply,
      });
      return answer === undefined ? reply : send(reply, answer);
    },
  });
}

async function bodyOf({ body }: Endpoint, request: FastifyRequest): Promise<unknown> {
  if (body === undefined) return undefined;
  if ('schema' in body) {
    const bytes = await readBody(request.raw, { types: ['application/json'], maxBytes: maxJsonBytes });
    return readJson(bytes, body.schema);
  }
  return await readBody(request.raw, { types: Object.keys(body.content), maxBytes: body.maxBytes });
}

function send(reply: FastifyReply, answer: Answer): FastifyReply {
  reply.code(answer.status);
  // Whose trail it is depends on the key: nothing of it is for a cache on the way.
  reply.header('cache-control', 'no-store').headers(answer.headers ?? {});
  if (answer.stream !== undefined) return reply.type(answer.type!).send(answer.stream);
  if (answer.body === undefined) return reply.send();
  if (answer.type !== undefined) return reply.type(answer.type).send(answer.body);
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(answer.body));
}

function answerProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = toProblem(fromFastify(error));
  if (problem.status >= 500) {
    const level = problem.code === 'INTERNAL_ERROR' ? 'error' : 'warn';
    request.log[level]({ err: safeError(problem.cause ?? problem), code: problem.code }, 'request failed');
  }
  return (
    reply
      .code(problem.status)
      .headers({ 'cache-control': 'no-store', ...problem.headers })
      .type('application/problem+json')
      // Bytes: to a text the framework would add a charset, which the media type does not have.
      .send(Buffer.from(JSON.stringify(problem)))
  );
}

/** The framework's own complaints of what a client sent. */
function fromFastify(error: unknown): unknown {
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  const own = typeof code === 'string' && code.startsWith('FST_') && typeof statusCode === 'number';
  if (!own || statusCode >= 500) return error;
  return new HttpProblem('REQUEST_MALFORMED', 'the request is malformed');
}

function answerUnmatched(
  all: readonly Endpoint[],
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const path = request.url.split('?', 1)[0]!;
  const methods = all.filter((each) => matches(each, path)).map((each) => each.method);
  if (methods.length === 0)
    return answerProblem(new HttpProblem('ROUTE_NOT_FOUND', 'no such route'), request, reply);
  const allow = [...new Set(methods)].join(', ');
  const problem = new HttpProblem('METHOD_NOT_ALLOWED', `the route takes ${allow}`, { headers: { allow } });
  return answerProblem(problem, request, reply);
}

function matches(each: Endpoint, path: string): boolean {
  const parts = each.path.split('/');
  const given = path.split('/');
  if (each.wildcard === true ? given.length < parts.length : given.length !== parts.length) return false;
  return parts.every((part, at) => (part.startsWith('{') ? given[at] !== '' : part === given[at]));
}
