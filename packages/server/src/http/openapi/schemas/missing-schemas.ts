import type { MissingKind } from '@tallystick/protocol';
import { count, list, object, type Schema, text } from './shapes.ts';

/** The record that shows it. A record that can't be read may have no number: -1. */
const record = object({ audit_id: text, sequence_number: { type: 'integer', minimum: -1 } });
const sample = { count, records: list(record, 'The first ten') };
const action = [{ action: text, record }, { target: text }] as const;
const producer = [{ producer_id: text, record }, { service: text }] as const;

/** What something that is missing has beside its kind: required members, then optional ones. */
const members: {
  readonly [kind in MissingKind]: readonly [
    { readonly [name: string]: Schema },
    { readonly [name: string]: Schema }?,
  ];
} = {
  records_cut: [{ count }],
  causes_cut: [{ count }],
  deliveries_cut: [{ count }],
  action_open: action,
  action_waiting: action,
  preparation_open: action,
  ends_disagree: [{ action: text, ends: list(text), ...sample }],
  cause_unknown: [{ cause: text, record }],
  state_unexplained: [{ record }, { state: text }],
  event_conflict: [{ audit_id: text, record }],
  producer_gap: [{ ...producer[0], events: count }, producer[1]],
  producer_unclosed: producer,
  producer_contradiction: producer,
  events_refused: [{ events: count }],
  records_sensitive: [sample],
  records_damaged: [sample],
  records_claimed: [sample],
};

/** Something that shows that records are missing, or may be (`MissingMatter` of the protocol). */
export const missingMatter: Schema = {
  description:
    'Something that is missing, or may be. `kind` says what, and never changes its meaning; who shows it writes the sentence. ' +
    'Readers must expect further kinds.',
  oneOf: Object.entries(members).map(([kind, [required, optional]]) =>
    object({ kind: { const: kind }, ...required }, optional),
  ),
};
