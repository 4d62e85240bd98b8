import { fieldTerms } from '@tallystick/event';
import type { DatabaseFollower } from '../follower.ts';
import { type TermIndex, termIndexFollower } from '../term-index.ts';

/** Where the field index is. */
export const fieldTermIndex: TermIndex = {
  name: 'field-index',
  table: 'audit_field_terms',
  summaries: 'audit_field_blocks',
  termsOf: fieldTerms,
};

/** Keeps the field index, by which filters find records: the terms of each record in `audit_field_terms`. */
export function fieldIndex(): DatabaseFollower {
  return termIndexFollower(fieldTermIndex);
}
