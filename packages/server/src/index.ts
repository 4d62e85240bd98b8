export {
  type AcceptedResult,
  type ApiKeyInfo,
  type DeadLetterInfo,
  type EventFilters,
  type EventView,
  type Receipt,
  type ReceivedDelivery as DeliveryMetadata,
  type RetryResult,
  type Scope,
  scopes,
  type TenantInfo,
  type Verdict,
  type VerifyFinding,
  type VerifyReport,
} from '@tallystick/protocol';
export { ApiKeys, type NewApiKey } from './access/api-keys.ts';
export type { Principal } from './access/principal.ts';
export { AuditService } from './app.ts';
export { readWebhookOptions, type WebhookOptions } from './approvals/webhook/webhook-options.ts';
export { ServerError, type ServerErrorCode } from './errors.ts';
export { createHttpApp, type HttpOptions } from './http/http-app.ts';
export type { HttpLimits } from './http/kernel/limits/limits.ts';
export type { ServerTimeouts } from './http/kernel/limits/server-options.ts';
export {
  defaultHost,
  defaultPort,
  type HttpServer,
  type ServeOptions,
  serveHttp,
} from './http/serve.ts';
export {
  defaultRules,
  type RedactionRuleSet,
  type RedactionSetting,
  readRules,
} from './ingest/admit/redaction-rules.ts';
export type {
  Gateway,
  Submission,
  SubmissionError,
  SubmissionResult,
} from './ingest/submission.ts';
export { ServiceMetrics } from './metrics/service-metrics.ts';
export { combineObservers, type ServiceObserver } from './observer.ts';
export { type DeadLetterQuery, DeadLetters } from './operations/dead-letters.ts';
export {
  countDeadLetters,
  type PurgeRequest,
  type PurgeResult,
  purgeDeadLetters,
} from './operations/purge-dead-letters.ts';
export { planRecovery, type Recovery, type RecoverySources, recoverChain } from './operations/recover.ts';
export {
  listStrays,
  removeStrays,
  type StraySources,
  type TenantStray,
} from './operations/remove-strays.ts';
export { retryDeadLetter } from './operations/retry-dead-letter.ts';
export { type RotationSources, rotateLogKey } from './operations/rotate-log-key.ts';
export {
  type BundlePlan,
  type BundleRequest,
  type BundleSources,
  planBundle,
  streamBundle,
} from './proofs/bundle.ts';
export type { SignedCheckpoint } from './proofs/checkpointer.ts';
export type { TenantLogs } from './proofs/tenant-logs.ts';
export { type VerifyRequest, type VerifySources, verifyRange } from './proofs/verification/verify-range.ts';
export type { AuditServiceOptions } from './service-options.ts';
export type { Position } from './trail/cursor.ts';
export { type FollowQuery, follow } from './trail/follow.ts';
export { HeadWatch } from './trail/tail.ts';
export { tenantPage } from './trail/tenants.ts';
export { type EventPage, type ListQuery, Trail, type TrailHead } from './trail/trail.ts';
export type { ViewOptions } from './trail/view.ts';
