import {
  AuditValidationError,
  checkShape,
  eventDataShape,
  parseStrictJson,
  type Violation,
} from '@tallystick/event';

/** An envelope around a service-specific payload; the event's `event_data` on the wire. */
export interface CommonEnvelope {
  readonly version: string;
  readonly service: string;
  readonly operation: string;
  readonly status: string;
  readonly payload: Record<string, unknown>;
  /** The external original of the payload, if there is one. */
  readonly sourcePayload?: Record<string, unknown>;
}

/** Creates an envelope of version 1.0 around a service's payload. */
export function newEventData(
  service: string,
  operation: string,
  status: string,
  payload: Record<string, unknown>,
): CommonEnvelope {
  return { version: '1.0', service, operation, status, payload };
}

/** A copy of the envelope with the external original of the payload. */
export function withSourcePayload(
  envelope: CommonEnvelope,
  sourcePayload: Record<string, unknown>,
): CommonEnvelope {
  return { ...envelope, sourcePayload };
}

/** The envelope as JSON text in its wire form. */
export function toJSON(envelope: CommonEnvelope): string {
  const { sourcePayload, ...rest } = envelope;
  return JSON.stringify(sourcePayload === undefined ? rest : { ...rest, source_payload: sourcePayload });
}

/**
 * Parses the JSON text of an envelope.
 *
 * @throws {AuditValidationError} if the text is not JSON, or not an envelope
 */
export function fromJSON(text: string): CommonEnvelope {
  const value = parseStrictJson(text);
  const found: Violation[] = [];
  checkShape(value, eventDataShape, ['event_data'], found);
  if (found.length > 0) throw new AuditValidationError(found);
  const { source_payload, ...rest } = value as Record<string, unknown>;
  return {
    ...rest,
    ...(source_payload !== undefined && { sourcePayload: source_payload }),
  } as unknown as CommonEnvelope;
}
