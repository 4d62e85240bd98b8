import { missingMatter } from './missing-schemas.ts';
import { amount, count, list, object, type Schema, text } from './shapes.ts';
import { eventViewRef } from './view-schemas.ts';

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
      missing: list(missingMatter, 'What is missing, or may be'),
    }),
  },
  { investigation_id: text, correlation_id: text, trace_id: text, run_id: text },
);
