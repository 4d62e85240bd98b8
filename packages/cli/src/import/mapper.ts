import { createHash } from 'node:crypto';
import { type AuditEvent, uuidv8FromDigest } from '@tallystick/event';
import { cleanText, clip, identifier } from './admissible.ts';
import type { SourceText } from './source-json.ts';
import type { TenantOf } from './tenant-template.ts';

/** What the user says about all events of one import. It goes into the events, so a second run must say the same. */
export interface MapOptions {
  readonly tenantOf: TenantOf | undefined;
  /** `source_service` of the events. @defaultValue what wrote the log, see the format */
  readonly sourceService?: string | undefined;
  /** `cluster` of the events. @defaultValue what the source says, if anything */
  readonly cluster?: string | undefined;
  readonly sensitive?: boolean | undefined;
  readonly retentionDays?: number | undefined;
}

/**
 * Makes an event of one source event. Pure: the same text and options give the same event, byte for byte, or a second
 * import would conflict with the first instead of repeating it.
 *
 * @param ordinal how many equal texts came before in the file; only formats without ids of their own need it
 * @throws {MappingError}
 */
export type Mapper = (source: SourceText, options: MapOptions, ordinal: number) => AuditEvent;

/**
 * The identity of an imported event: a UUIDv8 of SHA-256 over the format and the source's own identity. Parts are
 * separated by U+0000, which no JSON text holds unescaped.
 */
export function deriveAuditId(...parts: readonly string[]): string {
  const hash = createHash('sha256').update(['tallystick/import/v1', ...parts].join('\0'));
  return uuidv8FromDigest(hash.digest());
}

/** The CommonEnvelope of an imported event: what is useful to read, and the original, verbatim. */
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

/** What the options add to every event. */
export function fromOptions(options: MapOptions): Partial<AuditEvent> {
  return {
    ...(options.cluster !== undefined && { cluster: cleanText(options.cluster) }),
    ...(options.sensitive === true && { is_sensitive: true }),
    ...(options.retentionDays !== undefined && { retention_days: options.retentionDays }),
  };
}
