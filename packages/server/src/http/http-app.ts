import { parseIpRange } from '@tallystick/event';
import Fastify, { type FastifyInstance } from 'fastify';
import { Credentials } from '../access/credentials.ts';
import { KeyWatch } from '../access/key-watch.ts';
import { ConsoleLogin } from '../access/logins/console-login.ts';
import type { LoginOptions } from '../access/logins/login-options.ts';
import { Logins } from '../access/logins/logins.ts';
import type { AuditService } from '../app.ts';
import { ServerError } from '../errors.ts';
import type { Gateway } from '../ingest/submission.ts';
import { ServiceMetrics } from '../metrics/service-metrics.ts';
import { addStoreGauges } from '../metrics/store-gauges.ts';
import { DeadLetters } from '../operations/dead-letters.ts';
import { ReadAudit } from '../operations/read-audit.ts';
import { TrailStats } from '../trail/stats/stats.ts';
import { HeadWatch } from '../trail/tail.ts';
import { Trail } from '../trail/trail.ts';
import { BodyBudget } from './kernel/body-budget.ts';
import { UnauthenticatedConnections } from './kernel/connections.ts';
import { allowOrigins } from './kernel/cross-origin.ts';
import type { Endpoint } from './kernel/endpoint.ts';
import { handleError } from './kernel/error-handler.ts';
import { defaultLimits, type HttpLimits } from './kernel/limits.ts';
import { type LoggerChoice, loggerOptions, safeError } from './kernel/logging.ts';
import { LongRequests } from './kernel/long-requests.ts';
import { assertRoute } from './kernel/methods.ts';
import { HttpProblem } from './kernel/problems.ts';
import { type RateLimitOptions, RateLimits } from './kernel/rate-limits.ts';
import { addRoutes } from './kernel/routing.ts';
import {
  answerClientError,
  defaultTimeouts,
  type ServerTimeouts,
  serverOptions,
} from './kernel/server-options.ts';
import { Streams } from './kernel/streams.ts';
import { apiKeyRoutes } from './routes/api-keys.ts';
import { approvalStreamRoutes } from './routes/approval-stream.ts';
import { approvalRoutes } from './routes/approvals.ts';
import { bundleRoutes } from './routes/bundle.ts';
import { consoleLoginRoutes } from './routes/console-login.ts';
import { consoleSessionRoutes } from './routes/console-session.ts';
import { consoleSiteRoutes } from './routes/console-site.ts';
import { deadLetterRoutes } from './routes/dead-letters.ts';
import { documentRoutes } from './routes/documents.ts';
import { eventRoutes } from './routes/events.ts';
import { exportRoutes } from './routes/export.ts';
import { followerRoutes } from './routes/followers.ts';
import { healthRoutes } from './routes/health.ts';
import { ingestRoutes } from './routes/ingest.ts';
import { logRoutes } from './routes/logs.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { openIntentRoutes } from './routes/open-intents.ts';
import { producerRoutes } from './routes/producers.ts';
import { receiptRoutes } from './routes/receipt.ts';
import { type ConsoleOptions, SiteFiles } from './routes/site-files.ts';
import { statsRoutes } from './routes/stats.ts';
import { streamRoutes } from './routes/stream.ts';
import { subjectRoutes } from './routes/subjects.ts';
import { tenantRoutes } from './routes/tenants.ts';
import { timelineRoutes } from './routes/timeline.ts';
import { topEventRoutes } from './routes/top-events.ts';
import { verifyRoutes } from './routes/verify.ts';
import { viewerTokenRoutes } from './routes/viewer-tokens.ts';
import { webhookRoutes } from './routes/webhooks.ts';

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

/** Every route with the parts of the service that it needs, in the order of the OpenAPI document. */
function endpointsOf(
  service: AuditService,
  http: {
    readonly limits: HttpLimits;
    readonly metrics: ServiceMetrics;
    readonly streams: Streams;
    readonly readAudit: ReadAudit;
    readonly credentials: Credentials;
    readonly consoleLogin: ConsoleLogin | undefined;
    readonly gateway?: Gateway | undefined;
    readonly consoleSite?: ConsoleOptions | undefined;
    readonly tailIntervalMs?: number | undefined;
    readonly maxFollowerLagMs?: number | undefined;
    readonly now?: (() => number) | undefined;
  },
): readonly Endpoint[] {
  const { database, keys, logs, signer } = service;
  const { limits, metrics, streams, readAudit, gateway, now = Date.now } = http;
  const trail = new Trail(database);
  const stats = new TrailStats(database, trail, {}, signer.store.serviceSecret('stats-cursors'));
  const heads = new HeadWatch(database, http.tailIntervalMs ?? 500);
  const keyWatch = new KeyWatch(database, now);
  const deadLetters = new DeadLetters(database);
  const site = new SiteFiles(http.consoleSite);
  const longRequests = new LongRequests(limits.maxLongRequests, limits.maxLongRequestsPerKey);
  const endpoints: Endpoint[] = [
    ...ingestRoutes({ service, gateway, limits }),
    ...eventRoutes({ trail, readAudit, evidence: service }),
    ...topEventRoutes({ trail, readAudit }),
    ...exportRoutes({ trail, readAudit, longRequests, keyWatch, evidence: service, now }),
    ...statsRoutes({ trail, stats, readAudit }),
    ...timelineRoutes({ trail, readAudit }),
    ...streamRoutes({ trail, heads, streams, readAudit, keyWatch, limits }),
    ...verifyRoutes({ service, trail, longRequests, maxRecords: limits.maxVerifyRecords }),
    ...logRoutes({ logs, signer, trail }),
    ...receiptRoutes({ logs, signer, trail, readAudit }),
    ...bundleRoutes({ service, trail, readAudit, longRequests }),
    ...tenantRoutes({ database }),
    ...producerRoutes({ service }),
    ...deadLetterRoutes({ service, deadLetters, now }),
    ...approvalRoutes({ service }),
    ...approvalStreamRoutes({
      desk: service.desk,
      streams,
      keyWatch,
      limits,
      intervalMs: http.tailIntervalMs ?? 500,
    }),
    ...webhookRoutes({ database }),
    ...apiKeyRoutes({ keys }),
    ...viewerTokenRoutes(service),
    ...subjectRoutes(service),
    ...followerRoutes({ operations: service.followerOperations }),
    ...openIntentRoutes({ database, readAudit }),
    ...healthRoutes({
      database,
      credentials: http.credentials,
      stopped: logs.stopped,
      readinessChecks: service.readinessChecks,
      followers: service.followers,
      maxFollowerLagMs: http.maxFollowerLagMs,
    }),
    ...metricsRoutes({ registry: metrics.registry, refreshGauges: addStoreGauges(metrics, service) }),
    ...documentRoutes({
      endpoints: () => endpoints,
      home: http.consoleSite === undefined ? '/docs' : 'console/',
      site,
    }),
    ...consoleSessionRoutes({ service, credentials: http.credentials, login: http.consoleLogin, now }),
    ...consoleLoginRoutes({ service, credentials: http.credentials, login: http.consoleLogin, now }),
    ...consoleSiteRoutes(site),
  ];
  return endpoints;
}

/** Refuses new requests and ends streams once the app or the service begins to close. */
function refuseWhileClosing(app: FastifyInstance, serviceClosing: AbortSignal, streams: Streams): void {
  let closing = false;
  const endStreams = () => streams.close();
  serviceClosing.addEventListener('abort', endStreams);
  app.addHook('onRequest', async () => {
    if (closing || serviceClosing.aborted) {
      throw new HttpProblem('CLOSING', 'the service is shutting down', { headers: { connection: 'close' } });
    }
  });
  app.addHook('onSend', async (_request, reply, payload) => {
    // The server waits for connections that are kept alive until they time out.
    if (closing) reply.header('connection', 'close');
    return payload;
  });
  app.addHook('preClose', async () => {
    closing = true;
    serviceClosing.removeEventListener('abort', endStreams);
    streams.close();
  });
}
