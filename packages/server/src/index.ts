export { type ApiKeyInfo, ApiKeys, type NewApiKey } from './access/api-keys.ts';
export { type Principal, type Scope, scopes } from './access/principal.ts';
export type { Receipt } from './chain/batch.ts';
export { ServerError, type ServerErrorCode } from './errors.ts';
export { createHttpApp, type HttpOptions } from './http/app.ts';
export { defaultHost, defaultPort, type HttpServer, type ServeOptions, serveHttp } from './http/serve.ts';
export type { ServerTimeouts } from './http/server-options.ts';
export type { Gateway, HttpLimits } from './http/services.ts';
export { planRecovery, type Recovery, recoverChain } from './log/recover.ts';
export type { SignedCheckpoint, TenantLogs } from './log/tenant-logs.ts';
export { ServiceMetrics } from './metrics/service-metrics.ts';
export { type BundlePlan, type BundleRequest, planBundle, streamBundle } from './query/bundle.ts';
export type { Position } from './query/cursor.ts';
export { type DeadLetterInfo, type DeadLetterQuery, DeadLetters } from './query/dead-letters.ts';
export type { EventFilters } from './query/filters.ts';
export { type FollowQuery, follow } from './query/follow.ts';
export {
  countDeadLetters,
  type PurgeRequest,
  type PurgeResult,
  purgeLetters,
} from './query/purge-dead-letters.ts';
export { type RetryResult, retryDeadLetter } from './query/retry-dead-letter.ts';
export { HeadWatch } from './query/tail.ts';
export { type TenantInfo, tenantPage } from './query/tenants.ts';
export { type EventPage, type ListQuery, Trail, type TrailHead } from './query/trail.ts';
export type { Verdict, VerifyFinding, VerifyReport } from './query/verdict.ts';
export { type VerifyRequest, verifyRange } from './query/verify-range.ts';
export type { EventView, ViewOptions } from './query/view.ts';
export { AuditService, type AuditServiceOptions } from './service.ts';
export type {
  AcceptedResult,
  DeliveryMetadata,
  Submission,
  SubmissionError,
  SubmissionResult,
} from './submission.ts';
