/** Proof of acceptance: the place of an event in its tenant's chain. The SDK's `record()` resolves with it. */
export interface Receipt {
  readonly audit_id: string;
  readonly tenant_id: string;
  readonly epoch: number;
  readonly sequence_number: number;
  /** SHA-256 of the record's bytes, 64 hexadecimal digits. */
  readonly record_hash: string;
  /** RFC 3339, by the service's clock. */
  readonly ingested_at: string;
}

/** One reason for a refusal. The service may use codes that this version does not know. */
export interface Reason {
  readonly code: string;
  /** RFC 6901 JSON pointer into the event; `""` points to the whole event. */
  readonly pointer: string;
  readonly message: string;
}

/** Why the service refused an event. */
export interface ItemError {
  readonly code: string;
  readonly message: string;
  readonly pointer?: string;
  readonly violations?: readonly Reason[];
  /** Id of the dead letter that keeps the event; absent where the submitter had no right to submit it. */
  readonly dead_letter_id?: string;
}

/** The event is in its tenant's chain. `duplicate`: it was there before, with the same content. */
export interface ChainedResult {
  readonly status: 'chained' | 'duplicate';
  readonly receipt: Receipt;
}

/** The event is durable in a queue and will be chained later: there is no receipt yet. */
export interface AcceptedResult {
  readonly status: 'accepted';
  readonly audit_id: string;
}

/**
 * The service refused the event.
 * - `rejected`: because of its content; the same bytes will be refused again.
 * - `conflict`: its `audit_id` belongs to an event with other content.
 */
export interface RefusedResult<E extends ItemError = ItemError> {
  readonly status: 'conflict' | 'rejected';
  readonly error: E;
}

/** The result for one event of a batch. */
export type ItemResult<E extends ItemError = ItemError> = ChainedResult | AcceptedResult | RefusedResult<E>;

/** The answer to a batch: one result for each event, in their order. `index` is the event's position in the batch. */
export interface BatchResult<E extends ItemError = ItemError> {
  readonly results: readonly (ItemResult<E> & { readonly index: number })[];
}
