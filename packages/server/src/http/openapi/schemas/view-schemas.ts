import { type IndexedField, indexedFields } from '@tallystick/event';
import { problemCodes } from '@tallystick/protocol';

type Schema = { readonly [keyword: string]: unknown };

/** References to the schemas of events. They are not zod's: they come from the event package's own declaration. */
export const submittedEventRef = { $ref: '#/components/schemas/SubmittedEvent' };
export const eventViewRef = { $ref: '#/components/schemas/EventView' };

/** An event in a request: with the header `Idempotency-Key`, the service fills two fields. */
export function submittedEventSchema(event: Schema): Schema {
  const required = (event.required as string[]).filter((name) => name !== 'audit_id' && name !== 'timestamp');
  return {
    ...event,
    required,
    description:
      'An event. Without the header `Idempotency-Key`, `audit_id` and `timestamp` are required too.',
  };
}

/** A page of a list of events. */
export const eventPage: Schema = {
  type: 'object',
  required: ['events'],
  additionalProperties: false,
  properties: {
    events: { type: 'array', items: eventViewRef },
    next_cursor: { type: 'string', description: 'Absent on the last page' },
    reads_left_out: {
      type: 'boolean',
      description:
        'True if records of the types `audit.read` or `audit.accounts_changed` match the filters, lie within this page and were left out',
    },
    complete: {
      const: false,
      description:
        'The request reached the end of its budget before the page was full. `next_cursor` goes on from there, and may find more',
    },
    indexed_to: {
      type: 'integer',
      minimum: -1,
      description:
        'Only with `complete`: the last sequence number in the field index; -1 if it has none. Newer records are read one by one',
    },
    evidence: {
      type: 'object',
      description:
        'Only with `verify=true`: what a client needs to judge the page by itself (spec/selection.md). It does not show that no event ' +
        'was left out',
      required: ['origin', 'hashes', 'keys', 'rotations'],
      additionalProperties: false,
      properties: {
        origin: { type: 'string', description: 'The log that the checkpoint is of' },
        checkpoint: {
          type: 'string',
          description: 'The newest checkpoint that exists, a signed note. Absent if none was signed yet',
        },
        hashes: {
          type: 'array',
          items: { type: 'string' },
          description:
            'One proof of all records of the page that the checkpoint covers: those of its epoch whose sequence number is less than its ' +
            'size. 32 bytes each, standard base64',
        },
        keys: {
          type: 'array',
          items: { type: 'string' },
          description: 'Verifier keys that the log shows as its own, newest first',
        },
        rotations: {
          type: 'array',
          items: { type: 'object' },
          description: 'Rotations of the key of the log, as `GET /v1/logs/{tenant_id}/keys` answers them',
        },
      },
    },
  },
};

const hash = { type: 'string', pattern: '^[0-9a-f]{64}$' };

/** Indexed fields that the service adds to the record, by name. */
const recordFields = Object.fromEntries(
  indexedFields
    .filter((field: IndexedField) => field.path === undefined)
    .map(({ name, type, description }) => [
      name,
      type === 'timestamp' ? { type: 'string', format: 'date-time', description } : { type, description },
    ]),
);

/** A record as lists show it: the event's fields and those of the chain, or only its identity if it is redacted. */
export function eventViewSchema(event: Schema): Schema {
  return {
    title: 'EventView',
    type: 'object',
    properties: {
      ...(event.properties as object),
      epoch: { type: 'integer' },
      ...recordFields,
      previous_hash: hash,
      record_hash: hash,
      ingest: { type: 'object', description: 'How the service received the event' },
      record: { type: 'string', description: 'The text that was hashed. Only with `include=record`' },
      redacted: {
        const: true,
        description: 'The event is sensitive and the API key lacks the scope events:read-sensitive',
      },
      claimed: {
        const: true,
        description:
          'The event has a type or an actor of the service itself, but a client submitted it: it is the word of that client',
      },
      damaged: { const: true, description: 'The stored bytes are no longer a valid record' },
    },
    required: [
      'tenant_id',
      'audit_id',
      'epoch',
      'sequence_number',
      'previous_hash',
      'record_hash',
      'ingested_at',
    ],
    additionalProperties: false,
  };
}

export const problemSchema: Schema = {
  type: 'object',
  description: 'RFC 9457 problem details',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string', description: '`urn:tallystick:problem:<code>`' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', description: `Stable. One of ${problemCodes.join(', ')}` },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['code', 'pointer', 'message'],
        properties: {
          code: { type: 'string' },
          pointer: {
            type: 'string',
            description: 'JSON pointer (RFC 6901) into the body, or `/name` of a parameter',
          },
          message: { type: 'string' },
        },
      },
    },
    dead_letter_id: { type: 'string', description: 'Id of the dead letter that keeps the refused event' },
    limits: { type: 'object', description: 'The most that the service accepts' },
  },
};
