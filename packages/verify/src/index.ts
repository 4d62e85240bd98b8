export { BundleError } from './bundle/bundle-error.ts';
export type { BundleEntry, BundleHeader } from './bundle/entries.ts';
export { type GzipDamage, gunzipMembers } from './bundle/gzip-members.ts';
export { gunzipIfNeeded } from './bundle/lines.ts';
export { readBundle } from './bundle/read.ts';
export { type VerifyBundleOptions, verifyBundle } from './bundle/verify-bundle.ts';
export { judgeCheckpoint } from './checkpoints.ts';
export { ClosedEpochs } from './closed/closed-epochs.ts';
export { type OnTile, TileRoots } from './closed/tile-roots.ts';
export { type CheckpointRelation, compareCheckpoints } from './compare-checkpoints.ts';
export { checkLog, type LogCheck, type LogEvidence, type LogState } from './reader/check-log.ts';
export {
  checkRecord,
  type RecordCheckCode,
  type RecordCheckResult,
  type RecordEvidence,
  type RecordStep,
  type RecordStepResult,
} from './reader/check-record.ts';
export {
  type ForkReport,
  forkReportBegin,
  formatForkReport,
  maxForkReportBytes,
  type ReadForkReport,
  readForkReport,
} from './reader/fork-report.ts';
export {
  type ReceiptParts,
  type ReceiptReport,
  readReceipt,
  type VerifyReceiptOptions,
  verifyReceipt,
} from './receipt.ts';
export {
  type ChainVerdict,
  type ClosedEpochReport,
  type Finding,
  type FindingCode,
  type FindingSink,
  type FollowedRotation,
  isTrusted,
  type Report,
  type SelectionVerdict,
  type SequenceRange,
  type TrustSource,
  type Verdict,
  verdictOf,
} from './report.ts';
export { EvidenceError } from './selection/evidence-error.ts';
export {
  type EvidenceFileName,
  type EvidenceManifest,
  evidenceFileNames,
  formatManifest,
  readManifest,
} from './selection/evidence-manifest.ts';
export { type RecordLine, readRecordLine } from './selection/record-lines.ts';
export { type SelectedRecord, SelectionCheck } from './selection/selection-check.ts';
export type { SelectionOptions } from './selection/selection-checkpoint.ts';
export type { SelectionReport } from './selection/selection-report.ts';
export { type ShownRecord, shownRecord } from './selection/shown-record.ts';
export { type EvidenceSource, verifyEvidence } from './selection/verify-evidence.ts';
export { type PageEvidence, type ShownEvent, verifyPage } from './selection/verify-page.ts';
export {
  type ApprovalRulesOptions,
  checkApprovalRules,
} from './store/approval-rules/check-approval-rules.ts';
export { type ApprovalsOptions, checkApprovals } from './store/approvals/check-approvals.ts';
export { type BooksOptions, checkBooks } from './store/books/check-books.ts';
export {
  type AccountState,
  entryOfAccount,
  readAccounts,
  readUnrecordedAccounts,
} from './store/books/read-accounts.ts';
export {
  type KeyState,
  type LetterState,
  type RowsOf,
  readKeys,
  readLetters,
} from './store/books/read-books.ts';
export { checkTables, type RowsNotOnRecord, type TablesOptions } from './store/check-tables.ts';
export { checkClosedEpochs } from './store/closed-store-check.ts';
export type { ColumnMismatch, StoredRow } from './store/columns.ts';
export { checkHead } from './store/head-check.ts';
export {
  checkHourlyCounts,
  type HourlyCountsOptions,
} from './store/hourly-counts/check-hourly-counts.ts';
export { checkOperations, type OperationsOptions } from './store/operations/check-operations.ts';
export { type Query, readStoredHead, type StoredHead, storedTime, type TilesOf } from './store/read-store.ts';
export { RecordsCheck, type RecordsCheckOptions } from './store/records-check.ts';
export {
  type ChainRange,
  findStrays,
  readListedEpochs,
  type Stray,
  strayEpochs,
  strayFinding,
  strayText,
} from './store/strays.ts';
export { checkSubjects } from './store/subjects/check-subjects.ts';
export { checkTermIndexes, type TermIndexOptions } from './store/term-index/check-term-indexes.ts';
export { TileCheck } from './store/tile-check.ts';
export { type VerifyStoreOptions, verifyStore } from './store/verify-store.ts';
export { type ConsistencyProver, TreeCheck } from './tree-check.ts';
export { TrustedKeys, trustedKeys } from './trusted-keys.ts';
