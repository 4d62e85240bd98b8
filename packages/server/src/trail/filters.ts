/** What a list or a tail can be narrowed to. Names are those of the API's parameters. */
export interface EventFilters {
  /** A type, or a prefix of types as `alert.*`. */
  readonly event_type?: string | undefined;
  readonly event_category?: string | undefined;
  /** Events without one count as `info`. */
  readonly severity?: string | undefined;
  readonly actor_type?: string | undefined;
  readonly actor_id?: string | undefined;
  readonly target_type?: string | undefined;
  readonly target_id?: string | undefined;
  readonly investigation_id?: string | undefined;
  readonly alert_id?: string | undefined;
  readonly correlation_id?: string | undefined;
  readonly trace_id?: string | undefined;
  readonly outcome_status?: string | undefined;
  readonly source_service?: string | undefined;
  readonly is_sensitive?: boolean | undefined;
  /** Of the event's own `timestamp`, RFC 3339; `from` is included, `to` is not. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Of `ingested_at`, likewise. */
  readonly ingested_from?: string | undefined;
  readonly ingested_to?: string | undefined;
  /** Both ends included. */
  readonly sequence_from?: number | undefined;
  readonly sequence_to?: number | undefined;
}

/** In the order of the statement's parameters. */
const equalities = [
  'event_category',
  'severity',
  'actor_type',
  'actor_id',
  'target_type',
  'target_id',
  'investigation_id',
  'alert_id',
  'correlation_id',
  'trace_id',
  'outcome_status',
  'source_service',
] as const satisfies readonly (keyof EventFilters)[];

const times = [
  'from',
  'to',
  'ingested_from',
  'ingested_to',
] as const satisfies readonly (keyof EventFilters)[];

/**
 * Filters over what a redacted record does not show. A reader without the scope for sensitive records gets none of
 * them where one of these is set: a redacted row in the answer would say that the filter fits.
 */
const overContent = [
  'event_type',
  ...equalities,
  'from',
  'to',
] as const satisfies readonly (keyof EventFilters)[];

export function filtersContent(filters: EventFilters): boolean {
  return overContent.some((name) => filters[name] !== undefined);
}

/** Values of the parameters $9 to $27 of list-events.sql. */
export function filterParameters(filters: EventFilters): unknown[] {
  const type = filters.event_type;
  const isPrefix = type?.endsWith('.*') === true;
  return [
    isPrefix ? null : (type ?? null),
    isPrefix ? type.slice(0, -1) : null,
    ...equalities.map((name) => filters[name] ?? null),
    filters.is_sensitive ?? null,
    ...times.map((name) => filters[name] ?? null),
  ];
}
