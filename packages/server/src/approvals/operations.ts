import { randomBytes } from 'node:crypto';
import type { OperationAttempt, OperationOutcome, OperationState } from '@tallystick/protocol';
import type { EventItem, ItemOutcome } from '../chain/batch.ts';
import {
  type BegunOperation,
  operationBegunRecord,
  operationFinishedRecord,
  outcomeDigest,
} from '../chain/service-records/operation-records.ts';
import { ServerError } from '../errors.ts';
import type { AppendRanges } from '../ingest/append-ranges.ts';
import type { ServiceObserver } from '../observer.ts';
import type { Database, Session } from '../store/database.ts';
import { storeClock } from './approval-rows.ts';
import { operationMismatch, type RecordedOperation, readRecordedOperation } from './recorded-operation.ts';

/** What the operations need of the service. */
export interface OperationParts {
  readonly database: Database;
  readonly appendRanges: AppendRanges;
  /** See `withOwnId`. */
  readonly recordIdSecret?: Uint8Array | undefined;
  /** Learns of operations that contradict their records. */
  readonly observer?: ServiceObserver | undefined;
}

/** Another attempt came first. */
class Overtaken extends Error {}

/**
 * Operations that have an idempotency key. Each begins at most once. The begin and the end are records in the tenant's chain, each in
 * the transaction that stores it.
 */
export class Operations {
  readonly #parts: OperationParts;

  constructor(parts: OperationParts) {
    this.#parts = parts;
  }

  /**
   * Begins an operation, unless another attempt has begun it. Durable when it resolves. A crash after that leaves the operation begun:
   * it may have run, and it does not begin again.
   *
   * @throws {ServerError} `IDEMPOTENCY_KEY_REUSED`, `OPERATION_MISMATCH`, and the errors of the chain
   */
  async begin(attempt: OperationAttempt, principal: string): Promise<OperationState> {
    const known = (await this.#read(attempt)) ?? (await this.#beginNew(attempt, principal));
    if (known === undefined) return { status: 'begun' };
    if (known.document_digest !== attempt.document_digest)
      throw new ServerError('IDEMPOTENCY_KEY_REUSED', 'the idempotency key belongs to another document');
    const { intent_id, ended } = known;
    return { status: 'known', intent_id, ...(ended !== undefined && { outcome: ended }) };
  }

  /**
   * Stores how an operation ended. The first outcome stays. Only the principal that began the operation can end it.
   *
   * @throws {ServerError} `OPERATION_MISMATCH`, and the errors of the chain
   */
  async finish(attempt: OperationAttempt, outcome: OperationOutcome, principal: string): Promise<void> {
    const known = await this.#read(attempt);
    if (known === undefined || known.ended !== undefined || known.begun_by !== principal) return;
    if (known.intent_id !== attempt.intent_id.toLowerCase()) return;
    const salt = randomBytes(32).toString('hex');
    const text = JSON.stringify(outcome);
    const end = { status: outcome.status, digest: outcomeDigest(salt, text) };
    const record = operationFinishedRecord(known, end, await storeClock(this.#parts.database));
    await this.#commit(record, async (session) => {
      const { tenant_id, idempotency_key } = known;
      const rows = await session.query(
        `update audit_operations set outcome = $3, outcome_salt = $4
          where tenant_id = $1 and idempotency_key = $2 and outcome is null returning 1 as one`,
        [tenant_id, idempotency_key, text, salt],
      );
      return rows.length > 0;
    });
  }

  /** @returns the operation, if another attempt has begun it meanwhile */
  async #beginNew(attempt: OperationAttempt, principal: string): Promise<RecordedOperation | undefined> {
    const now = await storeClock(this.#parts.database);
    const operation: BegunOperation = {
      ...attempt,
      intent_id: attempt.intent_id.toLowerCase(),
      begun_by: principal,
      begun_at: new Date(now).toISOString(),
    };
    const isFirst = await this.#commit(operationBegunRecord(operation, now), async (session) => {
      const { tenant_id, idempotency_key, document_digest, intent_id, begun_by, begun_at } = operation;
      const rows = await session.query(
        `insert into audit_operations (tenant_id, idempotency_key, document_digest, intent_id, begun_by, begun_at)
         values ($1, $2, $3, $4::uuid, $5, $6::timestamptz) on conflict do nothing returning 1 as one`,
        [tenant_id, idempotency_key, document_digest, intent_id, begun_by, begun_at],
      );
      return rows.length > 0;
    });
    if (isFirst) return undefined;
    const known = await this.#read(attempt);
    if (known === undefined) throw new ServerError('STORE_UNAVAILABLE', 'the operation could not be stored');
    return known;
  }

  /**
   * Chains the record and changes the row in one transaction.
   *
   * @returns whether it did; false if another attempt came first
   * @throws {ServerError} `OPERATION_MISMATCH` if the chain has this record already, and the row does not know of it
   */
  async #commit(record: EventItem, change: (session: Session) => Promise<boolean>): Promise<boolean> {
    const closeBooks = async (session: Session, [outcome]: readonly (ItemOutcome | undefined)[]) => {
      if (!(await change(session))) throw new Overtaken();
      if (outcome?.status !== 'chained') throw this.#observed(operationMismatch());
    };
    try {
      await this.#parts.appendRanges([{ items: [record], closeBooks }]);
      return true;
    } catch (error) {
      if (error instanceof Overtaken) return false;
      throw error;
    }
  }

  async #read(attempt: OperationAttempt): Promise<RecordedOperation | undefined> {
    const { database, recordIdSecret } = this.#parts;
    try {
      return await readRecordedOperation(database, attempt, recordIdSecret);
    } catch (error) {
      throw this.#observed(error);
    }
  }

  #observed(error: unknown): unknown {
    if (error instanceof ServerError && error.code === 'OPERATION_MISMATCH')
      this.#parts.observer?.onApprovalMismatch?.();
    return error;
  }
}
