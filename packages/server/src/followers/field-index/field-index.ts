import { fieldTerms } from '@tallystick/event';
import type { DatabaseFollower } from '../follower.ts';
import { type TermIndexOptions, termIndexFollower } from '../term-index.ts';

/** Keeps the field index, by which filters find records: the terms of each record in `audit_field_terms`. */
export function fieldIndex(options?: TermIndexOptions): DatabaseFollower {
  const index = {
    name: 'field-index',
    table: 'audit_field_terms',
    summaries: 'audit_field_blocks',
    termsOf: fieldTerms,
  } as const;
  return termIndexFollower(index, options);
}
