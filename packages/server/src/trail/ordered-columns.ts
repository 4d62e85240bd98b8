/** Columns with an index that ends in the sequence number: it gives the rows with a value in the order of the chain. */
export const orderedColumns = [
  'event_type',
  'actor_id',
  'target_id',
  'investigation_id',
  'correlation_id',
] as const;
export type OrderedColumn = (typeof orderedColumns)[number];
