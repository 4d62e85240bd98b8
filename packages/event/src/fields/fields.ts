/**
 * The indexed fields: one table of all fields by which events can be found. The store's columns, the rows that it copies, the
 * check of those columns by a verifier, the filters of lists and streams with their SQL, the terms of the field index, the
 * parameters in the OpenAPI document and the options of the command line are all derived from it.
 *
 * The columns of `audit_records` are frozen: their names, types and order are those of the fields with a `column` below. A field that
 * is added later is `derived`.
 */
import { actorTypes, outcomeStatuses, severities } from '../schema/event.ts';

/** What can be asked about a field. */
export type FieldFilter =
  /** Equal to a text, or to `true` or `false`. */
  | { readonly kind: 'exact'; readonly option?: string }
  /** Equal to one of a closed list of texts. `absent`: the value that an event without the field counts as. */
  | {
      readonly kind: 'enum';
      readonly values: readonly string[];
      readonly absent?: string;
      readonly option?: string;
    }
  /** Equal to a dotted name, or below it where the value ends with `.*`. */
  | { readonly kind: 'prefix'; readonly option?: string }
  /** The id of an actor, or `type:id`. */
  | { readonly kind: 'actor'; readonly option?: string }
  /** One element of a list is equal to a text. */
  | { readonly kind: 'element'; readonly option?: string }
  /** An IP address, or a range of addresses in CIDR notation that holds it. */
  | { readonly kind: 'address'; readonly option?: string }
  /** A member at a path below the field is equal to a text. The path is part of the parameter's name: `metadata.platform`. */
  | { readonly kind: 'member'; readonly option?: string }
  /** Between two values. Each has its own parameter. The lower end is included. */
  | {
      readonly kind: 'range';
      readonly from: RangeEnd;
      readonly to: RangeEnd;
      /** Whether the upper end is included too. */
      readonly inclusive: boolean;
    };

/** One end of a range. */
export interface RangeEnd {
  /** Name of the API's parameter. */
  readonly parameter: string;
  readonly option?: string;
  readonly description: string;
}

/** An indexed field. */
export interface IndexedField {
  /** Name in the API, on the wire and of the column. A filter that is not a range has a parameter of this name. */
  readonly name: string;
  readonly type: 'uuid' | 'timestamp' | 'text' | 'boolean' | 'integer';
  /** Where an event holds it: names of members from the outside in. Absent where the service adds the field to the record. */
  readonly path?: readonly string[];
  /** SQL type of the column that holds the field of an event. Absent where the service adds the field. */
  readonly column?: 'uuid' | 'timestamptz' | 'text' | 'boolean';
  /** Whether an event may lack it; the column is then null. */
  readonly nullable?: boolean;
  /** Whether no column holds it, so that events are found through the index that a follower keeps (spec/field-index.md). */
  readonly derived?: true;
  /** Whether a reader without the scope for sensitive events must not learn this field of one. */
  readonly sensitive: boolean;
  /** How events are narrowed by it; `option` is the name of the command line's option. Absent: they are not. */
  readonly filter?: FieldFilter;
  /** Whether events can be counted by it (facets.ts). */
  readonly facet?: true;
  readonly description: string;
}

/** The table. Event fields come in the order of their columns. */
export const indexedFields = [
  {
    name: 'audit_id',
    type: 'uuid',
    path: ['audit_id'],
    column: 'uuid',
    sensitive: false,
    description: 'Identity of the event',
  },
  {
    name: 'timestamp',
    type: 'timestamp',
    path: ['timestamp'],
    column: 'timestamptz',
    sensitive: true,
    filter: {
      kind: 'range',
      from: { parameter: 'from', option: 'from', description: 'Events that happened at this time or later' },
      to: { parameter: 'to', option: 'to', description: 'Events that happened before this time' },
      inclusive: false,
    },
    description: 'When it happened, by the clock of the emitting service',
  },
  {
    name: 'event_type',
    type: 'text',
    path: ['event_type'],
    column: 'text',
    sensitive: true,
    filter: { kind: 'prefix', option: 'type' },
    facet: true,
    description: 'Event type, or every type below a prefix: `alert.*`',
  },
  {
    name: 'event_category',
    type: 'text',
    path: ['event_category'],
    column: 'text',
    nullable: true,
    sensitive: true,
    filter: { kind: 'exact', option: 'category' },
    facet: true,
    description: "The taxonomy's category of the event type",
  },
  {
    name: 'severity',
    type: 'text',
    path: ['severity'],
    column: 'text',
    nullable: true,
    sensitive: true,
    filter: { kind: 'enum', values: severities, absent: 'info', option: 'severity' },
    facet: true,
    description: 'Severity; an event without one counts as `info`',
  },
  {
    name: 'actor_type',
    type: 'text',
    path: ['actor_type'],
    column: 'text',
    sensitive: true,
    filter: { kind: 'enum', values: actorTypes, option: 'actor-type' },
    facet: true,
    description: 'Kind of actor',
  },
  {
    name: 'actor_id',
    type: 'text',
    path: ['actor_id'],
    column: 'text',
    sensitive: true,
    filter: { kind: 'exact', option: 'actor-id' },
    description: 'Who acted',
  },
  {
    name: 'actor',
    type: 'text',
    path: ['actor_id'],
    sensitive: true,
    filter: { kind: 'actor', option: 'actor' },
    facet: true,
    description: 'Who acted, as an id or as `type:id`: `user:maria`',
  },
  {
    name: 'target_type',
    type: 'text',
    path: ['target_type'],
    column: 'text',
    nullable: true,
    sensitive: true,
    filter: { kind: 'exact', option: 'target-type' },
    facet: true,
    description: 'Kind of the thing that was acted on',
  },
  {
    name: 'target_id',
    type: 'text',
    path: ['target_id'],
    column: 'text',
    nullable: true,
    sensitive: true,
    filter: { kind: 'exact', option: 'target' },
    description: 'The thing that was acted on',
  },
  {
    name: 'investigation_id',
    type: 'text',
    path: ['investigation_id'],
    column: 'text',
    nullable: true,
    sensitive: true,
    filter: { kind: 'exact', option: 'investigation' },
    description: 'Investigation that the event belongs to',
  },
  {
    name: 'alert_id',
    type: 'text',
    path: ['alert_id'],
    column: 'text',
    nullable: true,
    sensitive: true,
    filter: { kind: 'exact', option: 'alert' },
    description: 'Alert that the event belongs to',
  },
  {
    name: 'correlation_id',
    type: 'text',
    path: ['correlation_id'],
    column: 'text',
    nullable: true,
    sensitive: true,
    filter: { kind: 'exact', option: 'correlation' },
    description: 'Request or job that the event belongs to',
  },
  {
    name: 'trace_id',
    type: 'text',
    path: ['trace_id'],
    column: 'text',
    nullable: true,
    sensitive: true,
    filter: { kind: 'exact', option: 'trace' },
    description: 'Trace id (W3C Trace Context)',
  },
  {
    name: 'outcome_status',
    type: 'text',
    path: ['outcome', 'outcome_status'],
    column: 'text',
    nullable: true,
    sensitive: true,
    filter: { kind: 'enum', values: outcomeStatuses, option: 'outcome' },
    facet: true,
    description: 'How it ended',
  },
  {
    name: 'source_service',
    type: 'text',
    path: ['source_service'],
    column: 'text',
    sensitive: true,
    filter: { kind: 'exact', option: 'source' },
    facet: true,
    description: 'Service that emitted the event',
  },
  {
    name: 'is_sensitive',
    type: 'boolean',
    path: ['is_sensitive'],
    column: 'boolean',
    sensitive: false,
    filter: { kind: 'exact' },
    description: 'Only sensitive events, or only events that are not sensitive',
  },
  {
    name: 'entity_ids',
    type: 'text',
    path: ['entity_ids'],
    derived: true,
    sensitive: true,
    filter: { kind: 'element', option: 'entity' },
    description: 'An entity that the event concerns',
  },
  {
    name: 'on_behalf_of',
    type: 'text',
    path: ['on_behalf_of'],
    derived: true,
    sensitive: true,
    filter: { kind: 'actor', option: 'on-behalf-of' },
    description: 'For whom the actor acted, anywhere in the chain of delegation, as an id or as `type:id`',
  },
  {
    name: 'source_ip',
    type: 'text',
    path: ['source_ip'],
    derived: true,
    sensitive: true,
    filter: { kind: 'address', option: 'source-ip' },
    description: 'Address from which the actor acted, or a range: `10.0.0.0/8`, `2001:db8::/32`',
  },
  {
    name: 'metadata',
    type: 'text',
    path: ['metadata'],
    derived: true,
    sensitive: true,
    filter: { kind: 'member', option: 'metadata' },
    description: 'Member of `metadata` at a path, such as `metadata.platform`',
  },
  {
    name: 'context',
    type: 'text',
    path: ['context'],
    derived: true,
    sensitive: true,
    filter: { kind: 'member', option: 'context' },
    description: 'Member of `context` at a path, such as `context.alert.source`',
  },
  {
    name: 'ingested_at',
    type: 'timestamp',
    sensitive: false,
    filter: {
      kind: 'range',
      from: { parameter: 'ingested_from', description: 'Events that were chained at this time or later' },
      to: { parameter: 'ingested_to', description: 'Events that were chained before this time' },
      inclusive: false,
    },
    description: "When it was chained, by the store's clock",
  },
  {
    name: 'sequence_number',
    type: 'integer',
    sensitive: false,
    filter: {
      kind: 'range',
      from: { parameter: 'sequence_from', description: 'Lowest sequence number' },
      to: { parameter: 'sequence_to', description: 'Highest sequence number' },
      inclusive: true,
    },
    description: "Position in the tenant's chain",
  },
] as const satisfies readonly IndexedField[];

type Fields = (typeof indexedFields)[number];

/** The rows of the table that have a column: the indexed fields of an event. */
export type EventField = Extract<Fields, { readonly column: string }>;

/** Name of an indexed field of an event. */
export type EventFieldName = EventField['name'];

/** The indexed fields of an event, in the order of their columns. */
export const eventFields = indexedFields.filter((field): field is EventField => 'column' in field);

const paths = new Map<string, readonly string[]>(eventFields.map(({ name, path }) => [name, path]));

/**
 * The value of an indexed field in an event; `undefined` where the event lacks it. The event may be forged: every member may
 * hold any JSON value.
 */
export function fieldValue(event: { readonly [member: string]: unknown }, name: EventFieldName): unknown {
  let value: unknown = event;
  for (const member of paths.get(name)!) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as { readonly [member: string]: unknown })[member];
  }
  return value;
}
