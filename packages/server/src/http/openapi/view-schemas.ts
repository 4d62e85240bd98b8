import { problemCodes } from '@tallystick/protocol';

/** A reference to a schema that is not zod's: the event and its view come from the event package's declaration. */
export const eventRef = { $ref: '#/components/schemas/AuditEvent' };
export const eventViewRef = { $ref: '#/components/schemas/EventView' };

/** A record as lists show it: the event's fields with the chain's beside them, or less where it is redacted. */
export function eventViewSchema(event: { readonly [keyword: string]: unknown }): {
  [keyword: string]: unknown;
} {
  const hashSchema = { type: 'string', pattern: '^[0-9a-f]{64}$' };
  return {
    title: 'EventView',
    type: 'object',
    properties: {
      ...(event.properties as object),
      epoch: { type: 'integer' },
      sequence_number: { type: 'integer' },
      previous_hash: hashSchema,
      record_hash: hashSchema,
      ingested_at: { type: 'string', format: 'date-time' },
      ingest: { type: 'object', description: 'How the event came in' },
      record: { type: 'string', description: 'The text that was hashed; with `include=record`' },
      redacted: { const: true, description: 'Sensitive, and the key lacks events:read-sensitive' },
      damaged: { const: true, description: 'The stored bytes are no record any more' },
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

export const problemSchema: { readonly [keyword: string]: unknown } = {
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
          pointer: { type: 'string', description: 'JSON pointer (RFC 6901), or `/name` of a parameter' },
          message: { type: 'string' },
        },
      },
    },
    dead_letter_id: { type: 'string', description: 'Where the refused event is kept' },
    limits: { type: 'object', description: 'What the service takes at most' },
  },
};
