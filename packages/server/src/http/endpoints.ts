import type { Credentials } from '../access/credentials.ts';
import { KeyWatch } from '../access/key-watch.ts';
import type { ConsoleLogin } from '../access/logins/console-login.ts';
import type { AuditService } from '../app.ts';
import type { Gateway } from '../ingest/submission.ts';
import type { ServiceMetrics } from '../metrics/service-metrics.ts';
import { addStoreGauges } from '../metrics/store-gauges.ts';
import { DeadLetters } from '../operations/dead-letters.ts';
import type { ReadAudit } from '../operations/read-audit.ts';
import { TrailStats } from '../trail/stats/stats.ts';
import { HeadWatch } from '../trail/tail.ts';
import { Trail } from '../trail/trail.ts';
import type { Endpoint } from './kernel/endpoint.ts';
import type { HttpLimits } from './kernel/limits/limits.ts';
import { LongRequests } from './kernel/limits/long-requests.ts';
import type { Streams } from './kernel/streams/streams.ts';
import { apiKeyRoutes } from './routes/access/api-keys.ts';
import { subjectRoutes } from './routes/access/subjects.ts';
import { viewerTokenRoutes } from './routes/access/viewer-tokens.ts';
import { approvalRulesRoutes } from './routes/approvals/approval-rules.ts';
import { approvalStreamRoutes } from './routes/approvals/approval-stream.ts';
import { approvalRoutes } from './routes/approvals/approvals.ts';
import { operationRoutes } from './routes/approvals/operations.ts';
import { webhookRoutes } from './routes/approvals/webhooks.ts';
import { consoleLoginRoutes } from './routes/console/console-login.ts';
import { consoleSessionRoutes } from './routes/console/console-session.ts';
import { consoleSiteRoutes } from './routes/console/console-site.ts';
import { type ConsoleOptions, SiteFiles } from './routes/console/site-files.ts';
import { eventRoutes } from './routes/finding/events.ts';
import { exportRoutes } from './routes/finding/export.ts';
import { statsRoutes } from './routes/finding/stats.ts';
import { streamRoutes } from './routes/finding/stream.ts';
import { timelineRoutes } from './routes/finding/timeline.ts';
import { topEventRoutes } from './routes/finding/top-events.ts';
import { ingestRoutes } from './routes/ingest.ts';
import { deadLetterRoutes } from './routes/operations/dead-letters.ts';
import { followerRoutes } from './routes/operations/followers.ts';
import { openIntentRoutes } from './routes/operations/open-intents.ts';
import { producerRoutes } from './routes/operations/producers.ts';
import { tenantRoutes } from './routes/operations/tenants.ts';
import { bundleRoutes } from './routes/proofs/bundle.ts';
import { logRoutes } from './routes/proofs/logs.ts';
import { receiptRoutes } from './routes/proofs/receipt.ts';
import { verifyRoutes } from './routes/proofs/verify.ts';
import { documentRoutes } from './routes/service/documents.ts';
import { healthRoutes } from './routes/service/health.ts';
import { metricsRoutes } from './routes/service/metrics.ts';

/** What the routes need beside the service. */
export interface HttpParts {
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
}

/** Every route with the parts of the service that it needs, in the order of the OpenAPI document. */
export function endpointsOf(service: AuditService, http: HttpParts): readonly Endpoint[] {
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
    ...approvalRulesRoutes({ service }),
    ...operationRoutes({ service }),
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
