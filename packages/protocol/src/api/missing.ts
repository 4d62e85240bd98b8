/** A record that shows something: enough to name it and to lead to it. */
export interface RecordReference {
  readonly audit_id: string;
  readonly sequence_number: number;
}

/** Some records of a larger number. */
export interface RecordSample {
  /** How many records there are. */
  readonly count: number;
  /** The first ten of them. */
  readonly records: readonly RecordReference[];
}

/** A producer that wrote records of a timeline, and what the service recorded about it. */
interface ProducerMatter {
  readonly producer_id: string;
  readonly service?: string;
  /** The service's record that says so. */
  readonly record: RecordReference;
}

/**
 * Something that shows that records of a timeline are missing, or may be, or can't be relied on. It has no sentence: who shows it writes one,
 * with links to what it names.
 *
 * - `records_cut`, `causes_cut`, `deliveries_cut`: there are more records, causes or records about deliveries than the `count` that were read.
 * - `action_open`, `action_waiting`, `preparation_open`: an action was declared and has no end, waits for an approval, or was only prepared.
 * - `ends_disagree`: records disagree on how an action ended.
 * - `cause_unknown`: a record names a cause that is not in the trail.
 * - `state_unexplained`: the state before a change is not the end of another one.
 * - `event_conflict`: another event had the id of one of the records, or of a cause, and was refused.
 * - `producer_gap`, `producer_unclosed`, `producer_contradiction`: a producer lost events, ended without its last number, or contradicts itself.
 * - `events_refused`: events of the tenant were refused since the first record. They are dead letters.
 * - `records_sensitive`, `records_damaged`, `records_claimed`: records that this reader may not read, that can't be read because the trail was
 *   changed, and that a client wrote though only the service writes such ones.
 */
export type MissingMatter =
  | { readonly kind: 'records_cut' | 'causes_cut' | 'deliveries_cut'; readonly count: number }
  | {
      readonly kind: 'action_open' | 'action_waiting' | 'preparation_open';
      readonly action: string;
      readonly target?: string;
      readonly record: RecordReference;
    }
  | ({
      readonly kind: 'ends_disagree';
      readonly action: string;
      readonly ends: readonly string[];
    } & RecordSample)
  | { readonly kind: 'cause_unknown'; readonly cause: string; readonly record: RecordReference }
  | { readonly kind: 'state_unexplained'; readonly state?: string; readonly record: RecordReference }
  | { readonly kind: 'event_conflict'; readonly audit_id: string; readonly record: RecordReference }
  | ({ readonly kind: 'producer_gap'; readonly events: number } & ProducerMatter)
  | ({ readonly kind: 'producer_unclosed' | 'producer_contradiction' } & ProducerMatter)
  | { readonly kind: 'events_refused'; readonly events: number }
  | ({ readonly kind: 'records_sensitive' | 'records_damaged' | 'records_claimed' } & RecordSample);

/** The kinds of {@link MissingMatter}. */
export type MissingKind = MissingMatter['kind'];
