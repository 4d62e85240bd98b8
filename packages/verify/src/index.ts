export { BundleError } from './bundle/bundle-error.ts';
export { type BundleEntry, type BundleHeader, readBundle } from './bundle/read.ts';
export { type VerifyBundleOptions, verifyBundle } from './bundle/verify-bundle.ts';
export { type ReceiptReport, verifyReceipt } from './receipt.ts';
export type { Finding, FindingCode, Report, TrustSource, Verdict } from './report.ts';
export type { Query } from './store/read-store.ts';
export { type VerifyStoreOptions, verifyStore } from './store/verify-store.ts';
