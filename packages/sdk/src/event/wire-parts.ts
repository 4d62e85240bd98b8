/**
 * Outcome, metadata, proof and event data: the objects of an event that have some members with other names on the wire. All
 * other members of these objects stay as the caller gave them.
 */
import { outcomeStatuses } from '@tallystick/event';
import type { AnyEventInput } from './input.ts';
import { isError } from './kinds.ts';
import { timestampText } from './timestamps.ts';
import { isHuge } from './write-json.ts';

type Members = Record<string, unknown>;

const maxErrorCode = 256;
const maxErrorMessage = 16_384;

/** The outcomes that consist of a status alone, by that status. Most events have one, so the objects and their texts are made once. */
const statusOutcomes: ReadonlyMap<string, Members> = new Map(
  outcomeStatuses.map((status) => [status, Object.freeze({ outcome_status: status })]),
);
const statusTexts: ReadonlyMap<unknown, string> = new Map(
  Array.from(statusOutcomes.values(), (outcome) => [outcome, JSON.stringify(outcome)]),
);

/** JSON text of an outcome that {@link wireOutcomeAndMetadata} made of a status alone, else `undefined`. */
export function textOfStatus(outcome: unknown): string | undefined {
  return statusTexts.get(outcome);
}

export interface OutcomeAndMetadata {
  readonly outcome: unknown;
  readonly metadata: unknown;
}

/** Both together, because an error code or message in the metadata belongs to the outcome. */
export function wireOutcomeAndMetadata(
  outcome: AnyEventInput['outcome'],
  metadata: AnyEventInput['metadata'],
): OutcomeAndMetadata {
  const object =
    typeof outcome === 'string' ? (statusOutcomes.get(outcome) ?? { outcome_status: outcome }) : outcome;
  try {
    return renameMembers(object, metadata);
  } catch {
    // A getter threw. The members keep their names, and writeJson writes "[Unreadable]" for that one.
    return { outcome: object, metadata };
  }
}

function renameMembers(
  outcome: Members | null | undefined,
  metadata: Members | null | undefined,
): OutcomeAndMetadata {
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

function errorsOf(source: Members): Members | undefined {
  const { errorCode, errorMessage } = source;
  if (errorCode === undefined && errorMessage === undefined) return undefined;
  return {
    ...(errorCode != null && { error_code: errorText(errorCode, maxErrorCode) }),
    ...(errorMessage != null && { error_message: errorText(errorMessage, maxErrorMessage) }),
  };
}

/** Error texts often come from other libraries and can be long. A long one is cut, so that the event is not refused. */
function errorText(value: unknown, max: number): unknown {
  if (typeof value === 'number' || (typeof value === 'bigint' && !isHuge(value))) return String(value);
  if (isError(value)) return errorText(value.message, max);
  return typeof value === 'string' && value.length > max ? `${value.slice(0, max - 1)}…` : value;
}

function wireOutcome(outcome: Members, errors: Members): Members {
  const { outcomeStatus, errorCode: _code, errorMessage: _message, ...rest } = outcome;
  return { ...(outcomeStatus !== undefined && { outcome_status: outcomeStatus }), ...errors, ...rest };
}

function wireMetadata(metadata: Members): Members | undefined {
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

/** @param service the envelope's `service` if the caller gave none */
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

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
