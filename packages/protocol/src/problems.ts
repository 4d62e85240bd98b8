import type { EventErrorCode } from '@tallystick/event';
import type { ApprovalRefusalCode } from './approvals/transitions.ts';
import type { Reason } from './results.ts';

/** What can go wrong in the service itself, apart from events that it refuses ({@link EventErrorCode}). */
export type ServiceErrorCode =
  /** The store can't be reached, or it failed for a reason that has nothing to do with the request. Safe to retry. */
  | 'STORE_UNAVAILABLE'
  /** The disk of the embedded store is full. Reads still work, and writes do as soon as there is space. Safe to retry. */
  | 'STORE_FULL'
  /** Another process has the data directory open. */
  | 'DATA_DIRECTORY_LOCKED'
  /** The database's schema is older or newer than this version needs. */
  | 'SCHEMA_VERSION'
  /** The database's settings make it unsuitable: its encoding, or a login that owns the tables. */
  | 'STORE_UNSUITABLE'
  /** The newest record of a chain is dated more than five minutes ahead of the store's clock. */
  | 'CLOCK_BEHIND_CHAIN'
  /** A tenant's chain contradicts its last signed checkpoint. Appending and signing have stopped for this tenant. */
  | 'CHAIN_STOPPED'
  /** Signing would produce a checkpoint that contradicts an earlier one. */
  | 'CHECKPOINT_INCONSISTENT'
  /** A batch starts beyond the position that the store has reached, which would leave a gap. */
  | 'SOURCE_POSITION_AHEAD'
  /** Kafka can't be reached, or it did not acknowledge in time. Safe to retry. */
  | 'BROKER_UNAVAILABLE'
  /** Kafka refused. Retrying does not help until an operator changes access rights, settings or credentials. */
  | 'BROKER_REFUSED'
  /** No such tenant, record, checkpoint or key. */
  | 'NOT_FOUND'
  /** A parameter of a call is malformed. */
  | 'PARAMETER_INVALID'
  /** No key, an unknown key, an expired or revoked one; or a token of a login that is not valid. */
  | 'UNAUTHENTICATED'
  /** The keys of the issuer of logins can't be read, so a token can't be checked. Safe to retry. API keys go on to work. */
  | 'ISSUER_UNAVAILABLE'
  /** The key lacks the scope, or it is not valid for the tenant. */
  | 'FORBIDDEN'
  /** The idempotency key of a request was used with another body. */
  | 'IDEMPOTENCY_KEY_REUSED'
  /** A batch or body is larger than the service accepts. */
  | 'TOO_LARGE'
  /** The service is shutting down. */
  | 'CLOSING'
  /** Configuration is missing or unusable. */
  | 'CONFIG_INVALID'
  /** The chain has no intent for a request of an approval. */
  | 'INTENT_UNKNOWN'
  /** No approver fulfils both the rules of a request and those of the service. */
  | 'RULES_UNSATISFIABLE'
  /** The stored minimum rules are not those that the service's records describe: somebody has edited the database. */
  | 'APPROVAL_RULES_MISMATCH'
  /** The stored operation is not the one that the service's records describe: somebody has edited the database. */
  | 'OPERATION_MISMATCH'
  | ApprovalRefusalCode;

/** Codes of problems of the HTTP request itself. */
type HttpErrorCode =
  | 'ROUTE_NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'CONTENT_TYPE_UNSUPPORTED'
  | 'CONTENT_ENCODING_UNSUPPORTED'
  | 'BODY_MALFORMED'
  | 'BODY_INVALID'
  | 'DELIVERY_INVALID'
  | 'IDEMPOTENCY_KEY_INVALID'
  | 'REQUEST_MALFORMED'
  | 'REQUEST_TIMEOUT'
  | 'HEADERS_TOO_LARGE'
  | 'TOO_MANY_STREAMS'
  | 'OVERLOADED'
  | 'INTERNAL_ERROR';

/** Codes with which the chain station refuses a valid event. */
export type ChainErrorCode = 'AUDIT_ID_CONFLICT' | 'TENANT_FORBIDDEN' | 'STORE_REFUSED';

/** Every code that a problem document of the API may carry in its member `code`. */
export type ProblemCode = ServiceErrorCode | HttpErrorCode | ChainErrorCode | EventErrorCode;

/** HTTP status and title of a problem code. */
export interface ProblemKind {
  readonly status: number;
  readonly title: string;
}

/** The body of an answer other than 2xx (RFC 9457), as `application/problem+json`. Branch on `code`. */
export interface ProblemDocument {
  /** A URN, see {@link problemTypeOf}. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** What happened this time, in words. */
  readonly detail: string;
  /** A {@link ProblemCode}, or a code that this version does not know. */
  readonly code: string;
  /** What is wrong and where: pointers are JSON pointers into the body, or `/name` of a parameter. */
  readonly errors?: readonly Reason[] | undefined;
  readonly [extension: string]: unknown;
}

const kind = (status: number, title: string): ProblemKind => ({ status, title });

const ofEvents: Record<EventErrorCode | ChainErrorCode, ProblemKind> = {
  JSON_INVALID: kind(400, 'Not JSON'),
  JSON_DUPLICATE_KEY: kind(400, 'Duplicate member'),
  UTF8_INVALID: kind(400, 'Not UTF-8'),
  EVENT_TOO_LARGE: kind(413, 'Event too large'),
  EVENT_TOO_DEEP: kind(422, 'Event too deep'),
  EVENT_TOO_MANY_KEYS: kind(422, 'Event has too many members'),
  VALUE_NOT_JSON: kind(422, 'Value is not JSON'),
  STRING_LONE_SURROGATE: kind(422, 'Lone surrogate'),
  STRING_NUL: kind(422, 'U+0000 in a string'),
  NUMBER_OUT_OF_RANGE: kind(422, 'Number out of range'),
  FIELD_UNKNOWN: kind(422, 'Unknown field'),
  FIELD_REQUIRED: kind(422, 'Missing field'),
  FIELD_TYPE: kind(422, 'Wrong type'),
  FIELD_FORMAT: kind(422, 'Wrong format'),
  FIELD_LENGTH: kind(422, 'Wrong length'),
  FIELD_RANGE: kind(422, 'Out of range'),
  FIELD_ENUM: kind(422, 'Unknown value'),
  AUDIT_ID_INVALID: kind(422, 'Illegal audit_id'),
  AUDIT_ID_AHEAD: kind(422, 'audit_id from the future'),
  TENANT_ID_INVALID: kind(422, 'Illegal tenant'),
  TIMESTAMP_INVALID: kind(422, 'Illegal timestamp'),
  TIMESTAMP_AHEAD: kind(422, 'Timestamp in the future'),
  EVENT_TYPE_INVALID: kind(422, 'Illegal event type'),
  EVENT_TYPE_UNKNOWN: kind(422, 'Unknown event type'),
  EVENT_TYPE_RESERVED: kind(422, 'Reserved event type'),
  EVENT_CATEGORY_MISMATCH: kind(422, 'Category does not fit the type'),
  ACTOR_RESERVED: kind(422, 'Reserved actor'),
  SEALED_INVALID: kind(422, 'Illegal sealed field'),
  AUDIT_ID_CONFLICT: kind(409, 'audit_id is taken'),
  TENANT_FORBIDDEN: kind(403, 'Tenant not allowed'),
  STORE_REFUSED: kind(422, 'Refused by the store'),
};

const ofService: Record<ServiceErrorCode, ProblemKind> = {
  STORE_UNAVAILABLE: kind(503, 'Store unavailable'),
  STORE_FULL: kind(507, 'Store full'),
  DATA_DIRECTORY_LOCKED: kind(503, 'Data directory in use'),
  SCHEMA_VERSION: kind(500, 'Schema of another version'),
  STORE_UNSUITABLE: kind(500, 'Store unsuitable'),
  CLOCK_BEHIND_CHAIN: kind(503, "Clock behind the chain's"),
  CHAIN_STOPPED: kind(503, 'Chain stopped'),
  CHECKPOINT_INCONSISTENT: kind(503, 'Checkpoint inconsistent'),
  SOURCE_POSITION_AHEAD: kind(409, 'Source position ahead'),
  BROKER_UNAVAILABLE: kind(503, 'Broker unavailable'),
  BROKER_REFUSED: kind(503, 'Broker refuses'),
  NOT_FOUND: kind(404, 'Not found'),
  PARAMETER_INVALID: kind(400, 'Invalid parameter'),
  UNAUTHENTICATED: kind(401, 'Not authenticated'),
  ISSUER_UNAVAILABLE: kind(503, 'Issuer unavailable'),
  FORBIDDEN: kind(403, 'Not allowed'),
  IDEMPOTENCY_KEY_REUSED: kind(422, 'Idempotency key reused'),
  TOO_LARGE: kind(413, 'Too large'),
  CLOSING: kind(503, 'Shutting down'),
  CONFIG_INVALID: kind(500, 'Configuration unusable'),
  INTENT_UNKNOWN: kind(422, 'Intent not in the chain'),
  RULES_UNSATISFIABLE: kind(422, 'No possible approver'),
  DIGEST_MISMATCH: kind(409, 'Another document'),
  NOT_PENDING: kind(409, 'Approval not pending'),
  DECISION_TOO_LATE: kind(409, 'Decision too late'),
  NOT_AN_APPROVER: kind(403, 'Not an approver'),
  APPROVER_IS_REQUESTER: kind(403, 'Approver is the requester'),
  APPROVER_IS_ACTOR: kind(403, 'Approver is the actor'),
  ALREADY_DECIDED: kind(409, 'Already decided'),
  REASON_REQUIRED: kind(422, 'Reason required'),
  BREAK_GLASS_REFUSED: kind(403, 'Break-glass not allowed'),
  HIDDEN_ARGUMENTS_REFUSED: kind(422, 'Hidden arguments not allowed'),
  NOT_GRANTED: kind(409, 'Approval not granted'),
  ALREADY_CLAIMED: kind(409, 'Approval already used'),
  CLAIM_TOO_LATE: kind(409, 'Claim too late'),
  OPENING_INVALID: kind(422, 'Opening does not fit'),
  NOT_THE_REQUESTER: kind(403, 'Not the requester'),
  APPROVAL_MISMATCH: kind(409, 'Approval contradicts its records'),
  APPROVAL_RULES_MISMATCH: kind(409, 'Rules contradict their records'),
  OPERATION_MISMATCH: kind(409, 'Operation contradicts its records'),
};

const ofHttp: Record<HttpErrorCode, ProblemKind> = {
  ROUTE_NOT_FOUND: kind(404, 'No such route'),
  METHOD_NOT_ALLOWED: kind(405, 'Method not allowed'),
  CONTENT_TYPE_UNSUPPORTED: kind(415, 'Content type not supported'),
  CONTENT_ENCODING_UNSUPPORTED: kind(415, 'Content encoding not supported'),
  BODY_MALFORMED: kind(400, 'Malformed body'),
  BODY_INVALID: kind(422, 'Invalid body'),
  DELIVERY_INVALID: kind(400, 'Invalid delivery metadata'),
  IDEMPOTENCY_KEY_INVALID: kind(400, 'Invalid idempotency key'),
  REQUEST_MALFORMED: kind(400, 'Malformed request'),
  REQUEST_TIMEOUT: kind(408, 'Request too slow'),
  HEADERS_TOO_LARGE: kind(431, 'Headers too large'),
  TOO_MANY_STREAMS: kind(503, 'Too many streams'),
  OVERLOADED: kind(503, 'Overloaded'),
  INTERNAL_ERROR: kind(500, 'Internal error'),
};

const kinds: { readonly [code: string]: ProblemKind } = { ...ofEvents, ...ofService, ...ofHttp };

/** Codes with which the service refuses a single event. */
export const eventProblemCodes = Object.keys(ofEvents) as (EventErrorCode | ChainErrorCode)[];

/** Every problem code, sorted. */
export const problemCodes = Object.keys(kinds).sort() as ProblemCode[];

/** Status and title of a code. A code that this version does not know counts as a refusal (422). */
export function problemKindOf(code: string): ProblemKind {
  return (Object.hasOwn(kinds, code) ? kinds[code] : undefined) ?? kind(422, 'Refused');
}

/** The stable `type` of a problem (RFC 9457 section 3.1.1): a URN, so it does not promise a page. */
export function problemTypeOf(code: string): string {
  return `urn:tallystick:problem:${code.toLowerCase().replaceAll('_', '-')}`;
}
