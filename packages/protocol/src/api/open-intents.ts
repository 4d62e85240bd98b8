/**
 * What is missing of an action of an agent.
 * - `open`: its end, and the deadline has not passed, or the end may still be on its way.
 * - `early`: its intent, which may still be on its way.
 * - `unresolved`: its end, as `agent.action.unresolved` says in the chain.
 * - `unexplained`: its intent, as `agent.action.unexplained` says in the chain.
 */
export const openIntentStates = ['open', 'early', 'unresolved', 'unexplained'] as const;

/** One of {@link openIntentStates}. */
export type OpenIntentState = (typeof openIntentStates)[number];

/** An action of an agent of which the chain has the intent or the end, and not both. */
export interface OpenIntent {
  readonly tenant_id: string;
  /** The `audit_id` of the intent; of the end itself, if the end names no intent. */
  readonly intent_id: string;
  readonly state: OpenIntentState;
  /** The record that the chain has: of the intent or of the end. */
  readonly audit_id: string;
  readonly epoch: number;
  readonly sequence_number: number;
  /** When this record was chained. */
  readonly ingested_at: string;
  /** How long ago that was, by the clock of the service's database. */
  readonly age_seconds: number;
  /** When the end must be in the chain; null where the intent is what is missing. */
  readonly deadline: string | null;
  /** An approval of the service's desk is pending: the deadline begins when it ends. */
  readonly waiting: boolean;
  readonly actor_type: string;
  /** The agent. */
  readonly actor_id: string;
  /** The tool or the action, if the record names it. */
  readonly action: string | null;
  readonly target_type: string | null;
  readonly target_id: string | null;
  /** The service's record about it; null for `open` and `early`. */
  readonly finding_id: string | null;
}

/** A page of the list of open intents, in the order of their deadlines. */
export interface OpenIntentPage {
  readonly open_intents: readonly OpenIntent[];
  /**
   * False: the service has read as many rows as one request may cost, and the page has fewer than `limit` actions. Go on with
   * `next_cursor`.
   */
  readonly complete: boolean;
  /** Age of the oldest record that the list does not take into account yet, in seconds; 0: it is current. */
  readonly behind_seconds: number;
  readonly next_cursor?: string;
}
