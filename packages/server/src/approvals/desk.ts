/** The approval desk: opens approvals, and lets people decide them, executors use them, and requesters withdraw them. */
import {
  type Approval,
  type ApprovalClaim,
  type ApprovalRequest,
  type ApprovalRules,
  claimApproval,
  decideApproval,
  openApproval,
  tightenRules,
  withdrawApproval,
} from '@tallystick/protocol';
import { intentIds } from '../chain/service-records/approval-records.ts';
import { ServerError } from '../errors.ts';
import type { Trail } from '../trail/trail.ts';
import {
  ApprovalChanges,
  type ChangeParts,
  type DeskCaller,
  isOf,
  Overtaken,
  unknownApproval,
} from './approval-changes.ts';
import { type ApprovalListQuery, insertApproval, listApprovals, storeClock } from './approval-rows.ts';
import { minimumRules } from './minimum-rules.ts';
import { documentDigest, opensAll } from './openings.ts';
import { PassedDeadlines } from './passed-deadlines.ts';

/** A decision as it arrives. */
export interface DeskDecision {
  readonly verdict: 'grant' | 'deny';
  readonly document_digest: string;
  readonly comment?: string | undefined;
  readonly break_glass?: boolean | undefined;
}

/** What the desk needs of the service. */
export interface DeskParts extends ChangeParts {
  readonly trail: Trail;
  /** Chain of the records about minimum rules for all tenants. */
  readonly serviceTenant: string;
}

export class ApprovalDesk {
  readonly #parts: DeskParts;
  readonly #changes: ApprovalChanges;
  readonly #deadlines: PassedDeadlines;

  constructor(parts: DeskParts) {
    this.#parts = parts;
    this.#changes = new ApprovalChanges(parts);
    this.#deadlines = new PassedDeadlines(parts, this.#changes);
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
    const known = await this.#changes.current(tenant_id, id);
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
      await this.#changes.commitStep(
        step,
        { version: 1, ids },
        { now, principal: caller.principal },
        caller,
        (session) => insertApproval(session, step.approval),
      );
    } catch (error) {
      if (!(error instanceof Overtaken)) throw error;
      const first = await this.#changes.current(tenant_id, id);
      if (first === undefined) throw new ServerError('STORE_UNAVAILABLE', 'the approval could not be stored');
      return sameRequest(first.approval, document_digest, caller);
    }
    return step.approval;
  }

  /** @throws {ServerError} `NOT_FOUND`, `APPROVAL_MISMATCH` */
  async get(tenantId: string, id: string): Promise<Approval> {
    const stored = await this.#changes.current(tenantId, id);
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
    return await this.#changes.change(tenantId, id, 'decide', caller, (approval, now) =>
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
    return await this.#changes.change(tenant_id, approval_id, 'claim', caller, (approval, now) =>
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
    return await this.#changes.change(tenantId, id, 'withdraw', caller, (approval) =>
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
    return await this.#deadlines.takeEffect(pageSize);
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

interface IntentEvent {
  readonly [member: string]: unknown;
  readonly event_type: string;
  readonly context?: { readonly document_digest?: unknown };
}

function sameRequest(approval: Approval, digest: string, caller: DeskCaller): Approval {
  if (approval.document_digest === digest && approval.requester === caller.subject) return approval;
  throw new ServerError('DIGEST_MISMATCH', 'the id belongs to an approval of another document or requester');
}
