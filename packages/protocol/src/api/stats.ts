/** One group of a count: how many records have these values. */
export interface StatsGroup {
  /**
   * The values by the names of the parts of the grouping; null for records that lack the field. An actor is `type:id`. An hour or a day is
   * the time at which it begins, UTC.
   */
  readonly values: { readonly [part: string]: string | null };
  readonly records: number;
}

/** Records, divided by one or two fields. */
export interface StatsGrouping {
  /** Names of fields, and `hour` or `day`. */
  readonly by: readonly string[];
  /** Those with the most records first. Groups by time are in the order of time. */
  readonly groups: readonly StatsGroup[];
  /** How many groups are not shown, and how many records they have. */
  readonly groups_left_out: number;
  readonly records_left_out: number;
}

/** How many records of a tenant match filters. */
export interface Stats {
  readonly tenant_id: string;
  /** Records that were counted. */
  readonly records: number;
  /** In the order of the request. */
  readonly groupings: readonly StatsGrouping[];
  /**
   * False where the request reached the end of its budget. If there is a `next_cursor`, it counts further records, and the counts are to be
   * added. Without one, records after `counted_to` are not counted yet: ask again later.
   */
  readonly complete: boolean;
  readonly next_cursor?: string;
  /** The last sequence number of the current epoch that was counted, where newer records are not counted yet. */
  readonly counted_to?: number;
  /** The counts are those of whole hours, because too many records lie in the first or last hour of the range. */
  readonly estimate?: true;
  /** Records of the service's bookkeeping were not counted. `include_reads`, or a filter by their type, counts them. */
  readonly reads_left_out: boolean;
  /** Sensitive records were not counted: the credential lacks the scope `events:read-sensitive`. */
  readonly sensitive_left_out: boolean;
  /** The time zone of hours and days. */
  readonly time_zone: 'UTC';
}
