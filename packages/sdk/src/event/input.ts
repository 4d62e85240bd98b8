/** The event as callers write it: camelCase members, with types. `encode.ts` maps it to the wire form. */
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

/** The kind of actor. */
export type AuditActorType = ActorType;

/** The result of the action, such as `success` or `failure`. */
export type AuditOutcome = OutcomeStatus;

/**
 * The result of the action with details. The status may be given as `outcomeStatus` or `outcome_status`; other members are
 * kept as they are.
 */
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

/** Further information of any kind. `errorCode` and `errorMessage` are moved to the event's outcome. */
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

/** A service-specific payload in a common envelope. `sourcePayload` is the external original, if there is one. */
export interface AuditEventData {
  /** Version of the envelope. @defaultValue '1.0' */
  version?: string | undefined;
  /** @defaultValue the emitter's service */
  service?: string | undefined;
  operation: string;
  status: string;
  payload: Record<string, unknown>;
  sourcePayload?: Record<string, unknown> | undefined;
}

/** The members whose shape a taxonomy may declare for each event type. */
export interface AuditPayload {
  /** What was known when the decision was made. */
  context?: Record<string, unknown> | undefined;
  /** What was decided, and why. */
  decision?: Record<string, unknown> | undefined;
  /** The result: a status alone, or a status with details. */
  outcome?: AuditOutcome | AuditOutcomeDetails | undefined;
  proof?: AuditProof | undefined;
  eventData?: AuditEventData | undefined;
  metadata?: AuditMetadata | undefined;
}

/** The tenant, under either name. */
type Tenant =
  | { clientId: string; tenantId?: string | undefined }
  // Last, because the compiler reports a missing tenant with the name in the last member.
  | {
      /** The tenant whose chain the event is added to. */
      tenantId: string;
      /** The same as `tenantId`. */
      clientId?: string | undefined;
    };

/** If neither name is given, the event belongs to the emitter's own tenant. */
interface OptionalTenant {
  tenantId?: string | undefined;
  clientId?: string | undefined;
}

/** `D` is the emitter's own tenant. Unless it is certainly set, each event must name its tenant. */
type TenantField<D> = [D] extends [string] ? OptionalTenant : Tenant;

/** Somebody for whom the actor acts. */
export interface AuditPrincipal {
  actorType: AuditActorType;
  actorId: string;
}

/** The members that an event of any type may have. */
export interface AuditEventFields {
  /**
   * A lower-case UUID that identifies the event. The service stores an event once, however often it is sent with the same
   * id.
   *
   * @defaultValue a new UUIDv7
   */
  auditId?: string | undefined;
  /** When the event happened. @defaultValue now */
  timestamp?: Date | string | number | undefined;
  eventCategory?: string | undefined;
  /** The verb, such as `refund`. */
  eventAction?: string | undefined;
  severity?: Severity | undefined;
  actorType: AuditActorType;
  actorId: string;
  /** Permissions that the actor had at the time. */
  actorPermissions?: readonly string[] | undefined;
  /** The delegation chain: whom the actor acts for, the nearest first. */
  onBehalfOf?: readonly AuditPrincipal[] | undefined;
  /** Kind of the object that was acted on, such as `order`. */
  targetType?: string | undefined;
  targetId?: string | undefined;
  investigationId?: string | undefined;
  alertId?: string | undefined;
  entityIds?: readonly string[] | undefined;
  /** Common to all events of one request or job. @defaultValue the id of the active OpenTelemetry trace */
  correlationId?: string | undefined;
  traceId?: string | undefined;
  spanId?: string | undefined;
  /** `audit_id` of the event that caused this one. */
  parentEventId?: string | undefined;
  /** The caller's key of the operation. All attempts of one operation have the same key. */
  idempotencyKey?: string | undefined;
  /** IPv4 or IPv6 address from which the actor acted. */
  sourceIp?: string | undefined;
  /** The program that the actor used, such as the header `User-Agent` of a request. */
  userAgent?: string | undefined;
  namespace?: string | undefined;
  cluster?: string | undefined;
  /** How long the record must be kept at least, in days. */
  retentionDays?: number | undefined;
  /** Whether only readers with the scope for sensitive events may see it. */
  isSensitive?: boolean | undefined;
}

/** The event's type, under either name. */
type EventTypeField<K extends string = string> =
  | { eventType: K; actionType?: K | undefined }
  | { actionType: K; eventType?: K | undefined };

/** An event as callers emit it. */
export type AuditEventInput = Tenant & AuditEventFields & AuditPayload & EventTypeField;

/** An event of an emitter that may have a tenant of its own. */
export type AnyEventInput = OptionalTenant & AuditEventFields & AuditPayload & EventTypeField;

/** An emitter's taxonomy, or `undefined`. */
export type AnyTaxonomy = Taxonomy | undefined;

/** The event types that may be emitted: those of the taxonomy, or any type without a taxonomy. */
export type TypeIn<X> = X extends Taxonomy<infer _T extends EventTypes> ? EventTypeOf<X> : string;

type Declared<X, K extends string> =
  X extends Taxonomy<infer _T extends EventTypes> ? PayloadOf<X, K> : unknown;
type RenamedMembers = { event_data: 'eventData' };
type MemberName<P> = P extends keyof RenamedMembers ? RenamedMembers[P] : P;
/** On the wire an outcome is an object. Callers may also give its status alone. */
type MemberValue<P, V> = P extends 'outcome'
  ? OrUndefined<V> | AuditOutcome
  : P extends 'event_data' | 'proof'
    ? unknown
    : OrUndefined<V>;

/** Optional members may also be given as `undefined`, which is the same as leaving them out. */
type OrUndefined<V> = V extends object
  ? { [P in keyof V]: Record<never, never> extends Pick<V, P> ? V[P] | undefined : V[P] }
  : V;

/** The payload of an event of type `K`: with the shapes that the taxonomy declares, and free otherwise. */
export type PayloadIn<X, K extends string> = {
  [P in keyof Declared<X, K> as MemberName<P>]: MemberValue<P, Declared<X, K>[P]>;
} & Omit<AuditPayload, Extract<keyof Declared<X, K>, 'context' | 'decision' | 'outcome' | 'metadata'>>;

/** The event argument of `emit(type, event)`. */
export type EventBody<X, K extends string, D = undefined> = TenantField<D> &
  AuditEventFields &
  PayloadIn<X, K>;

/** The argument of `emit(event)`. */
export type EventInput<X, K extends string, D = undefined> = EventBody<X, K, D> & EventTypeField<K>;
