export {
  type EventFilters,
  type ExportFormatName,
  type ExportPosition,
  exportFormat,
  formatExportPosition,
  parseExportEnd,
  parseExportPosition,
} from '@tallystick/event';
export type { ApiKeyInfo, ApiKeyList, CreatedApiKey, NewApiKey } from './api/api-keys.ts';
export type {
  ApprovalClaimBody,
  ApprovalPage,
  ApprovalRulesEntry,
  ApprovalRulesList,
  ApprovalVerdict,
  ApprovalWithdrawal,
  OperationEnd,
  WebhookDelivery,
  WebhookDeliveryList,
  WebhookRetry,
} from './api/approvals.ts';
export {
  type DeadLetter,
  type DeadLetterInfo,
  type DeadLetterPage,
  type DeadLetterPurge,
  type DeadLetterState,
  type DeadLettersPurged,
  deadLetterStates,
  type NotedResult,
  type RetryResult,
} from './api/dead-letters.ts';
export {
  bookkeepingTypes,
  type EventPage,
  type EventView,
  type EvidenceHead,
  type EvidenceLine,
  exportUntilHeader,
  maxVerifiablePage,
  type PageEvidence,
} from './api/events.ts';
export type { FollowerChange, FollowerInfo, FollowerList, StoppedFollower } from './api/followers.ts';
export type { FollowerReadiness, Health, Readiness } from './api/health.ts';
export type { ConsistencyProof, InclusionProof, LogKeyRotation, LogKeys } from './api/log.ts';
export type { MissingKind, MissingMatter, RecordReference, RecordSample } from './api/missing.ts';
export {
  type OpenIntent,
  type OpenIntentPage,
  type OpenIntentState,
  openIntentStates,
} from './api/open-intents.ts';
export {
  type ProducerAccount,
  type ProducerPage,
  type ProducerSettlement,
  type ProducerState,
  type ProducersSettled,
  producerStates,
} from './api/producers.ts';
export type { Stats, StatsGroup, StatsGrouping } from './api/stats.ts';
export type { BlockedSubject, BlockedSubjectList, SubjectBlock } from './api/subjects.ts';
export type { TenantInfo, TenantPage } from './api/tenants.ts';
export type {
  TimelineEntry,
  TimelineSummaryView,
  TimelineView,
} from './api/timeline.ts';
export type { TopEvent, TopEvents } from './api/top-events.ts';
export type {
  ClosedEpochState,
  Verdict,
  Verification,
  VerificationPage,
  VerifyFinding,
  VerifyReport,
} from './api/verification.ts';
export type {
  CreatedViewerToken,
  NewViewerToken,
  ViewerFilters,
  ViewerTokenInfo,
  ViewerTokenPage,
  ViewerTokenState,
} from './api/viewer-tokens.ts';
export {
  type Approval,
  type ApprovalDecision,
  type ApprovalDocument,
  type ApprovalPrincipal,
  type ApprovalState,
  type ArgumentOpening,
  approvalStates,
} from './approvals/approval.ts';
export type {
  ApprovalClaim,
  ApprovalDesk,
  ApprovalRequest,
  OperationAttempt,
  OperationLedger,
  OperationOutcome,
  OperationState,
} from './approvals/desk.ts';
export { type ApprovalRules, defaultApprovalRules, tightenRules } from './approvals/rules.ts';
export { isPlainName } from './approvals/subjects.ts';
export {
  type ApprovalRefusalCode,
  type ApprovalStep,
  type ApprovalTransition,
  advanceApproval,
  approvalRefusalCodes,
  claimApproval,
  decideApproval,
  nextDeadlineOf,
  type OpenedApproval,
  openApproval,
  type SubmittedClaim,
  type SubmittedDecision,
  withdrawApproval,
} from './approvals/transitions.ts';
export type {
  DeclaredGap,
  DeliveryMetadata,
  FinalSequence,
  GapReason,
  ReceivedDelivery,
} from './delivery.ts';
export { kafkaHeaders, statementKind } from './kafka-headers.ts';
export { chainedApplied, preferChained } from './preference.ts';
export {
  type ChainErrorCode,
  eventProblemCodes,
  type ProblemCode,
  type ProblemDocument,
  type ProblemKind,
  problemCodes,
  problemKindOf,
  problemTypeOf,
  type ServiceErrorCode,
} from './problems.ts';
export { proxyEnvironment } from './proxy-environment.ts';
export type {
  AcceptedResult,
  BatchResult,
  ChainedResult,
  ItemError,
  ItemResult,
  Reason,
  Receipt,
  RefusedResult,
} from './results.ts';
export { apiKeyPrefix, type Scope, scopeMeanings, scopes, viewerTokenPrefix } from './scopes.ts';
export { actionOf, type Effect, effectsOf } from './timeline/effects.ts';
export { forestOf, type TimelineRow } from './timeline/forest.ts';
export { type ModelCall, type ModelTotal, modelCallOf } from './timeline/model-call.ts';
export { decisionOf, type Participation } from './timeline/people.ts';
export {
  readTimeline,
  type Timeline,
  type TimelineSource,
  type TimelineSubject,
} from './timeline/read-timeline.ts';
export { summarize, type TimelineSummary } from './timeline/summary.ts';
export { counted, duration, usd } from './timeline/texts.ts';
export {
  memberIn,
  numberIn,
  type TimelineRecord,
  targetOf,
  textIn,
  textsIn,
  timelineRecord,
} from './timeline/timeline-record.ts';
export { readUnknownCauses, type UnknownCause } from './timeline/unknown-causes.ts';
export { timelineOf, viewOfTimeline } from './timeline/view.ts';
