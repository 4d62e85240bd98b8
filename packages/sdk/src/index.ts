export {
  type AuditEvent,
  AuditValidationError,
  core,
  defineTaxonomy,
  EventCategory,
  EventTaxonomy,
  shape,
  soc,
  type Taxonomy,
} from '@tallystick/event';
export { type Clock, systemClock } from './clock.ts';
export type { DeliveryReport } from './delivery/report.ts';
export type { Builder } from './emitter/builder.ts';
export type {
  DeadLetterListOptions,
  EmitAgainReport,
  SpoolDeadLetters,
  SpooledDeadLetter,
} from './emitter/dead-letters.ts';
export { audit, emitAuditEvent, getAuditEmitter, setAuditEmitter } from './emitter/default.ts';
export { AuditEmitter, createAuditEmitter } from './emitter/emitter.ts';
export { type AuditEmitterConfig, emitterDefaults } from './emitter/options.ts';
export type { AuditEventResult, AuditReceipt, DeadlineOptions, RecordOptions } from './emitter/result.ts';
export { closeOnSignals } from './emitter/signals.ts';
export {
  AuditError,
  type AuditErrorCode,
  type AuditErrorDetails,
  auditErrorCodes,
  type DeliveryOutcome,
} from './errors.ts';
export type {
  AuditActorType,
  AuditEventData,
  AuditEventFields,
  AuditEventInput,
  AuditMetadata,
  AuditOutcome,
  AuditOutcomeDetails,
  AuditPayload,
  AuditProof,
  EventBody,
  EventInput,
} from './event/input.ts';
export type { TraceContext } from './observe/correlation.ts';
export type { AuditLogger } from './observe/logger.ts';
export type { AuditMetrics, MetricSample } from './observe/metrics.ts';
export type { Censor, RedactionOptions } from './redaction/options.ts';
export type { SpoolOptions } from './spool/options.ts';
export {
  BufferedAuditStore,
  type BufferedStoreConfig,
  defaultConfig,
  newBufferedStore,
  recommendedConfig,
} from './store/buffered-store.ts';
export { type CommonEnvelope, fromJSON, newEventData, toJSON, withSourcePayload } from './store/envelope.ts';
export { buildLlmContext, type LlmCall, type LlmContext } from './store/llm-context.ts';
export { newAuditEvent, type StoreEvent } from './store/store-event.ts';
export { OpenAPIClientAdapter } from './transport/openapi-client-adapter.ts';
export {
  type Batch,
  type DeclaredGap,
  type DeliveryMetadata,
  type FinalSequence,
  type GapReason,
  type ItemError,
  type ItemResult,
  type Receipt,
  type Transport,
  TransportError,
  type TransportFailure,
} from './transport/transport.ts';
