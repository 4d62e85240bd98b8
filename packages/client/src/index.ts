export type { EventFilters } from '@tallystick/protocol';
export { type Client, type ClientOptions, createClient, type VerifyQuery } from './client.ts';
export type { Credential } from './credential.ts';
export { ClientError, type ClientErrorCode } from './errors.ts';
export { findMissing, type Missing, type MissingQuery } from './missing/find-missing.ts';
export { type Found, type IncompleteAccounts, incompleteAccounts } from './missing/incomplete-accounts.ts';
export type { ApiKeysResource } from './resources/api-keys.ts';
export type { ApprovalQuery, ApprovalsResource } from './resources/approvals.ts';
export type { DeadLetterQuery, DeadLettersResource } from './resources/dead-letters.ts';
export type { ExportPart, ExportQuery } from './resources/event-export.ts';
export type {
  EventPageQuery,
  EventQuery,
  EventsResource,
  FollowedEvent,
  FollowQuery,
} from './resources/events.ts';
export type { EvidencePart, EvidenceQuery } from './resources/evidence-export.ts';
export type { FollowersResource } from './resources/followers.ts';
export type { HealthResource } from './resources/health.ts';
export type { BundleQuery, LogsResource } from './resources/logs.ts';
export type { OpenIntentQuery, OpenIntentsResource } from './resources/open-intents.ts';
export type { ProducerQuery, ProducersResource } from './resources/producers.ts';
export type { StatsQuery, StatsResource } from './resources/stats.ts';
export type { SubjectsResource } from './resources/subjects.ts';
export type { PageQuery, TenantQuery, TenantsResource } from './resources/tenants.ts';
export type { TimelineQuery, TimelinesResource } from './resources/timelines.ts';
export type { TopQuery } from './resources/top-events.ts';
export type { VerificationQuery, VerificationsResource } from './resources/verifications.ts';
export type { ViewerTokensResource } from './resources/viewer-tokens.ts';
export type { RetryOptions } from './retry.ts';
export type { CallOptions, Fetch } from './sender.ts';
