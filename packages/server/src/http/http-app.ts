import { parseIpRange } from '@tallystick/event';
import Fastify, { type FastifyInstance } from 'fastify';
import { Credentials } from '../access/credentials.ts';
import { ConsoleLogin } from '../access/logins/console-login.ts';
import type { LoginOptions } from '../access/logins/login-options.ts';
import { Logins } from '../access/logins/logins.ts';
import type { AuditService } from '../app.ts';
import { ServerError } from '../errors.ts';
import type { Gateway } from '../ingest/submission.ts';
import { ServiceMetrics } from '../metrics/service-metrics.ts';
import { ReadAudit } from '../operations/read-audit.ts';
import { endpointsOf } from './endpoints.ts';
import { allowOrigins } from './kernel/access/cross-origin.ts';
import { handleError } from './kernel/error-handler.ts';
import { BodyBudget } from './kernel/limits/body-budget.ts';
import { UnauthenticatedConnections } from './kernel/limits/connections.ts';
import { defaultLimits, type HttpLimits } from './kernel/limits/limits.ts';
import { type RateLimitOptions, RateLimits } from './kernel/limits/rate-limits.ts';
import {
  answerClientError,
  defaultTimeouts,
  type ServerTimeouts,
  serverOptions,
} from './kernel/limits/server-options.ts';
import { type LoggerChoice, loggerOptions, safeError } from './kernel/logging.ts';
import { HttpProblem } from './kernel/problems.ts';
import { assertRoute } from './kernel/requests/methods.ts';
import { addRoutes } from './kernel/routing.ts';
import { refuseWhileClosing } from './kernel/streams/closing.ts';
import { Streams } from './kernel/streams/streams.ts';
import type { ConsoleOptions } from './routes/console/site-files.ts';

/** How the HTTP API behaves. */
export interface HttpOptions {
  /** Options of pino, a logger, or false for no log. @defaultValue level `info` to stdout */
  readonly logger?: LoggerChoice | undefined;
  readonly limits?: Partial<HttpLimits> | undefined;
  /** How many requests clients may make. @defaultValue no limits */
  readonly rates?: RateLimitOptions | undefined;
  /** Origins whose scripts may call the API with an API key or a token, such as `https://app.example.com`. @defaultValue none */
  readonly corsOrigins?: readonly string[] | undefined;
  /**
   * Addresses and ranges of proxies whose header `X-Forwarded-For` is used. @defaultValue none: the address of a client is that of its
   * connection
   */
  readonly trustedProxies?: readonly string[] | undefined;
  readonly timeouts?: Partial<ServerTimeouts> | undefined;
  /** Whether reads and exports are chained as `audit.read` and `audit.exported`. @defaultValue true */
  readonly auditReads?: boolean | undefined;
  /** How often the service looks for new records of the chains that streams follow, ms. @defaultValue 500 */
  readonly tailIntervalMs?: number | undefined;
  /**
   * The metrics whose hooks the service was opened with. Without them, `/metrics` does not count what the service stores.
   * @defaultValue new metrics
   */
  readonly metrics?: ServiceMetrics | undefined;
  /** Queues submitted events; the API then answers 202. @defaultValue none: events are chained and answered with receipts */
  readonly gateway?: Gateway | undefined;
  /** Accepts tokens of an OpenID provider beside API keys. @defaultValue none: only API keys are accepted */
  readonly logins?: LoginOptions | undefined;
  /** Serves the console. @defaultValue none: its address says how to add it */
  readonly consoleSite?: ConsoleOptions | undefined;
  /** A follower that is further behind makes `/ready` answer `degraded`, ms. @defaultValue none: its lag is only shown */
  readonly maxFollowerLagMs?: number | undefined;
  readonly now?: (() => number) | undefined;
}

/**
 * The HTTP API of a service, ready to listen. The app does not own the service. Close the app first: that ends streams and
 * waits for requests. Then close the service.
 */
export function createHttpApp(service: AuditService, options: HttpOptions = {}): FastifyInstance {
  const app = Fastify({
    ...serverOptions(options.timeouts),
    trustProxy: readProxies(options.trustedProxies),
    ...loggerOptions(options.logger),
    clientErrorHandler: answerClientError,
    // Errors of the router, such as a path that is not UTF-8, do not reach the error handler below.
    frameworkErrors: handleError,
  }) as unknown as FastifyInstance;
  const { maxConnections, maxUnauthenticated } = { ...defaultTimeouts, ...options.timeouts };
  app.server.maxConnections = maxConnections;
  const connections = new UnauthenticatedConnections(maxUnauthenticated);
  connections.watch(app.server);
  const limits = { ...defaultLimits, ...options.limits };
  const metrics = options.metrics ?? new ServiceMetrics();
  const streams = new Streams(limits.maxStreams, limits.maxStreamsPerKey);
  const readAudit = new ReadAudit(service.database, service.writer, {
    enabled: options.auditReads,
    ...(options.now !== undefined && { now: options.now }),
    onFailure: (error) => {
      metrics.countReadAuditFailure();
      app.log.warn({ err: safeError(error) }, 'a read of the trail could not be chained');
    },
  });
  const { logins, now } = options;
  const credentials = new Credentials(
    service,
    logins === undefined ? undefined : new Logins(logins, now === undefined ? {} : { now }),
  );
  const consoleLogin = consoleLoginOf(service, logins, now ?? Date.now);
  const endpoints = endpointsOf(service, {
    ...options,
    limits,
    metrics,
    streams,
    readAudit,
    credentials,
    consoleLogin,
  });

  // First, so that scripts of an allowed origin can read every error.
  allowOrigins(app, options.corsOrigins ?? [], () => endpoints);
  refuseWhileClosing(app, service.closing, streams);
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unmatched';
    metrics.observeRequest(request.method, route, reply.statusCode, reply.elapsedTime / 1_000);
  });
  app.setErrorHandler((error, request, reply) => handleError(error, request, reply));
  app.addHook('onRequest', async ({ method, url }) => assertRoute(endpoints, method, url));
  app.setNotFoundHandler((request, reply) => {
    return handleError(new HttpProblem('ROUTE_NOT_FOUND', 'there is no such route'), request, reply);
  });
  addRoutes(
    app,
    {
      credentials,
      budget: new BodyBudget(limits.maxPendingBytes),
      answers: new BodyBudget(limits.maxUnreadBytes, 'answers'),
      connections,
      rates: new RateLimits(options.rates ?? {}, now ?? Date.now),
    },
    endpoints,
  );
  return app;
}

function consoleLoginOf(
  { signer }: AuditService,
  logins: LoginOptions | undefined,
  now: () => number,
): ConsoleLogin | undefined {
  if (logins?.console === undefined) return undefined;
  const { console } = logins;
  return new ConsoleLogin({ ...logins, console }, signer.store.serviceSecret('console-logins'), now);
}

/** @throws {ServerError} `CONFIG_INVALID` */
function readProxies(given: readonly string[] = []): string[] | false {
  const invalid = given.find((text) => parseIpRange(text) === undefined);
  if (invalid !== undefined)
    throw new ServerError(
      'CONFIG_INVALID',
      `a trusted proxy must be an address or a range such as 10.0.0.0/8, not ${JSON.stringify(invalid)}`,
    );
  return given.length > 0 && [...given];
}
