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

/** What kind of actor it was. */
export type AuditActorType = ActorType;

/** How it ended: a word, or an object with `outcome_status` and whatever else came of it. */
export type AuditOutcome = OutcomeStatus;

/** How it ended, with what came of it; either name of a member will do. */
export interface AuditOutcomeDetails {
  outcomeStatus?: OutcomeStatus | undefined;
  outcome_status?: OutcomeStatus | undefined;
  errorCode?: string | undefined;
  errorMessage?: string | undefined;
  [key: string]: unknown;
}

/** Evidence that the action completed. */
export interface AuditProof {
  type: ProofType;
  data?: Record<string, unknown> | undefined;
  url?: string | undefined;
  hash?: string | undefined;
  capturedAt?: string | Date | undefined;
}

/** Anything else worth keeping. `errorCode` and `errorMessage` go to the outcome, their one home on the wire. */
export interface AuditMetadata {
  platform?: string | undefined;
  lane?: 'api' | 'browser' | undefined;
  durationMs?: number | undefined;
  errorCode?: string | undefined;
  errorMessage?: string | undefined;
  requestId?: string | undefined;
  episodeId?: string | undefined;
  [key: string]: unknown;
}

/** CommonEnvelope: a service-specific payload, with the external original where there is one. */
export interface AuditEventData {
  version?: string | undefined;
  service?: string | undefined;
  operation: string;
  status: string;
  payload: Record<string, unknown>;
  sourcePayload?: Record<string, unknown> | undefined;
}

/** The parts that a taxonomy may give a shape of their own. */
export interface AuditPayload {
  /** What was known. */
  context?: Record<string, unknown> | undefined;
  /** What was decided. */
  decision?: Record<string, unknown> | undefined;
  /** What came of it. */
  outcome?: AuditOutcome | AuditOutcomeDetails | undefined;
  proof?: AuditProof | undefined;
  eventData?: AuditEventData | undefined;
  metadata?: AuditMetadata | undefined;
}

/** Whose chain the event belongs to, under either of its names. */
type Tenant =
  | {
      /** Whose chain the event belongs to. */
      tenantId: string;
      /** The same as `tenantId`. */
      clientId?: string | undefined;
    }
  | { clientId: string; tenantId?: string | undefined };

/** The emitter's own tenant where neither is given. */
interface OptionalTenant {
  tenantId?: string | undefined;
  clientId?: string | undefined;
}

/** `D` is the emitter's own tenant; an event must name one where there is none, or where it may be missing. */
type TenantField<D> = [D] extends [string] ? OptionalTenant : Tenant;

/** The members that events of every type may have. */
export interface AuditEventFields {
  /** A lower-case UUID that identifies the event at its source; a fresh UUIDv7 by default. */
  auditId?: string | undefined;
  /** When it happened; now by default. */
  timestamp?: Date | string | number | undefined;
  eventCategory?: string | undefined;
  /** The verb. */
  eventAction?: string | undefined;
  severity?: Severity | undefined;
  actorType: AuditActorType;
  actorId: string;
  /** Held at the time. */
  actorPermissions?: readonly string[] | undefined;
  /** Kind of the thing acted on. */
  targetType?: string | undefined;
  targetId?: string | undefined;
  investigationId?: string | undefined;
  alertId?: string | undefined;
  entityIds?: readonly string[] | undefined;
  /** Joins the events of one request or job; the active OpenTelemetry trace by default. */
  correlationId?: string | undefined;
  traceId?: string | undefined;
  spanId?: string | undefined;
  /** `audit_id` of the event that led to this one. */
  parentEventId?: string | undefined;
  namespace?: string | undefined;
  cluster?: string | undefined;
  /** Keep at least this long. */
  retentionDays?: number | undefined;
  /** Readable only with a scope of its own. */
  isSensitive?: boolean | undefined;
}

/** An event's type under either of its names. */
type EventTypeField<K extends string = string> =
  | { eventType: K; actionType?: K | undefined }
  | { actionType: K; eventType?: K | undefined };

/** An event as code emits it. */
export type AuditEventInput = Tenant & AuditEventFields & AuditPayload & EventTypeField;

/** The same where the emitter may have a tenant of its own. */
export type AnyEventInput = OptionalTenant & AuditEventFields & AuditPayload & EventTypeField;

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
export type EventBody<X, K extends string, D = undefined> = TenantField<D> &
  AuditEventFields &
  PayloadIn<X, K>;

/** What `emit(event)` takes. */
export type EventInput<X, K extends string, D = undefined> = EventBody<X, K, D> & EventTypeField<K>;
