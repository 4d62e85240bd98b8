/**
 * The approval desk. Each change of an approval is one transaction: the records of the change are chained, and the row is replaced if
 * nobody changed it since it was read. A crash leaves both or neither. Two replicas that change one approval at once: one succeeds,
 * and the other reads again.
 *
 * An attacker with a login to the database can edit the rows. So the desk uses a row only if the record of its last change describes
 * it, and changes it only if the record of the next change is new.
 */
import {
  type Approval,
  type ApprovalClaim,
  type ApprovalRequest,
  type ApprovalRules,
  type ApprovalStep,
  advanceApproval,
  claimApproval,
  decideApproval,
  openApproval,
  tightenRules,
  withdrawApproval,
} from '@tallystick/protocol';
import type { EventItem, ItemOutcome } from '../chain/batch.ts';
import {
  type ApprovalCause,
  type IntentIds,
  intentIds,
  mismatchRecord,
  refusalRecord,
  transitionRecord,
} from '../chain/service-records/approval-records.ts';
import { ownId } from '../chain/service-records/own-id.ts';
import { ServerError } from '../errors.ts';
import type { AppendRanges } from '../ingest/append-ranges.ts';
import type { ServiceObserver } from '../observer.ts';
import type { Session } from '../store/database.ts';
import type { Trail } from '../trail/trail.ts';
import {
  type ApprovalListQuery,
  type DueApproval,
  dueApprovals,
  insertApproval,
  listApprovals,
  storeClock,
  updateApproval,
} from './approval-rows.ts';
import { minimumRules } from './minimum-rules.ts';
import { documentDigest, opensAll } from './openings.ts';
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

/** A decision as it arrives. */
export interface DeskDecision {
  readonly verdict: 'grant' | 'deny';
  readonly document_digest: string;
  readonly comment?: string | undefined;
  readonly break_glass?: boolean | undefined;
}

/** What the desk needs of the service. */
export interface DeskParts extends RecordedApprovals {
  readonly appendRanges: AppendRanges;
  readonly trail: Trail;
  /** Chain of the records about minimum rules for all tenants. */
  readonly serviceTenant: string;
  /** Stores messages about each change. Absent: no endpoint is configured. */
  readonly outbox?: WebhookOutbox | undefined;
  /** Learns of approvals that contradict their records. */
  readonly observer?: ServiceObserver | undefined;
}

/** Another change came first. The desk reads again. */
class Overtaken extends Error {}

const maxDueMismatches = 10_000;

/** How often one call reads again. Each time, another change of the same approval has succeeded. */
const maxAttempts = 20;

export class ApprovalDesk {
  readonly #parts: DeskParts;
  /** Edited rows that the deadlines of this process have met. */
  readonly #dueMismatches = new Set<string>();

  constructor(parts: DeskParts) {
    this.#parts = parts;
  }

  /**
   * Opens an approval. The same id with the same document returns the first approval.
   *
   * @throws {ServerError} `INTENT_UNKNOWN`, `RULES_UNSATISFIABLE`, `HIDDEN_ARGUMENTS_REFUSED`, `DIGEST_MISMATCH`,
   *   `APPROVAL_MISMATCH`, `APPROVAL_RULES_MISMATCH`, and the errors of the chain
   */
  async request(
    { id, intent_id, document, rules: requested = {} }: ApprovalRequest,
    caller: DeskCaller,
  ): Promise<Approval> {
    const document_digest = documentDigest(document);
    const { tenant_id } = document;
    const known = await this.#current(tenant_id, id);
    if (known !== undefined) return sameRequest(known.approval, document_digest, caller);
    const ids = intentIds(await this.#intentOf(tenant_id, intent_id, document_digest));
    const rules = tightenRules(await this.#minimumRules(tenant_id, document.action), requested);
    if (rules === undefined)
      throw new ServerError(
        'RULES_UNSATISFIABLE',
        'no approver fulfils both the rules of the request and those of the service',
      );
    const now = await storeClock(this.#parts.database);
    const step = openApproval(
      { id, intent_id, document, document_digest, requester: caller.subject, rules },
      now,
    );
    if ('refused' in step) throw new ServerError(step.refused, step.message);
    try {
      await this.#commitStep(
        step,
        { version: 1, ids },
        { now, principal: caller.principal },
        caller,
        (session) => insertApproval(session, step.approval),
      );
    } catch (error) {
      if (!(error instanceof Overtaken)) throw error;
      const first = await this.#current(tenant_id, id);
      if (first === undefined) throw new ServerError('STORE_UNAVAILABLE', 'the approval could not be stored');
      return sameRequest(first.approval, document_digest, caller);
    }
    return step.approval;
  }

  /** @throws {ServerError} `NOT_FOUND`, `APPROVAL_MISMATCH` */
  async get(tenantId: string, id: string): Promise<Approval> {
    const stored = await this.#current(tenantId, id);
    if (stored === undefined) throw unknownApproval();
    return stored.approval;
  }

  /**
   * One page, newest first. Deadlines that have just passed may not have taken effect yet. The rows are not compared with their
   * records: nothing is decided by a list.
   */
  async list(
    query: ApprovalListQuery,
  ): Promise<{ readonly approvals: readonly Approval[]; readonly more: boolean }> {
    return await listApprovals(this.#parts.database, query);
  }

  /** @throws {ServerError} `NOT_FOUND`, or one of the refusals of a decision */
  async decide(tenantId: string, id: string, decision: DeskDecision, caller: DeskCaller): Promise<Approval> {
    const { verdict, document_digest, comment, break_glass } = decision;
    return await this.#change(tenantId, id, 'decide', caller, (approval, now) =>
      decideApproval(
        approval,
        {
          subject: caller.subject,
          ...(caller.groups !== undefined && { groups: caller.groups }),
          verdict,
          document_digest,
          ...(comment !== undefined && { comment }),
          ...(break_glass !== undefined && { break_glass }),
        },
        now,
      ),
    );
  }

  /**
   * Uses a granted approval for its one execution. A crash after the commit leaves it used: the executor may have run.
   *
   * @throws {ServerError} `NOT_FOUND`, or one of the refusals of a claim
   */
  async claim(
    { tenant_id, approval_id, attempt, document_digest, openings = {} }: ApprovalClaim,
    caller: DeskCaller,
  ): Promise<Approval> {
    return await this.#change(tenant_id, approval_id, 'claim', caller, (approval, now) =>
      claimApproval(
        approval,
        {
          subject: caller.subject,
          attempt,
          document_digest,
          openings_valid: opensAll(approval.document, openings),
        },
        now,
      ),
    );
  }

  /** @throws {ServerError} `NOT_FOUND`, or one of the refusals of a withdrawal */
  async withdraw(
    tenantId: string,
    id: string,
    comment: string | undefined,
    caller: DeskCaller,
  ): Promise<Approval> {
    const withdrawal = { subject: caller.subject, ...(comment !== undefined && { comment }) };
    return await this.#change(tenantId, id, 'withdraw', caller, (approval) =>
      withdrawApproval(approval, withdrawal),
    );
  }

  /**
   * Lets passed deadlines take effect: reminders, escalations, time-outs, expiries. Every replica may call it; each deadline takes
   * effect once.
   *
   * @returns how many approvals were changed
   * @throws {ServerError} the first error of a chain, after all others were advanced
   */
  async advanceDue(pageSize = 100): Promise<number> {
    let changed = 0;
    let failed: unknown;
    let last: DueApproval | undefined;
    do {
      const page = await dueApprovals(this.#parts.database, pageSize, last);
      for (const { tenant_id, id } of page) {
        try {
          if (await this.#advanceStored(tenant_id, id)) changed++;
        } catch (error) {
          // It stays due. An edited row, or a stopped chain, must not keep the approvals of others waiting.
          if (!isOfOneApproval(error)) throw error;
          if (isMismatch(error)) this.#countDueMismatch(`${tenant_id}/${id}`);
          else failed ??= error;
        }
      }
      last = page.length < pageSize ? undefined : page.at(-1);
    } while (last !== undefined);
    if (failed !== undefined) throw failed;
    return changed;
  }

  /** The row stays due, so every round meets it again. It counts once. */
  #countDueMismatch(approval: string): void {
    if (this.#dueMismatches.has(approval)) return;
    if (this.#dueMismatches.size >= maxDueMismatches) this.#dueMismatches.clear();
    this.#dueMismatches.add(approval);
    this.#parts.observer?.onApprovalMismatch?.();
  }

  async #advanceStored(tenantId: string, id: string): Promise<boolean> {
    const stored = await readRecordedApproval(this.#parts, tenantId, id);
    if (stored === undefined) return false;
    const advanced = await this.#advance(stored);
    return advanced !== undefined && advanced !== stored;
  }

  async #change(
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
    const stored = await this.#current(tenantId, id);
    if (stored === undefined) throw unknownApproval();
    const { approval, version, now, ids } = stored;
    const cause: ApprovalCause = { now, principal: caller.principal };
    const step = apply(approval, now);
    if ('refused' in step) {
      const refusal = { code: step.refused, attempted, subject: caller.subject };
      await this.#commit([refusalRecord(approval, refusal, ids, cause)], caller);
      throw new ServerError(step.refused, step.message);
    }
    await this.#commitStep(step, { version: version + 1, ids }, cause, caller, (session) =>
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

  /** @throws {ServerError} `APPROVAL_RULES_MISMATCH` */
  async #minimumRules(tenantId: string, action: string): Promise<ApprovalRules> {
    try {
      return await minimumRules(this.#parts, tenantId, action);
    } catch (error) {
      if (isOf(error, 'APPROVAL_RULES_MISMATCH')) this.#parts.observer?.onApprovalMismatch?.();
      throw error;
    }
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

  /** The approval, after the time that has passed took effect. */
  async #current(tenantId: string, id: string): Promise<RecordedApproval | undefined> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const stored = await this.#read(tenantId, id);
      if (stored === undefined) return undefined;
      const advanced = await this.#advance(stored);
      if (advanced !== undefined) return advanced;
    }
    throw new ServerError('STORE_UNAVAILABLE', 'other changes of this approval came first again and again');
  }

  /** @returns the same object if nothing is due; `undefined` if another change came first */
  async #advance(stored: RecordedApproval): Promise<RecordedApproval | undefined> {
    const step = advanceApproval(stored.approval, stored.now);
    if (step.transitions.length === 0) return stored;
    const next = { version: stored.version + 1, ids: stored.ids };
    try {
      await this.#commitStep(step, next, { now: stored.now }, undefined, (session) =>
        updateApproval(session, step.approval, stored.version),
      );
    } catch (error) {
      if (error instanceof Overtaken) return undefined;
      throw error;
    }
    return { ...stored, approval: step.approval, version: next.version };
  }

  /**
   * Chains the records of a step, changes the row, and stores the messages about it, in one transaction.
   *
   * @param next version of the row after the step, and what the intent belongs to
   * @throws {ServerError} `APPROVAL_MISMATCH` if the chain has a change with this number, and the row does not know of it
   */
  async #commitStep(
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

  /**
   * The intent must be in the chain, and must be about the same document: what is approved is what was declared.
   *
   * @throws {ServerError} `INTENT_UNKNOWN`
   */
  async #intentOf(tenantId: string, intentId: string, digest: string): Promise<IntentEvent> {
    const row = await this.#parts.trail
      .getRow(tenantId, intentId, { sensitive: true })
      .catch((error: unknown) => {
        if (error instanceof ServerError && error.code === 'NOT_FOUND') return undefined;
        throw error;
      });
    const event = row?.record == null ? undefined : (JSON.parse(row.record) as { event: IntentEvent }).event;
    if (event?.event_type === 'agent.action.intended' && event.context?.document_digest === digest)
      return event;
    throw new ServerError('INTENT_UNKNOWN', 'the chain has no intent with this id and this document');
  }
}

/** What a caller attempts. */
type Attempted = 'decide' | 'claim' | 'withdraw';

/** A step that was not refused. */
type TakenStep = Extract<ApprovalStep, { approval: Approval }>;

interface IntentEvent {
  readonly [member: string]: unknown;
  readonly event_type: string;
  readonly context?: { readonly document_digest?: unknown };
}

function isMismatch(error: unknown): boolean {
  return isOf(error, 'APPROVAL_MISMATCH');
}

function isOf(error: unknown, code: ServerError['code']): boolean {
  return error instanceof ServerError && error.code === code;
}

/** Whether the error concerns one approval or one chain, and not the store. */
function isOfOneApproval(error: unknown): boolean {
  if (!(error instanceof ServerError)) return false;
  return isMismatch(error) || error.code === 'CHAIN_STOPPED' || error.code === 'CLOCK_BEHIND_CHAIN';
}

function sameRequest(approval: Approval, digest: string, caller: DeskCaller): Approval {
  if (approval.document_digest === digest && approval.requester === caller.subject) return approval;
  throw new ServerError('DIGEST_MISMATCH', 'the id belongs to an approval of another document or requester');
}

function unknownApproval(): ServerError {
  return new ServerError('NOT_FOUND', 'no such approval');
}
