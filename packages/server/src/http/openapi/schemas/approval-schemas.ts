import { actorTypes, type Json, limits } from '@tallystick/event';
import {
  type Approval,
  type ApprovalClaimBody,
  type ApprovalPage,
  type ApprovalRequest,
  type ApprovalRulesEntry,
  type ApprovalRulesList,
  type ApprovalVerdict,
  type ApprovalWithdrawal,
  approvalStates,
  isPlainName,
  type OperationAttempt,
  type OperationEnd,
  type OperationState,
  type WebhookDeliveryList,
  type WebhookRetry,
} from '@tallystick/protocol';
import * as z from 'zod';
import { storable } from '../../../ingest/admit/delivery.ts';
import { tenantId, tenantIdInPath, uuid } from '../../kernel/requests/parameters.ts';
import { answer, request, time } from '../component.ts';

const identifier = storable(limits.maxIdentifierLength);
/** Minimum rules are found by it, so two actions must not look the same to an approver. */
const action = identifier.refine(isPlainName, {
  message: 'must have no invisible characters and no white space at its ends, in Unicode NFC',
});
const digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, { message: 'must be sha256: and 64 hexadecimal digits' });
const commitment = z.string().regex(/^[0-9a-f]{64}$/, { message: 'must be 64 hexadecimal digits' });
/** Any JSON value. What arrives was parsed from JSON, so it is one. */
const json = z
  .any()
  .refine((value) => value !== undefined, { message: 'is required' }) as unknown as z.ZodType<Json, Json>;
const pointer = z.string().max(1_024);
const principal = z.strictObject({ actor_type: z.enum(actorTypes), actor_id: identifier });

const document = z
  .strictObject({
    tenant_id: tenantIdInPath,
    action,
    actor: principal,
    on_behalf_of: z.array(principal).max(limits.maxDelegations).optional(),
    target: z.strictObject({ type: identifier, id: identifier }).optional(),
    arguments: json,
    hidden: z.record(pointer, commitment).optional(),
    reason_unverified: storable(4_096).optional().describe('Why the agent wants to act. Nothing checked it'),
    policy: z.strictObject({ name: storable(256), version: storable(256) }),
  })
  .describe('What the approver is shown, and nothing else');

const approvers = z.array(storable(512)).min(1).max(1_000);
const duration = z
  .int()
  .min(1)
  .max(366 * 86_400_000);
const ruleFields = {
  approvals: z.int().min(1).max(100).describe('How many different subjects must grant it'),
  approvers: approvers.optional().describe('Subjects and groups that may decide'),
  timeout_ms: duration,
  remind_after_ms: duration.optional(),
  escalate_to: approvers.optional().describe('Subjects and groups that may decide after a time-out'),
  claim_within_ms: duration.describe('A granted approval expires after this time'),
  hidden_arguments: z.enum(['allowed', 'refused']),
  break_glass: z.enum(['allowed', 'refused']),
};
const rules = z.strictObject(ruleFields);

export const approvalRequest = request<ApprovalRequest>()(
  'ApprovalRequest',
  z.strictObject({
    id: uuid(
      'Id of the approval, chosen by the requester. The same id and document return the first approval',
    ),
    intent_id: uuid('`audit_id` of the `agent.action.intended` in the chain'),
    document,
    rules: rules.partial().optional().describe("Tightens the service's minimum rules"),
  }),
);

export const approval = answer<Approval>()(
  'Approval',
  z.object({
    id: z.string(),
    intent_id: z.string(),
    state: z.enum(approvalStates),
    document,
    document_digest: digest,
    requester: z.string(),
    rules,
    decisions: z.array(
      z.object({
        subject: z.string(),
        verdict: z.enum(['grant', 'deny']),
        comment: z.string().optional(),
        break_glass: z.literal(true).optional(),
        decided_at: time,
      }),
    ),
    created_at: time,
    decide_before: time,
    remind_at: time.optional(),
    escalated: z.literal(true).optional(),
    claim_before: time.optional(),
    claim: z.object({ attempt: z.string(), subject: z.string(), claimed_at: time }).optional(),
  }),
);

export const approvalPage = answer<ApprovalPage>()(
  'ApprovalPage',
  z.object({ approvals: z.array(approval), next_cursor: z.string().optional() }),
);

export const approvalVerdict = request<ApprovalVerdict>()(
  'ApprovalVerdict',
  z.strictObject({
    tenant_id: tenantId.optional(),
    verdict: z.enum(['grant', 'deny']),
    document_digest: digest.describe('Digest of the document that the approver has read'),
    comment: storable(4_096).optional(),
    break_glass: z.boolean().optional().describe('Permits the action alone; needs a comment'),
  }),
);

const opening = z.strictObject({
  salt: z.string().regex(/^[0-9a-f]{64}$/, { message: 'must be 64 hexadecimal digits' }),
  value: json,
});

export const approvalClaim = request<ApprovalClaimBody>()(
  'ApprovalClaim',
  z.strictObject({
    tenant_id: tenantId.optional(),
    attempt: uuid('Id of the execution'),
    document_digest: digest,
    openings: z.record(pointer, opening).optional().describe('Salt and value of each hidden argument'),
  }),
);

export const approvalWithdrawal = request<ApprovalWithdrawal>()(
  'ApprovalWithdrawal',
  z.strictObject({ tenant_id: tenantId.optional(), comment: storable(4_096).optional() }),
);

const rulesEntry = z.strictObject({
  tenant_id: z
    .string()
    .refine((value) => value === '*' || tenantIdInPath.safeParse(value).success, {
      message: 'must be a tenant id, or *',
    })
    .describe('Id of the tenant, or `*` for every tenant'),
  action: action.describe('Name of the action, or `*` for every action'),
  rules,
});

export const approvalRulesEntry = request<ApprovalRulesEntry>()('ApprovalRulesEntry', rulesEntry);

export const approvalRulesList = answer<ApprovalRulesList>()(
  'ApprovalRulesList',
  z.object({ approval_rules: z.array(rulesEntry) }),
);

const attempt = {
  tenant_id: tenantIdInPath,
  idempotency_key: identifier,
  document_digest: digest,
  intent_id: uuid('`audit_id` of the intent'),
};

export const operationAttempt = request<OperationAttempt>()('OperationAttempt', z.strictObject(attempt));

const outcome = z.strictObject({
  status: z.enum(['success', 'failure']),
  error_code: storable(256).optional(),
  result_digest: digest.optional(),
  result: json.optional(),
  completed_at: time,
});

export const operationEnd = request<OperationEnd>()('OperationEnd', z.strictObject({ ...attempt, outcome }));

export const operationState = answer<OperationState>()(
  'OperationState',
  z.union([
    z.object({ status: z.literal('begun') }),
    z.object({ status: z.literal('known'), intent_id: z.string(), outcome: outcome.optional() }),
  ]),
);

export const webhookDeliveryList = answer<WebhookDeliveryList>()(
  'WebhookDeliveryList',
  z.object({
    deliveries: z.array(
      z.object({
        endpoint: z.string(),
        id: z.string(),
        tenant_id: z.string(),
        event_type: z.string(),
        state: z.enum(['waiting', 'dead']),
        created_at: time,
        attempts: z.int(),
        next_attempt_at: time.optional(),
        given_up_at: time.optional().describe('When the service gave up; absent where the message waits'),
        last_error: z.string().optional(),
      }),
    ),
  }),
);

export const webhookRetry = request<WebhookRetry>()(
  'WebhookRetry',
  z.strictObject({ endpoint: storable(64), id: uuid('Id of the message') }),
);
