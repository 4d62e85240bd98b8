import type { EventErrorCode } from '@tallystick/event';
import type { ServerErrorCode } from '../../errors.ts';

/** Codes of problems that only the wire knows. */
type HttpErrorCode =
  | 'ROUTE_NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'CONTENT_TYPE_UNSUPPORTED'
  | 'CONTENT_ENCODING_UNSUPPORTED'
  | 'BODY_MALFORMED'
  | 'BODY_INVALID'
  | 'DELIVERY_INVALID'
  | 'REQUEST_MALFORMED'
  | 'REQUEST_TIMEOUT'
  | 'HEADERS_TOO_LARGE'
  | 'TOO_MANY_STREAMS'
  | 'OVERLOADED'
  | 'INTERNAL_ERROR';

/** Codes that the chain gives an event beyond those of its content. */
export type ChainErrorCode = 'AUDIT_ID_CONFLICT' | 'TENANT_FORBIDDEN' | 'STORE_REFUSED';

export type ProblemCode = ServerErrorCode | HttpErrorCode | ChainErrorCode | EventErrorCode;

interface Kind {
  readonly status: number;
  readonly title: string;
}

const kind = (status: number, title: string): Kind => ({ status, title });

const ofEvents: Record<EventErrorCode | ChainErrorCode, Kind> = {
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
  SEALED_INVALID: kind(422, 'Illegal sealed field'),
  AUDIT_ID_CONFLICT: kind(409, 'audit_id is taken'),
  TENANT_FORBIDDEN: kind(403, 'Tenant not allowed'),
  STORE_REFUSED: kind(422, 'Refused by the store'),
};

const ofServer: Record<ServerErrorCode, Kind> = {
  STORE_UNAVAILABLE: kind(503, 'Store unavailable'),
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
  FORBIDDEN: kind(403, 'Not allowed'),
  TOO_LARGE: kind(413, 'Too large'),
  CLOSING: kind(503, 'Shutting down'),
  CONFIG_INVALID: kind(500, 'Configuration unusable'),
};

const ofWire: Record<HttpErrorCode, Kind> = {
  ROUTE_NOT_FOUND: kind(404, 'No such route'),
  METHOD_NOT_ALLOWED: kind(405, 'Method not allowed'),
  CONTENT_TYPE_UNSUPPORTED: kind(415, 'Content type not supported'),
  CONTENT_ENCODING_UNSUPPORTED: kind(415, 'Content encoding not supported'),
  BODY_MALFORMED: kind(400, 'Malformed body'),
  BODY_INVALID: kind(422, 'Invalid body'),
  DELIVERY_INVALID: kind(400, 'Invalid delivery metadata'),
  REQUEST_MALFORMED: kind(400, 'Malformed request'),
  REQUEST_TIMEOUT: kind(408, 'Request too slow'),
  HEADERS_TOO_LARGE: kind(431, 'Headers too large'),
  TOO_MANY_STREAMS: kind(503, 'Too many streams'),
  OVERLOADED: kind(503, 'Overloaded'),
  INTERNAL_ERROR: kind(500, 'Internal error'),
};

const kinds: { readonly [code: string]: Kind } = { ...ofEvents, ...ofServer, ...ofWire };

/** Codes that an event itself can be refused with. */
export const eventProblemCodes = Object.keys(ofEvents) as (EventErrorCode | ChainErrorCode)[];

/** Every code, for the document. */
export const problemCodes = Object.keys(kinds).sort() as ProblemCode[];

/** Status and title of a code; one that this version does not know is a refusal of what was sent. */
export function kindOf(code: string): Kind {
  return (Object.hasOwn(kinds, code) ? kinds[code] : undefined) ?? kind(422, 'Refused');
}

/** The stable `type` of a code. A URN: it promises no page behind it. */
export function typeOf(code: string): string {
  return `urn:tallystick:problem:${code.toLowerCase().replaceAll('_', '-')}`;
}
