import type {
  Approval,
  ApprovalClaim,
  ApprovalDesk,
  ApprovalPage,
  ApprovalRequest,
  ApprovalRulesEntry,
  ApprovalState,
  ApprovalVerdict,
  OperationAttempt,
  OperationLedger,
  OperationOutcome,
  OperationState,
  WebhookDelivery,
  WebhookDeliveryList,
  WebhookRetry,
} from '@tallystick/protocol';
import { chunksOf } from '../body.ts';
import { ClientError } from '../errors.ts';
import { readMessages, type StreamState } from '../event-stream.ts';
import { defaultPageSize, itemsOf } from '../pages.ts';
import { pause } from '../retry.ts';
import type { CallOptions, Sender } from '../sender.ts';
import type { PageQuery } from './tenants.ts';

/** Which approvals. */
export interface ApprovalQuery {
  /** @defaultValue every tenant of the API key */
  readonly tenant_id?: string | undefined;
  readonly state?: ApprovalState | undefined;
}

/**
 * Approvals of actions of agents. It is the desk and the ledger that a gate of `@tallystick/sdk/gate` needs:
 * `createGate({ desk: client.approvals, ledger: client.approvals, … })`.
 */
export interface ApprovalsResource extends ApprovalDesk, OperationLedger {
  /** Newest first. */
  list(query?: ApprovalQuery & PageQuery, options?: CallOptions): Promise<ApprovalPage>;
  listAll(query?: ApprovalQuery, options?: CallOptions): AsyncIterable<Approval>;
  /** @throws {ClientError} `NOT_FOUND` */
  get(
    approvalId: string,
    query?: { readonly tenant_id?: string | undefined },
    options?: CallOptions,
  ): Promise<Approval>;
  /** Grants or denies. Needs the scope `approvals:decide` and a key that is bound to a subject. Not retried. */
  decide(approvalId: string, verdict: ApprovalVerdict, options?: CallOptions): Promise<Approval>;
  /** The minimum rules that concern the tenants of the key. */
  rules(options?: CallOptions): Promise<readonly ApprovalRulesEntry[]>;
  /** Sets minimum rules. Needs the scope `admin` for every tenant. */
  setRules(entry: ApprovalRulesEntry, options?: CallOptions): Promise<void>;
  /** @throws {ClientError} `NOT_FOUND` */
  removeRules(entry: Pick<ApprovalRulesEntry, 'tenant_id' | 'action'>, options?: CallOptions): Promise<void>;
  /** Webhook messages that are not delivered, at most 1,000, the oldest first. Needs the scope `admin` for every tenant. */
  webhookDeliveries(
    query?: { readonly state?: WebhookDelivery['state'] | undefined },
    options?: CallOptions,
  ): Promise<readonly WebhookDelivery[]>;
  /** Delivers a message again, at once. @throws {ClientError} `NOT_FOUND` */
  retryWebhook(message: WebhookRetry, options?: CallOptions): Promise<void>;
}

/** Pause before a broken stream is opened again, ms. */
const reconnectMs = 1_000;

export function approvalsResource(sender: Sender): ApprovalsResource {
  const pathOf = (id: string, rest = '') => `v1/approvals/${encodeURIComponent(id)}${rest}`;
  const post = async <T>(
    path: string,
    body: unknown,
    idempotent: boolean,
    signal?: AbortSignal,
  ): Promise<T> =>
    await sender.json({ method: 'POST', path, body: JSON.stringify(body), idempotent, signal });
  const list: ApprovalsResource['list'] = async (query = {}, { signal } = {}) =>
    await sender.json({ path: 'v1/approvals', query: { ...query }, signal });
  return {
    // The same id and document return the first approval, so a repetition has no further effect.
    request: async (request: ApprovalRequest) => await post('v1/approvals', request, true),
    decided: async (tenantId, approvalId, signal) =>
      await decided(sender, { path: pathOf(approvalId, '/stream'), query: { tenant_id: tenantId }, signal }),
    // Not retried: after a lost answer, the first claim may have succeeded, and the action may run only once.
    claim: async ({ approval_id, ...claim }: ApprovalClaim) =>
      await post(pathOf(approval_id, '/claim'), claim, false),
    withdraw: async (tenant_id, approvalId, comment) =>
      await post(
        pathOf(approvalId, '/withdraw'),
        { tenant_id, ...(comment !== undefined && { comment }) },
        false,
      ),
    list,
    listAll: (query = {}, options = {}) =>
      itemsOf(
        (cursor) => list({ ...query, limit: Math.min(defaultPageSize, 200), cursor }, options),
        ({ approvals }) => approvals,
      ),
    get: async (approvalId, query = {}, { signal } = {}) =>
      await sender.json({ path: pathOf(approvalId), query: { ...query }, signal }),
    decide: async (approvalId, verdict, { signal } = {}) =>
      await post(pathOf(approvalId, '/decision'), verdict, false, signal),
    rules: async ({ signal } = {}) =>
      (
        await sender.json<{ readonly approval_rules: readonly ApprovalRulesEntry[] }>({
          path: 'v1/approval-rules',
          signal,
        })
      ).approval_rules,
    setRules: async (entry, { signal } = {}) => {
      const body = JSON.stringify(entry);
      await sender.text({ method: 'POST', path: 'v1/approval-rules', body, idempotent: true, signal });
    },
    removeRules: async ({ tenant_id, action }, { signal } = {}) => {
      await sender.text({
        method: 'DELETE',
        path: 'v1/approval-rules',
        query: { tenant_id, action },
        signal,
      });
    },
    webhookDeliveries: async (query = {}, { signal } = {}) => {
      const path = 'v1/webhook-deliveries';
      const list = await sender.json<WebhookDeliveryList>({
        path,
        query: { ...query, limit: 1_000 },
        signal,
      });
      return list.deliveries;
    },
    retryWebhook: async ({ endpoint, id }, { signal } = {}) => {
      const path = 'v1/webhook-deliveries/retry';
      const body = JSON.stringify({ endpoint, id });
      await sender.text({ method: 'POST', path, body, idempotent: true, signal });
    },
    // Not retried: after a lost answer, this attempt may have begun, and only one may.
    begin: async (attempt: OperationAttempt): Promise<OperationState> =>
      await post('v1/operations', attempt, false),
    finish: async (attempt: OperationAttempt, outcome: OperationOutcome) => {
      const body = JSON.stringify({ ...attempt, outcome });
      await sender.text({ method: 'POST', path: 'v1/operations/finish', body, idempotent: true });
    },
  };
}

/** Follows the approval until it is not pending any more. A connection that breaks is opened again. */
async function decided(
  sender: Sender,
  request: {
    readonly path: string;
    readonly query: { readonly tenant_id: string };
    readonly signal: AbortSignal;
  },
): Promise<Approval> {
  const state: StreamState = { lastEventId: undefined, reconnectMs };
  const { signal } = request;
  for (;;) {
    try {
      const headers = { accept: 'text/event-stream' };
      const body = chunksOf(await sender.send({ ...request, headers }, (response) => response));
      for await (const { data } of readMessages(body, state)) {
        const approval = sender.parse<Approval>(data);
        if (approval.state !== 'pending') return approval;
      }
    } catch (error) {
      if (signal.aborted || error instanceof ClientError) throw error;
      if (error instanceof RangeError)
        throw sender.invalid('sent a message that is too long', { cause: error });
    }
    await pause(state.reconnectMs, signal);
  }
}
