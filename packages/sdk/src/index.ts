export {
  type AuditEvent,
  AuditValidationError,
  agent,
  type CombinedTaxonomy,
  combineTaxonomies,
  core,
  defineTaxonomy,
  EventCategory,
  EventTaxonomy,
  shape,
  soc,
  type Taxonomy,
} from '@tallystick/event';
export type {
  DeclaredGap,
  DeliveryMetadata,
  FinalSequence,
  GapReason,
  ItemError,
  ItemResult,
  Receipt,
} from '@tallystick/protocol';
export { type Clock, systemClock } from './clock.ts';
export {
  BufferedAuditStore,
  type BufferedStoreConfig,
  defaultConfig,
  newBufferedStore,
  recommendedConfig,
} from './compat/buffered-store.ts';
export { type CommonEnvelope, fromJSON, newEventData, toJSON, withSourcePayload } from './compat/envelope.ts';
export { buildLlmContext, type LlmCall, type LlmContext } from './compat/llm-context.ts';
export { OpenAPIClientAdapter } from './compat/openapi-client-adapter.ts';
export { newAuditEvent, type StoreEvent } from './compat/store-event.ts';
export type { DeliveryReport } from './delivery/counters.ts';
export type { Builder } from './emitter/builder.ts';
export { closeOnSignals } from './emitter/close-on-signals.ts';
export type {
  DeadLetterListOptions,
  EmitAgainReport,
  SpoolDeadLetters,
  SpooledDeadLetter,
} from './emitter/dead-letters.ts';
export { audit, emitAuditEvent, getAuditEmitter, setAuditEmitter } from './emitter/default-emitter.ts';
export { AuditEmitter, createAuditEmitter } from './emitter/emitter.ts';
export { type AuditEmitterConfig, emitterDefaults } from './emitter/options.ts';
export type { AuditEventResult, AuditReceipt, DeadlineOptions, RecordOptions } from './emitter/result.ts';
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
  AuditPrincipal,
  AuditProof,
  EventBody,
  EventInput,
} from './event/input.ts';
export type { TraceContext } from './observe/correlation.ts';
export type { AuditLogger } from './observe/logger.ts';
export type { AuditMetrics, MetricSample } from './observe/metrics.ts';
export type { Censor, RedactionOptions } from './redaction/options.ts';
export type { SpoolOptions } from './spool/options.ts';
export { type Batch, type Transport, TransportError, type TransportFailure } from './transport/transport.ts';
