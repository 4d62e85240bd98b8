import { eventViewRef } from './view-schemas.ts';

type Schema = { readonly [keyword: string]: unknown };

const text = { type: 'string' };
const count = { type: 'integer', minimum: 0 };
const amount = { type: 'number', minimum: 0 };

function object(
  required: { readonly [name: string]: Schema },
  optional: { readonly [name: string]: Schema } = {},
): Schema {
  return {
    type: 'object',
    required: Object.keys(required),
    properties: { ...required, ...optional },
    additionalProperties: false,
  };
}

function list(items: Schema, description?: string): Schema {
  return { type: 'array', items, ...(description !== undefined && { description }) };
}

const model = object({
  model: text,
  calls: count,
  input_tokens: amount,
  output_tokens: amount,
  cost_usd: amount,
  latency_ms: amount,
  calls_without_cost: count,
});
const person = object({ person: text, did: text, audit_id: text }, { latency_ms: amount, comment: text });
const effect = object(
  {
    action: text,
    group: { enum: ['done', 'not_done', 'undone'] },
    ends: list(text, 'How it ended. Several: the records contradict each other'),
    audit_ids: list(text),
  },
  { target: text },
);

/** A timeline: records that belong together, as a tree of causes (`TimelineView` of the protocol). */
export const timelineView: Schema = object(
  {
    tenant_id: text,
    records: list(
      object({
        depth: { ...count, description: 'How many branches lead to it' },
        is_root: { type: 'boolean', description: 'It begins a line of its own' },
        elapsed_ms: { ...amount, description: 'Since the first record' },
        duration_ms: { ...amount, description: 'Until the last record that it led to' },
        event: eventViewRef,
      }),
      'In the order in which the tree is drawn',
    ),
    complete: { type: 'boolean', description: 'False if there are more records than were read' },
    outside: list(
      object({ audit_id: text }, { event: eventViewRef }),
      'Causes that are not among the records. Those without an event are not in the trail',
    ),
    outside_complete: { type: 'boolean' },
    deliveries: list(
      eventViewRef,
      "The tenant's newest records about losses, conflicts and producers that ended without a word",
    ),
    deliveries_complete: { type: 'boolean' },
    summary: object({
      models: list(model, 'Calls of models with their sums'),
      people: list(person),
      effects: list(effect, 'What was done, refused or undone'),
      quarantined: list(text, '`audit_id` of each record about a text that was kept from a model'),
      missing: list(text, 'Sentences about what is missing, or may be'),
    }),
  },
  { investigation_id: text, correlation_id: text, trace_id: text, run_id: text },
);
