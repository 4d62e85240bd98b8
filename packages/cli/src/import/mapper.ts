import { createHash } from 'node:crypto';
import { type AuditEvent, uuidv8FromDigest } from '@tallystick/event';
import { cleanText, clip, identifier } from './admissible.ts';
import type { SourceText } from './source-json.ts';
import type { TenantOf } from './tenant-template.ts';

/** Options for all events of one import. They become part of the events, so a second import must use the same options. */
export interface MapOptions {
  readonly tenantOf: TenantOf | undefined;
  /** `source_service` of the events. @defaultValue the system that wrote the log; the format knows it */
  readonly sourceService?: string | undefined;
  /** `cluster` of the events. @defaultValue from the source event, if it has one */
  readonly cluster?: string | undefined;
  readonly sensitive?: boolean | undefined;
  readonly retentionDays?: number | undefined;
}

/** Where a source event without an id of its own is from. */
export interface Occurrence {
  /** The host and the file that the event was read from, or what the user named instead. */
  readonly origin: string;
  /** How many equal texts came before in the file. */
  readonly ordinal: number;
}

/**
 * Maps one source event to an event. Pure: the same text and options MUST give the same event, byte for byte. Otherwise a
 * second import would conflict with the first one.
 *
 * @param occurrence only formats whose events have no ids need it
 * @throws {MappingError}
 */
export type Mapper = (source: SourceText, options: MapOptions, occurrence: Occurrence) => AuditEvent;

/**
 * The id of an imported event: a UUIDv8 from SHA-256 of the format and the source event's own id. The parts are separated by
 * U+0000, which no JSON text contains unescaped.
 */
export function deriveAuditId(...parts: readonly string[]): string {
  const hash = createHash('sha256').update(['tallystick/import/v1', ...parts].join('\0'));
  return uuidv8FromDigest(hash.digest());
}

/** The CommonEnvelope of an imported event: the members that are useful to read, and the original text. */
export function envelope(
  source: SourceText,
  about: { readonly service: string; readonly operation: string; readonly status: string },
  payload: { readonly [member: string]: unknown },
): NonNullable<AuditEvent['event_data']> {
  return {
    version: '1.0',
    service: identifier(about.service) ?? 'unknown',
    operation: identifier(about.operation) ?? 'unknown',
    status: clip(about.status, 64),
    payload,
    source_payload: {
      original: source.original,
      sha256: createHash('sha256').update(source.original).digest('hex'),
    },
  };
}

/**
 * The event without the text of its source, for a source that does not fit: in base64, which needs no escapes, or only the
 * text's hash and size. Undefined if the event does not contain the text.
 */
export function withoutOriginal(event: AuditEvent, how: 'base64' | 'hash'): AuditEvent | undefined {
  const { original, sha256 }: { original?: unknown; sha256?: unknown } =
    event.event_data?.source_payload ?? {};
  if (event.event_data === undefined || typeof original !== 'string') return undefined;
  const bytes = Buffer.from(original);
  const kept =
    how === 'base64'
      ? { original_base64: bytes.toString('base64') }
      : { original_left_out: true, bytes: bytes.length };
  return { ...event, event_data: { ...event.event_data, source_payload: { sha256, ...kept } } };
}

/** The fields that the options set in every event. */
export function fromOptions(options: MapOptions): Partial<AuditEvent> {
  return {
    ...(options.cluster !== undefined && { cluster: cleanText(options.cluster) }),
    ...(options.sensitive === true && { is_sensitive: true }),
    ...(options.retentionDays !== undefined && { retention_days: options.retentionDays }),
  };
}
