/**
 * Changes of stored approvals. Each is one transaction: the records of the change are chained, and the row is replaced if nobody
 * changed it since it was read. A crash leaves both or neither. Two replicas that change one approval at once: one succeeds, and the
 * other reads again.
 *
 * An attacker with a login to the database can edit the rows. So a row is used only if the record of its last change describes it, and
 * is changed only if the record of the next change is new.
 */
import { type Approval, type ApprovalStep, advanceApproval } from '@tallystick/protocol';
import type { EventItem, ItemOutcome } from '../chain/batch.ts';
import {
  type ApprovalCause,
  type IntentIds,
  mismatchRecord,
  refusalRecord,
  transitionRecord,
} from '../chain/service-records/approval-records.ts';
import { ownId } from '../chain/service-records/own-id.ts';
import { ServerError } from '../errors.ts';
import type { AppendRanges } from '../ingest/append-ranges.ts';
import type { ServiceObserver } from '../observer.ts';
import type { Session } from '../store/database.ts';
import { storeClock, updateApproval } from './approval-rows.ts';
import {
  approvalMismatch,
  type RecordedApproval,
  type RecordedApprovals,
  readRecordedApproval,
} from './recorded-approval.ts';
import type { WebhookOutbox } from './webhook/outbox.ts';

/** Who calls the desk. */
export interface DeskCaller {
  /** Principal of the request, such as `key:…`. */
  readonly principal: string;
  /** The person or agent behind the principal. Separation of duties compares subjects. */
  readonly subject: string;
  readonly groups?: readonly string[] | undefined;
  /**
   * Checks inside the transaction that the caller's login is still valid.
   *
   * @throws {ServerError} `UNAUTHENTICATED`
   */
  readonly assertValid?: ((session: Session) => Promise<void>) | undefined;
}

/** What a change needs of the service. */
export interface ChangeParts extends RecordedApprovals {
  readonly appendRanges: AppendRanges;
  /** Stores messages about each change. Absent: no endpoint is configured. */
  readonly outbox?: WebhookOutbox | undefined;
  /** Learns of approvals that contradict their records. */
  readonly observer?: ServiceObserver | undefined;
}

/** What a caller attempts. */
export type Attempted = 'decide' | 'claim' | 'withdraw';

/** A step that was not refused. */
export type TakenStep = Extract<ApprovalStep, { approval: Approval }>;

/** Another change came first. The approval is read again. */
export class Overtaken extends Error {}

/** How often one call reads again. Each time, another change of the same approval has succeeded. */
const maxAttempts = 20;

/** Reads and changes stored approvals. */
export class ApprovalChanges {
  readonly #parts: ChangeParts;

  constructor(parts: ChangeParts) {
    this.#parts = parts;
  }

  /**
   * The approval, after the time that has passed took effect.
   *
   * @returns `undefined` if there is no row
   * @throws {ServerError} `APPROVAL_MISMATCH`
   */
  async current(tenantId: string, id: string): Promise<RecordedApproval | undefined> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const stored = await this.#read(tenantId, id);
      if (stored === undefined) return undefined;
      const advanced = await this.#advance(stored);
      if (advanced !== undefined) return advanced;
    }
    throw new ServerError('STORE_UNAVAILABLE', 'other changes of this approval came first again and again');
  }

  /**
   * Lets passed deadlines of one approval take effect.
   *
   * @returns whether this call changed it
   * @throws {ServerError} `APPROVAL_MISMATCH`, and the errors of the chain
   */
  async advanceToNow(tenantId: string, id: string): Promise<boolean> {
    const stored = await readRecordedApproval(this.#parts, tenantId, id);
    if (stored === undefined) return false;
    const advanced = await this.#advance(stored);
    return advanced !== undefined && advanced !== stored;
  }

  /**
   * Applies a step to an approval, and to what it has become if others change it at the same time. A refusal is recorded too.
   *
   * @throws {ServerError} `NOT_FOUND`, `APPROVAL_MISMATCH`, the code of a refusal, and the errors of the chain
   */
  async change(
    tenantId: string,
    id: string,
    attempted: Attempted,
    caller: DeskCaller,
    apply: (approval: Approval, now: number) => ApprovalStep,
  ): Promise<Approval> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      try {
        return await this.#tryChange(tenantId, id, attempted, caller, apply);
      } catch (error) {
        if (isMismatch(error)) await this.#recordMismatch({ tenantId, id }, attempted, caller);
        if (!(error instanceof Overtaken)) throw error;
      }
    }
    throw new ServerError('STORE_UNAVAILABLE', 'other changes of this approval came first again and again');
  }

  async #tryChange(
    tenantId: string,
    id: string,
    attempted: Attempted,
    caller: DeskCaller,
    apply: (approval: Approval, now: number) => ApprovalStep,
  ): Promise<Approval> {
    const stored = await this.current(tenantId, id);
    if (stored === undefined) throw unknownApproval();
    const { approval, version, now, ids } = stored;
    const cause: ApprovalCause = { now, principal: caller.principal };
    const step = apply(approval, now);
    if ('refused' in step) {
      const refusal = { code: step.refused, attempted, subject: caller.subject };
      await this.#commit([refusalRecord(approval, refusal, ids, cause)], caller);
      throw new ServerError(step.refused, step.message);
    }
    await this.commitStep(step, { version: version + 1, ids }, cause, caller, (session) =>
      updateApproval(session, step.approval, version),
    );
    return step.approval;
  }

  async #recordMismatch(
    approval: { readonly tenantId: string; readonly id: string },
    attempted: Attempted,
    caller: DeskCaller,
  ): Promise<void> {
    const cause = { now: await storeClock(this.#parts.database), principal: caller.principal };
    await this.#commit([mismatchRecord(approval, { attempted, subject: caller.subject }, cause)], caller);
  }

  /**
   * Chains the records of a step, changes the row, and stores the messages about it, in one transaction.
   *
   * @param next version of the row after the step, and what the intent belongs to
   * @throws {ServerError} `APPROVAL_MISMATCH` if the chain has a change with this number, and the row does not know of it
   */
  async commitStep(
    { approval, transitions }: TakenStep,
    { version, ids }: { readonly version: number; readonly ids: IntentIds },
    cause: ApprovalCause,
    caller: DeskCaller | undefined,
    store: (session: Session) => Promise<boolean>,
  ): Promise<void> {
    const tenantId = approval.document.tenant_id;
    const changes = transitions.map((transition, index) => {
      const item = transitionRecord(approval, transition, { version, index }, ids, cause);
      return { transition, item, recordId: ownId(tenantId, item.event.audit_id, this.#parts.recordIdSecret) };
    });
    const items = changes.map(({ item }) => item);
    await this.#commit(items, caller, async (session, outcomes) => {
      if (!(await store(session))) return false;
      if (outcomes.some((outcome) => outcome?.status !== 'chained')) {
        this.#parts.observer?.onApprovalMismatch?.();
        throw approvalMismatch();
      }
      await this.#parts.outbox?.announce(session, approval, changes, cause.now);
      return true;
    });
  }

  /** @throws {ServerError} `APPROVAL_MISMATCH` */
  async #read(tenantId: string, id: string): Promise<RecordedApproval | undefined> {
    try {
      return await readRecordedApproval(this.#parts, tenantId, id);
    } catch (error) {
      if (isMismatch(error)) this.#parts.observer?.onApprovalMismatch?.();
      throw error;
    }
  }

  /** @returns the same object if nothing is due; `undefined` if another change came first */
  async #advance(stored: RecordedApproval): Promise<RecordedApproval | undefined> {
    const step = advanceApproval(stored.approval, stored.now);
    if (step.transitions.length === 0) return stored;
    const next = { version: stored.version + 1, ids: stored.ids };
    try {
      await this.commitStep(step, next, { now: stored.now }, undefined, (session) =>
        updateApproval(session, step.approval, stored.version),
      );
    } catch (error) {
      if (error instanceof Overtaken) return undefined;
      throw error;
    }
    return { ...stored, approval: step.approval, version: next.version };
  }

  /** Chains the records and changes the row in one transaction. */
  async #commit(
    items: readonly EventItem[],
    caller: DeskCaller | undefined,
    change?: (session: Session, outcomes: readonly (ItemOutcome | undefined)[]) => Promise<boolean>,
  ): Promise<void> {
    await this.#parts.appendRanges([
      {
        items,
        closeBooks: async (session, outcomes) => {
          await caller?.assertValid?.(session);
          if (change !== undefined && !(await change(session, outcomes))) throw new Overtaken();
        },
      },
    ]);
  }
}

/** Whether a row contradicts its record. */
export function isMismatch(error: unknown): boolean {
  return isOf(error, 'APPROVAL_MISMATCH');
}

/** Whether it is an error of the service with this code. */
export function isOf(error: unknown, code: ServerError['code']): boolean {
  return error instanceof ServerError && error.code === code;
}

/** The tenant has no approval with this id. */
export function unknownApproval(): ServerError {
  return new ServerError('NOT_FOUND', 'no such approval');
}
