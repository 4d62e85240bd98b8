import type { LogKeyRotation } from './log.ts';

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
  /** Only with `verify=true`, and where the tenant has a chain. */
  readonly evidence?: PageEvidence;
}

/**
 * What a client needs to verify the events of a page. Each event then has its bytes in `record`, unless the reader may not see
 * it. It does not show that no event was left out.
 */
export interface PageEvidence {
  /** The log that the checkpoint is of, `<log name>/<tenant>/<epoch>`. */
  readonly origin: string;
  /** The newest checkpoint that exists, a signed note. Absent where none was signed yet: nothing is signed for a list. */
  readonly checkpoint?: string;
  /**
   * Multiproof of the page's records in the tree of the checkpoint, standard base64. It covers the records of the checkpoint's epoch whose
   * sequence number is less than the tree's size, and no others. Empty if the page has no such record.
   */
  readonly hashes: readonly string[];
  /** Verifier keys that the log shows as its own, newest first. They prove nothing by themselves. */
  readonly keys: readonly string[];
  /** As of {@link LogKeys}. */
  readonly rotations: readonly LogKeyRotation[];
}

/** Most events of a page with evidence. */
export const maxVerifiablePage = 200;

/** The first line of an export with evidence: the checkpoint to which the proof leads. */
export interface EvidenceHead {
  readonly tallystick_selection: 1;
  /** The log that the checkpoint is of. */
  readonly origin: string;
  /** The signed note. */
  readonly checkpoint: string;
  /** As of {@link LogKeys}. */
  readonly rotations: readonly LogKeyRotation[];
}

/** A line of an export with evidence. */
export interface EvidenceLine {
  readonly epoch: number;
  readonly sequence_number: number;
  /** Hashes of the multiproof before this record, base64; absent if no hash comes before it. */
  readonly hashes?: readonly string[];
  /** The text that was hashed. */
  readonly record?: string;
  /** What is shown instead: the reader may not see the record, or its bytes are no record any more. */
  readonly withheld?: EventView;
}

/** Header of the answer to an export: the position where it ends, `<epoch>-<sequence_number>`. */
export const exportUntilHeader = 'tallystick-export-until';
