import {
  type Approval,
  type ApprovalClaim,
  type ApprovalRequest,
  type ApprovalRules,
  type ApprovalDesk as GateDesk,
  type OperationAttempt,
  type OperationLedger,
  type OperationOutcome,
  type OperationState,
  problemKindOf,
} from '@tallystick/protocol';
import type { AuditService } from './app.ts';
import { DecisionWait } from './approvals/decision-wait.ts';
import type { DeskDecision } from './approvals/desk.ts';
import { changeRules } from './approvals/minimum-rules.ts';
import { ServerError } from './errors.ts';

/** Who uses the desk of an embedded trail. */
export interface EmbeddedDeskOptions {
  /** The subject of requests and claims, such as the agent that runs in this process. */
  readonly subject: string;
  /** How often the desk looks which of the pending approvals were decided, in milliseconds. @defaultValue 200 */
  readonly intervalMs?: number | undefined;
}

/** A decision of a person. The application vouches for the subject: it must have authenticated the person. */
export interface EmbeddedDecision extends Omit<DeskDecision, 'document_digest'> {
  readonly subject: string;
  readonly groups?: readonly string[] | undefined;
  /** @defaultValue that of the stored document */
  readonly document_digest?: string | undefined;
}

/** The approval desk and the ledger of an embedded trail: what a gate of `@tallystick/sdk/gate` needs, and what people do at it. */
export interface EmbeddedDesk extends GateDesk, OperationLedger {
  /** @throws {ServerError} `NOT_FOUND`, or one of the refusals of a decision */
  decide(tenantId: string, approvalId: string, decision: EmbeddedDecision): Promise<Approval>;
  /** Up to 100 approvals of the tenant, the newest first. */
  list(tenantId: string): Promise<readonly Approval[]>;
  /** Sets the minimum rules of an action; `*` stands for all. The change is recorded. */
  setRules(tenantId: string, action: string, rules: ApprovalRules): Promise<void>;
}

/**
 * The desk of a trail in this process. Approvals are stored beside the trail, and each change is recorded in it, as in a service.
 *
 * @example
 * const transport = await embedded({ directory });
 * const desk = embeddedDesk(transport.service, { subject: 'refund-bot' });
 * const gate = createGate({ audit: createAuditEmitter({ transport }), policy, desk, ledger: desk });
 */
export function embeddedDesk(
  service: AuditService,
  { subject, intervalMs = 200 }: EmbeddedDeskOptions,
): EmbeddedDesk {
  const { desk, operations } = service;
  const principal = `embedded:${subject}`;
  const caller = { principal, subject };
  const waits = new DecisionWait({
    desk,
    database: service.database,
    intervalMs,
    closing: service.closing,
    closed: () => asFault(new ServerError('CLOSING', 'the service closed before the approval was decided')),
    isFault,
  });
  return {
    request: (request: ApprovalRequest) => withFaults(desk.request(request, caller)),
    claim: (claim: ApprovalClaim) => withFaults(desk.claim(claim, caller)),
    withdraw: (tenantId, approvalId, comment) =>
      withFaults(desk.withdraw(tenantId, approvalId, comment, caller)),
    async decided(tenantId, approvalId, signal) {
      signal.throwIfAborted();
      return await waits.decided(tenantId, approvalId, signal);
    },
    async decide(tenantId, approvalId, { subject: person, groups, ...decision }) {
      const document_digest =
        decision.document_digest ?? (await desk.get(tenantId, approvalId)).document_digest;
      const by = { principal: `embedded:${person}`, subject: person, groups };
      return await desk.decide(tenantId, approvalId, { ...decision, document_digest }, by);
    },
    list: async (tenantId) => (await desk.list({ tenants: [tenantId], limit: 100 })).approvals,
    setRules: (tenantId, action, rules) => changeRules(service, { tenantId, action, rules }, principal),
    begin: (attempt: OperationAttempt): Promise<OperationState> =>
      withFaults(operations.begin(attempt, principal)),
    finish: (attempt: OperationAttempt, outcome: OperationOutcome) =>
      withFaults(operations.finish(attempt, outcome, principal)),
  };
}

function isFault(error: unknown): error is ServerError {
  return error instanceof ServerError && problemKindOf(error.code).status >= 500;
}

async function withFaults<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw isFault(error) ? asFault(error) : error;
  }
}

/** A gate tells a refusal from a desk that can't answer by the problem's status, as in the answers of a service. */
function asFault(error: ServerError): ServerError {
  const { code, message } = error;
  const { status } = problemKindOf(code);
  return Object.assign(new ServerError(code, message, { cause: error }), { problem: { code, status } });
}
