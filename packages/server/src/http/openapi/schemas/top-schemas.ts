import { eventViewRef } from './view-schemas.ts';

/** The events with the greatest values of a field (`TopEvents` of the protocol). */
export const topEvents: { readonly [keyword: string]: unknown } = {
  type: 'object',
  required: ['tenant_id', 'by', 'records', 'events', 'complete', 'reads_left_out', 'sensitive_left_out'],
  properties: {
    tenant_id: { type: 'string' },
    by: { type: 'string', description: 'What the events are ranked by' },
    records: {
      type: 'integer',
      minimum: 0,
      description: 'Events that match and have the value: so many were ranked',
    },
    events: {
      type: 'array',
      items: {
        type: 'object',
        required: ['value', 'event'],
        properties: {
          value: {
            anyOf: [{ type: 'number' }, { type: 'string' }],
            description: 'A number, or the time for `timestamp`',
          },
          event: eventViewRef,
        },
        additionalProperties: false,
      },
      description:
        'The greatest value first; of events with the same value, the one that was chained last first',
    },
    complete: {
      type: 'boolean',
      description: 'False if the request reached the end of its budget: `next_cursor` ranks the older events',
    },
    next_cursor: { type: 'string' },
    reads_left_out: {
      type: 'boolean',
      description: 'Records of `audit.read` and `audit.accounts_changed` were not ranked',
    },
    sensitive_left_out: { type: 'boolean', description: 'Sensitive events were not ranked' },
  },
  additionalProperties: false,
};
