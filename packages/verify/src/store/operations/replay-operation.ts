import { readRecord } from '@tallystick/log';

/** A record as the store has it. */
export interface OperationRecord {
  readonly epoch: number;
  readonly sequence: number;
  readonly record: string;
}

/** What a record says of a column. */
export interface OperationFact {
  /** `absent` for an outcome that no record has. */
  readonly value: string;
  readonly place: OperationRecord;
}

/** A second record of a begin or an end. The service writes each once, so another program wrote it. */
export interface RepeatedRecord {
  readonly place: OperationRecord;
  readonly what: string;
}

/** One operation, as the service's records describe it (spec/approvals.md). The first record of each kind counts. */
export class ReplayedOperation {
  /** By the name of the column; `undefined` if no record says that the operation has begun. */
  readonly facts: ReadonlyMap<string, OperationFact> | undefined;
  readonly repeated: readonly RepeatedRecord[];

  private constructor(facts: ReadonlyMap<string, OperationFact> | undefined, repeated: RepeatedRecord[]) {
    this.facts = facts;
    this.repeated = repeated;
  }

  /** @param records about one idempotency key, in the order of the chain. Clients may have written some of them */
  static of(records: readonly OperationRecord[]): ReplayedOperation {
    const facts = new Map<string, OperationFact>();
    const repeated: RepeatedRecord[] = [];
    let begun: OperationRecord | undefined;
    for (const place of records) {
      const event = eventOf(place);
      if (event === undefined) continue;
      const { event_type, metadata = {} } = event;
      const isEnd = event_type === 'audit.operation_finished';
      if (isEnd ? facts.has('outcome') : begun !== undefined) {
        repeated.push({ place, what: isEnd ? 'a second end' : 'a second begin' });
        continue;
      }
      if (!isEnd) begun = place;
      for (const [name, value] of Object.entries(metadata))
        facts.set(name === 'outcome_digest' ? 'outcome' : name, { value: String(value), place });
    }
    if (begun === undefined) return new ReplayedOperation(undefined, repeated);
    if (!facts.has('outcome')) facts.set('outcome', { value: 'absent', place: begun });
    return new ReplayedOperation(facts, repeated);
  }
}

/** @returns the idempotency key that a record is about; `undefined` if the service did not write it */
export function targetOf(record: OperationRecord): string | undefined {
  return eventOf(record)?.target_id;
}

interface OperationEvent {
  readonly event_type: string;
  readonly target_id?: string;
  readonly metadata?: { readonly [column: string]: unknown };
}

function eventOf({ record }: OperationRecord): OperationEvent | undefined {
  try {
    const { event, ingest } = readRecord(record);
    return ingest.trust === 'service' ? (event as unknown as OperationEvent) : undefined;
  } catch {
    // Bytes that are not a record are a finding of the chain's check.
    return undefined;
  }
}
