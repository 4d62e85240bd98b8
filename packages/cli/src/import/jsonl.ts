import { type AuditEvent, actorTypes, eventShape } from '@tallystick/event';
import { boundedCopy, cleanText, identifier, present, typePart, utcTimestamp } from './admissible.ts';
import {
  deriveAuditId,
  envelope,
  fromOptions,
  type MapOptions,
  type Mapper,
  type Occurrence,
} from './mapper.ts';
import { identity, MappingError, object, type SourceObject, type SourceText, text } from './source-json.ts';

/**
 * Maps JSON Lines: audit events, or objects with similar members.
 *
 * A line that has only fields of an event is used as it is. Missing fields are filled in:
 *
 * | field | from |
 * |---|---|
 * | `tenant_id` | `--tenant` |
 * | `audit_id` | SHA-256 of the file's origin, the line, and the number of equal lines before it in the file |
 * | `timestamp` | `time`, `ts`, `@timestamp`; an offset is converted to UTC; a number with 9 or 10 digits before the point is seconds, with 12 or 13 milliseconds |
 * | `event_type` | `type` or `event`, in lower case and with dots |
 * | `actor_id`, `actor_type` | `actor` or `user`: a text, a number, or the `id` of an object; otherwise `unknown` of the type `system` |
 * | `source_service` | `--source`, `service`; otherwise `import` |
 *
 * Other members become `event_data.payload`, and the line itself becomes `event_data.source_payload.original`. The line is
 * also kept if a number in it does not fit a double. The members that a chain added to an exported record are left out: only
 * the event in the record is imported.
 */
export const mapJsonLine: Mapper = (source, options, occurrence) => {
  const line = source.value;
  const fields: { [name: string]: unknown } = {};
  const foreign: { [name: string]: unknown } = {};
  const isRecord = chainMembers.every((name) => Object.hasOwn(line, name));
  for (const [name, value] of Object.entries(line)) {
    if (isRecord && chainMembers.includes(name)) continue;
    if (Object.hasOwn(eventShape.fields, name)) fields[name] = value;
    else
      Object.defineProperty(foreign, name, { value, enumerable: true, configurable: true, writable: true });
  }
  const isForeign = Object.keys(foreign).length > 0;
  if (isForeign && fields.event_data !== undefined) {
    const names = Object.keys(foreign).slice(0, 5).join(', ');
    throw new MappingError(
      'SOURCE_UNSUPPORTED',
      `has event_data together with unknown fields: ${cleanText(names)}`,
    );
  }
  const filled = fill(fields, source, options, occurrence);
  if (!isForeign && (!source.hadInexactNumbers || fields.event_data !== undefined)) return filled;
  const about = {
    service: String(filled.source_service),
    operation: String(filled.event_action ?? filled.event_type),
    status: String(filled.outcome?.outcome_status ?? 'unknown'),
  };
  const payload = boundedCopy(foreign) ?? {};
  return {
    ...filled,
    event_data: envelope(source, about, payload as { readonly [member: string]: unknown }),
  };
};

/** Members that `flattenRecord` of `@tallystick/log` adds to the fields of the event. */
const chainMembers = ['sequence_number', 'previous_hash', 'record_hash', 'ingested_at', 'ingest'];

/** Identities that some systems write as numbers. */
const numberedFields = ['target_id', 'correlation_id', 'namespace', 'cluster'];

function fill(
  fields: { readonly [name: string]: unknown },
  source: SourceText,
  options: MapOptions,
  { origin, ordinal }: Occurrence,
): AuditEvent {
  const line = source.value;
  const tenant = identity(fields.tenant_id) ?? fields.tenant_id ?? options.tenantOf?.(line);
  if (tenant === undefined)
    throw new MappingError('FIELD_REQUIRED', 'has no tenant_id, and --tenant is not given');
  const sourceService =
    fields.source_service ?? options.sourceService ?? identifier(text(line.service)) ?? 'import';
  const numbered = Object.fromEntries(
    numberedFields.flatMap((name) =>
      typeof fields[name] === 'number' ? [[name, identity(fields[name])]] : [],
    ),
  );
  const filled = {
    ...fields,
    ...numbered,
    ...fromOptions(options),
    tenant_id: tenant,
    audit_id: fields.audit_id ?? deriveAuditId('jsonl', origin, source.original, String(ordinal)),
    timestamp: timestampOf(fields.timestamp, line),
    event_type: fields.event_type ?? eventTypeOf(line),
    source_service: sourceService,
    ...actorOf(fields, line),
  };
  // A field of the line may have any value here: the event is validated after mapping.
  return filled as unknown as AuditEvent;
}

function timestampOf(own: unknown, line: SourceObject): string {
  const value = own ?? line.time ?? line.ts ?? line['@timestamp'];
  if (typeof value === 'number') {
    // Both are times between 1973 and 2286. No number is both.
    const isSeconds = value >= 1e8 && value < 1e10;
    const isMilliseconds = value >= 1e11 && value < 1e13;
    if (isSeconds || isMilliseconds)
      return new Date(Math.round(isSeconds ? value * 1_000 : value)).toISOString();
    const reason =
      'timestamp is a number that is neither Unix seconds nor milliseconds; write an RFC 3339 time instead';
    throw new MappingError('TIMESTAMP_INVALID', reason);
  }
  if (typeof value === 'string') return utcTimestamp(value, 'timestamp');
  // The time of the import is no substitute: it would be another at the next import, and the events would conflict.
  throw new MappingError('FIELD_REQUIRED', 'has no timestamp (nor time, ts or @timestamp)');
}

function eventTypeOf(line: SourceObject): string {
  const name = text(line.type) ?? text(line.event);
  if (name === undefined) throw new MappingError('FIELD_REQUIRED', 'has no event_type (nor type or event)');
  const parts = name.split(/[./:]+/).filter((part) => part !== '');
  return (parts.length > 1 ? parts : ['import', name]).map(typePart).join('.');
}

function actorOf(fields: { readonly [name: string]: unknown }, line: SourceObject): Partial<AuditEvent> {
  const named = identity(fields.actor_id) ?? nameOf(line.actor) ?? nameOf(line.user);
  const type = fields.actor_type ?? (named === undefined ? 'system' : 'user');
  const known = actorTypes.includes(type as (typeof actorTypes)[number]);
  // A malformed value is kept: validation then rejects it and names the field.
  return present({
    actor_type: (known ? type : fields.actor_type) as AuditEvent['actor_type'],
    actor_id: (identity(fields.actor_id) ?? fields.actor_id ?? identifier(named) ?? 'unknown') as string,
  });
}

/** `"jane"`, `42`, or `{"id":42}`. */
function nameOf(value: unknown): string | undefined {
  const { id, name } = object(value);
  return identity(value) ?? identity(id) ?? identity(name);
}
