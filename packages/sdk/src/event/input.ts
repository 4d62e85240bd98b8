/** What callers hand in: camelCase, typed; `encode.ts` maps it to the wire form, once. */
import type {
  ActorType,
  EventTypeOf,
  EventTypes,
  OutcomeStatus,
  PayloadOf,
  ProofType,
  Severity,
  Taxonomy,
} from '@tallystick/event';

export type AuditActorType = ActorType;

/** How it ended: a word, or an object with `outcome_status` and whatever else came of it. */
export type AuditOutcome = OutcomeStatus;

export interface AuditOutcomeDetails {
  outcomeStatus?: OutcomeStatus;
  outcome_status?: OutcomeStatus;
  errorCode?: string;
  errorMessage?: string;
  [key: string]: unknown;
}

/** Evidence that the action completed. */
export interface AuditProof {
  type: ProofType;
  data?: Record<string, unknown>;
  url?: string;
  hash?: string;
  capturedAt?: string | Date;
}

/** Anything else worth keeping. `errorCode` and `errorMessage` go to the outcome, their one home on the wire. */
export interface AuditMetadata {
  platform?: string;
  lane?: 'api' | 'browser';
  durationMs?: number;
  errorCode?: string;
  errorMessage?: string;
  requestId?: string;
  episodeId?: string;
  [key: string]: unknown;
}

/** CommonEnvelope: a service-specific payload, with the external original where there is one. */
export interface AuditEventData {
  version?: string;
  service?: string;
  operation: string;
  status: string;
  payload: Record<string, unknown>;
  sourcePayload?: Record<string, unknown>;
}

/** The parts that a taxonomy may give a shape of their own. */
export interface AuditPayload {
  /** What was known. */
  context?: Record<string, unknown>;
  /** What was decided. */
  decision?: Record<string, unknown>;
  /** What came of it. */
  outcome?: AuditOutcome | AuditOutcomeDetails;
  proof?: AuditProof;
  eventData?: AuditEventData;
  metadata?: AuditMetadata;
}

export interface AuditEventFields {
  /** Whose chain the event belongs to; the emitter's own `tenantId` by default. */
  tenantId?: string;
  /** The same as `tenantId`. */
  clientId?: string;
  /** A lower-case UUID that identifies the event at its source; a fresh UUIDv7 by default. */
  auditId?: string;
  /** When it happened; now by default. */
  timestamp?: Date | string | number;
  eventCategory?: string;
  /** The verb. */
  eventAction?: string;
  severity?: Severity;
  actorType: AuditActorType;
  actorId: string;
  /** Held at the time. */
  actorPermissions?: readonly string[];
  /** Kind of the thing acted on. */
  targetType?: string;
  targetId?: string;
  investigationId?: string;
  alertId?: string;
  entityIds?: readonly string[];
  /** Joins the events of one request or job; the active OpenTelemetry trace by default. */
  correlationId?: string;
  traceId?: string;
  spanId?: string;
  /** `audit_id` of the event that led to this one. */
  parentEventId?: string;
  namespace?: string;
  cluster?: string;
  /** Keep at least this long. */
  retentionDays?: number;
  /** Readable only with a scope of its own. */
  isSensitive?: boolean;
}

/** An event's type under either of its names. */
type EventTypeField<K extends string = string> =
  | { eventType: K; actionType?: K }
  | { actionType: K; eventType?: K };

/** An event as code emits it. */
export type AuditEventInput = AuditEventFields & AuditPayload & EventTypeField;

/** A taxonomy, or none. */
export type AnyTaxonomy = Taxonomy | undefined;

/** The types that may be emitted; without a taxonomy, any. */
export type TypeIn<X> = X extends Taxonomy<infer _T extends EventTypes> ? EventTypeOf<X> : string;

type Declared<X, K extends string> =
  X extends Taxonomy<infer _T extends EventTypes> ? PayloadOf<X, K> : unknown;
type RenamedParts = { event_data: 'eventData' };
type PartName<P> = P extends keyof RenamedParts ? RenamedParts[P] : P;
/** On the wire an outcome is an object; here its word alone will do. */
type PartValue<P, V> = P extends 'outcome'
  ? V | AuditOutcome
  : P extends 'event_data' | 'proof'
    ? unknown
    : V;

/** The parts of an event of type `K`: as the taxonomy declares them, else open. */
export type PayloadIn<X, K extends string> = {
  [P in keyof Declared<X, K> as PartName<P>]: PartValue<P, Declared<X, K>[P]>;
} & Omit<AuditPayload, Extract<keyof Declared<X, K>, 'context' | 'decision' | 'outcome' | 'metadata'>>;

/** What `emit(type, event)` takes beside the type. */
export type EventBody<X, K extends string> = AuditEventFields & PayloadIn<X, K>;

/** What `emit(event)` takes. */
export type EventInput<X, K extends string> = EventBody<X, K> & EventTypeField<K>;
