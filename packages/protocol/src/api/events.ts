/**
 * An event as the API shows it: the flat record, with the event's fields beside the chain's. A sensitive event shows only
 * its identity to a reader without the scope.
 */
export interface EventView {
  readonly [field: string]: unknown;
}

/**
 * Types of the records that the service keeps for itself: a principal read the trail, and the account of a producer changed. Lists
 * and streams leave them out unless they are asked for: they say nothing about the application, and reads are recorded while
 * a person looks at the list.
 */
export const bookkeepingTypes = ['audit.read', 'audit.accounts_changed'] as const;

/** A page of a list of events. */
export interface EventPage {
  readonly events: readonly EventView[];
  /** Opaque; absent on the last page. */
  readonly next_cursor?: string;
  /** True where records of {@link bookkeepingTypes} lie between the events of this page and were left out. */
  readonly reads_left_out?: boolean;
  /** False where the request reached the end of its budget before the page was full. `next_cursor` goes on from there. */
  readonly complete?: false;
  /** Only with `complete`: the last sequence number in the field index; -1 if it has none. */
  readonly indexed_to?: number;
}

/** Header of the answer to an export: the position where it ends, `<epoch>-<sequence_number>`. */
export const exportUntilHeader = 'tallystick-export-until';
