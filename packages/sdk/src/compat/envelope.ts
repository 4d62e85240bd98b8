import {
  AuditValidationError,
  checkShape,
  eventDataShape,
  parseStrictJson,
  type Violation,
} from '@tallystick/event';

/** Seed 003's envelope of a service-specific payload; `event_data` on the wire. */
export interface CommonEnvelope {
  readonly version: string;
  readonly service: string;
  readonly operation: string;
  readonly status: string;
  readonly payload: Record<string, unknown>;
  /** The original, external payload. */
  readonly sourcePayload?: Record<string, unknown>;
}

/** A CommonEnvelope around a service's payload. */
export function newEventData(
  service: string,
  operation: string,
  status: string,
  payload: Record<string, unknown>,
): CommonEnvelope {
  return { version: '1.0', service, operation, status, payload };
}

/** The envelope with the external original added; the one given stays as it was. */
export function withSourcePayload(
  envelope: CommonEnvelope,
  sourcePayload: Record<string, unknown>,
): CommonEnvelope {
  return { ...envelope, sourcePayload };
}

/** The envelope's wire text. */
export function toJSON(envelope: CommonEnvelope): string {
  const { sourcePayload, ...rest } = envelope;
  return JSON.stringify(sourcePayload === undefined ? rest : { ...rest, source_payload: sourcePayload });
}

/**
 * Reads an envelope's wire text.
 *
 * @throws {AuditValidationError} where it is not JSON, or not an envelope
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
