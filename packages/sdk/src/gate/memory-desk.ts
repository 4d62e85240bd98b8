import {
  type Approval,
  type ApprovalClaim,
  type ApprovalDesk,
  type ApprovalRefusalCode,
  type ApprovalRequest,
  type ApprovalRules,
  type ApprovalStep,
  type ApprovalTransition,
  type ArgumentOpening,
  advanceApproval,
  claimApproval,
  decideApproval,
  defaultApprovalRules,
  nextDeadlineOf,
  type OperationAttempt,
  type OperationLedger,
  type OperationOutcome,
  type OperationState,
  openApproval,
  type SubmittedDecision,
  tightenRules,
  withdrawApproval,
} from '@tallystick/protocol';
import { type Clock, systemClock } from '../clock.ts';
import { abortable } from '../time-limit.ts';
import { argumentCommitment, digestOf } from './document.ts';

/** Configuration of a desk in memory. */
export interface MemoryDeskOptions {
  /** The subject of all requests. @defaultValue 'requester' */
  readonly requester?: string | undefined;
  /** The least strict rules of an action. @defaultValue {@link defaultApprovalRules} for every action */
  readonly minimumRules?: ((tenantId: string, action: string) => ApprovalRules) | undefined;
  /** Called with each change of an approval. @defaultValue none */
  readonly onTransition?: ((approval: Approval, transition: ApprovalTransition) => void) | undefined;
  /** @defaultValue the system's clock */
  readonly clock?: Clock | undefined;
}

/** Why a desk refused. */
export class DeskRefusalError extends Error {
  override readonly name = 'DeskRefusalError';
  readonly code: DeskRefusalCode;

  constructor(code: DeskRefusalCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** A refusal of a step, or of a request that names an unknown approval, other rules or another document. */
export type DeskRefusalCode =
  | ApprovalRefusalCode
  | 'APPROVAL_UNKNOWN'
  | 'RULES_UNSATISFIABLE'
  | 'IDEMPOTENCY_KEY_REUSED';

interface Entry {
  approval: Approval;
  cancelDeadline: () => void;
  /** Called when the approval is not pending any more. */
  readonly waiting: Set<(approval: Approval) => void>;
}

/**
 * An approval desk and a ledger of operations in memory, with the rules of the service's own desk. It is for tests, and for programs
 * in one process that run without a service. A crash loses all of it, and it records nothing.
 */
export class MemoryDesk implements ApprovalDesk, OperationLedger {
  readonly #options: MemoryDeskOptions;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  readonly #operations = new Map<string, { attempt: OperationAttempt; outcome?: OperationOutcome }>();

  constructor(options: MemoryDeskOptions = {}) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  async request({ id, intent_id, document, rules: requested = {} }: ApprovalRequest): Promise<Approval> {
    const document_digest = digestOf(document);
    const known = this.#entries.get(keyOf(document.tenant_id, id))?.approval;
    if (known !== undefined) {
      if (known.document_digest === document_digest) return known;
      throw new DeskRefusalError('DIGEST_MISMATCH', 'the approval belongs to another document');
    }
    const minimum = this.#options.minimumRules?.(document.tenant_id, document.action) ?? defaultApprovalRules;
    const rules = tightenRules(minimum, requested);
    if (rules === undefined)
      throw new DeskRefusalError(
        'RULES_UNSATISFIABLE',
        'no approver fulfils the rules of the request and of the service',
      );
    const step = accepted(
      openApproval(
        { id, intent_id, document, document_digest, requester: this.#requester, rules },
        this.#clock.now(),
      ),
    );
    const entry: Entry = { approval: step.approval, cancelDeadline: () => undefined, waiting: new Set() };
    this.#entries.set(keyOf(document.tenant_id, id), entry);
    return this.#store(entry, step);
  }

  async decided(tenantId: string, approvalId: string, signal: AbortSignal): Promise<Approval> {
    const entry = this.#find(tenantId, approvalId);
    if (entry.approval.state !== 'pending') return entry.approval;
    let stop: (approval: Approval) => void = () => undefined;
    const decided = new Promise<Approval>((resolve) => {
      stop = resolve;
      entry.waiting.add(resolve);
    });
    return abortable(decided, signal).finally(() => entry.waiting.delete(stop));
  }

  async claim(claim: ApprovalClaim): Promise<Approval> {
    const { tenant_id, approval_id, attempt, document_digest, openings = {} } = claim;
    const entry = this.#find(tenant_id, approval_id);
    const openings_valid = opensAll(entry.approval.document.hidden ?? {}, openings);
    const submitted = { subject: this.#requester, attempt, document_digest, openings_valid };
    return this.#store(entry, accepted(claimApproval(entry.approval, submitted, this.#clock.now())));
  }

  async withdraw(tenantId: string, approvalId: string, comment?: string): Promise<Approval> {
    const entry = this.#find(tenantId, approvalId);
    const withdrawal = { subject: this.#requester, ...(comment !== undefined && { comment }) };
    return this.#store(entry, accepted(withdrawApproval(entry.approval, withdrawal)));
  }

  /** Decides as an approver would. The decision's digest defaults to that of the stored document. */
  async decide(
    tenantId: string,
    approvalId: string,
    decision: Omit<SubmittedDecision, 'document_digest'> & { readonly document_digest?: string },
  ): Promise<Approval> {
    const entry = this.#find(tenantId, approvalId);
    const { document_digest } = entry.approval;
    return this.#store(
      entry,
      accepted(decideApproval(entry.approval, { document_digest, ...decision }, this.#clock.now())),
    );
  }

  /** All approvals in the order of their requests. */
  list(): readonly Approval[] {
    return [...this.#entries.values()].map((entry) => {
      this.#advance(entry);
      return entry.approval;
    });
  }

  async begin(attempt: OperationAttempt): Promise<OperationState> {
    const key = keyOf(attempt.tenant_id, attempt.idempotency_key);
    const known = this.#operations.get(key);
    if (known === undefined) {
      this.#operations.set(key, { attempt });
      return { status: 'begun' };
    }
    if (known.attempt.document_digest !== attempt.document_digest)
      throw new DeskRefusalError('IDEMPOTENCY_KEY_REUSED', 'the idempotency key belongs to another document');
    const { outcome } = known;
    return {
      status: 'known',
      intent_id: known.attempt.intent_id,
      ...(outcome !== undefined && { outcome }),
    };
  }

  async finish(attempt: OperationAttempt, outcome: OperationOutcome): Promise<void> {
    const known = this.#operations.get(keyOf(attempt.tenant_id, attempt.idempotency_key));
    if (known?.attempt.intent_id === attempt.intent_id) known.outcome ??= outcome;
  }

  get #requester(): string {
    return this.#options.requester ?? 'requester';
  }

  /** The entry, after the time that has passed took effect. */
  #find(tenantId: string, approvalId: string): Entry {
    const entry = this.#entries.get(keyOf(tenantId, approvalId));
    if (entry === undefined) throw new DeskRefusalError('APPROVAL_UNKNOWN', 'there is no such approval');
    this.#advance(entry);
    return entry;
  }

  #advance(entry: Entry): void {
    const step = advanceApproval(entry.approval, this.#clock.now());
    if (step.transitions.length > 0) this.#store(entry, step);
  }

  #store(entry: Entry, { approval, transitions }: AcceptedStep): Approval {
    entry.approval = approval;
    entry.cancelDeadline();
    const next = nextDeadlineOf(approval);
    if (next !== undefined) {
      const inMs = Math.max(0, next - this.#clock.now());
      entry.cancelDeadline = this.#clock.schedule(inMs, () => this.#advance(entry), false);
    }
    for (const transition of transitions) this.#options.onTransition?.(approval, transition);
    if (approval.state !== 'pending') {
      for (const resolve of entry.waiting) resolve(approval);
      entry.waiting.clear();
    }
    return approval;
  }
}

type AcceptedStep = Extract<ApprovalStep, { approval: Approval }>;

function accepted(step: ApprovalStep): AcceptedStep {
  if ('refused' in step) throw new DeskRefusalError(step.refused, step.message);
  return step;
}

function opensAll(
  hidden: { readonly [pointer: string]: string },
  openings: { readonly [pointer: string]: ArgumentOpening },
): boolean {
  return Object.entries(hidden).every(([pointer, commitment]) => {
    const opening = Object.hasOwn(openings, pointer) ? openings[pointer] : undefined;
    if (opening === undefined || !/^[0-9a-f]{64}$/.test(opening.salt)) return false;
    return argumentCommitment(pointer, Buffer.from(opening.salt, 'hex'), opening.value) === commitment;
  });
}

function keyOf(tenantId: string, id: string): string {
  return JSON.stringify([tenantId, id]);
}

/** Creates a {@link MemoryDesk}. */
export function createMemoryDesk(options: MemoryDeskOptions = {}): MemoryDesk {
  return new MemoryDesk(options);
}
