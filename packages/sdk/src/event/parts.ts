/** The parts of an event whose members have other names on the wire. What they hold beside those is the caller's. */
import { parseTimestamp } from '@tallystick/event';
import type { AnyEventInput } from './input.ts';

type Wire = Record<string, unknown>;

const maxErrorCode = 256;
const maxErrorMessage = 16_384;

export interface Aftermath {
  readonly outcome: unknown;
  readonly metadata: unknown;
}

/** Outcome and metadata together, since errors given as metadata belong to the outcome. */
export function wireAftermath(
  outcome: AnyEventInput['outcome'],
  metadata: AnyEventInput['metadata'],
): Aftermath {
  const plain = typeof outcome === 'string' ? { outcome_status: outcome } : outcome;
  try {
    return renameAftermath(plain, metadata);
  } catch {
    // A member that can't be read: the writer says so in its place, under the name it has.
    return { outcome: plain, metadata };
  }
}

function renameAftermath(outcome: Wire | null | undefined, metadata: Wire | null | undefined): Aftermath {
  const details = isObject(metadata) ? metadata : undefined;
  const outcomeErrors = isObject(outcome) ? errorsOf(outcome) : undefined;
  const metadataErrors = details === undefined ? undefined : errorsOf(details);
  return {
    outcome:
      outcomeErrors || metadataErrors || (isObject(outcome) && outcome.outcomeStatus !== undefined)
        ? wireOutcome(outcome ?? {}, { ...metadataErrors, ...outcomeErrors })
        : outcome,
    metadata: details === undefined ? metadata : wireMetadata(details),
  };
}

function errorsOf(source: Wire): Wire | undefined {
  const { errorCode, errorMessage } = source;
  if (errorCode === undefined && errorMessage === undefined) return undefined;
  return {
    ...(errorCode != null && { error_code: errorText(errorCode, maxErrorCode) }),
    ...(errorMessage != null && { error_message: errorText(errorMessage, maxErrorMessage) }),
  };
}

/** An error's text is often someone else's and long; its beginning says enough, and the event is not lost for it. */
function errorText(value: unknown, max: number): unknown {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (value instanceof Error) return errorText(value.message, max);
  return typeof value === 'string' && value.length > max ? `${value.slice(0, max - 1)}…` : value;
}

function wireOutcome(outcome: Wire, errors: Wire): Wire {
  const { outcomeStatus, errorCode: _code, errorMessage: _message, ...rest } = outcome;
  return { ...(outcomeStatus !== undefined && { outcome_status: outcomeStatus }), ...errors, ...rest };
}

function wireMetadata(metadata: Wire): Wire | undefined {
  if (
    metadata.errorCode === undefined &&
    metadata.errorMessage === undefined &&
    metadata.durationMs === undefined &&
    metadata.requestId === undefined &&
    metadata.episodeId === undefined
  ) {
    return metadata;
  }
  const { errorCode: _code, errorMessage: _message, durationMs, requestId, episodeId, ...rest } = metadata;
  const wire = {
    ...(durationMs !== undefined && { duration_ms: durationMs }),
    ...(episodeId !== undefined && { episode_id: episodeId }),
    ...(requestId !== undefined && { request_id: requestId }),
    ...rest,
  };
  return Object.keys(wire).length === 0 ? undefined : wire;
}

export function wireProof(proof: unknown): unknown {
  if (!isObject(proof)) return proof;
  try {
    const { capturedAt, ...rest } = proof;
    return capturedAt === undefined ? proof : { captured_at: timestampText(capturedAt), ...rest };
  } catch {
    return proof;
  }
}

export function wireEventData(eventData: unknown, service: string): unknown {
  if (!isObject(eventData)) return eventData;
  try {
    const { sourcePayload, ...rest } = eventData;
    return {
      service,
      version: '1.0',
      ...(sourcePayload !== undefined && { source_payload: sourcePayload }),
      ...rest,
    };
  } catch {
    return eventData;
  }
}

/** RFC 3339 UTC text of a date in any of its forms; what is none is returned as it is, for the check to refuse. */
export function timestampText(value: unknown): unknown {
  if (typeof value === 'string' && !Number.isNaN(parseTimestamp(value))) return value;
  if (typeof value !== 'string' && typeof value !== 'number' && !(value instanceof Date)) return value;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? value : date.toISOString();
}

function isObject(value: unknown): value is Wire {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
