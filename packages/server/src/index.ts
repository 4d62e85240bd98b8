export { type ApiKeyInfo, ApiKeys, type NewApiKey } from './access/api-keys.ts';
export { type Principal, type Scope, scopes } from './access/principal.ts';
export type { Receipt } from './chain/batch.ts';
export { ServerError, type ServerErrorCode } from './errors.ts';
export type { SignedCheckpoint, TenantLogs } from './log/tenant-logs.ts';
export { AuditService, type AuditServiceOptions } from './service.ts';
export type { DeliveryMetadata, Submission, SubmissionError, SubmissionResult } from './submission.ts';
