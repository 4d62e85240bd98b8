import type { Approval, ApprovalPage, ApprovalRulesList } from '@tallystick/protocol';
import { approvalStates } from '@tallystick/protocol';
import * as z from 'zod';
import { credentialOf, hasScope, type Principal } from '../../access/principal.ts';
import { assertStillValid } from '../../access/still-valid.ts';
import type { AuditService } from '../../app.ts';
import type { DeskCaller } from '../../approvals/approval-changes.ts';
import { changeRules, listRules } from '../../approvals/minimum-rules.ts';
import { ServerError } from '../../errors.ts';
import { decodeCursor, encodeCursor } from '../../trail/cursor.ts';
import { tenantOf } from '../kernel/authentication.ts';
import { type Endpoint, endpoint } from '../kernel/endpoint.ts';
import { cursor, isTimestamp, limit, tenantId, text, uuid } from '../kernel/parameters.ts';
import {
  approval,
  approvalClaim,
  approvalPage,
  approvalRequest,
  approvalRulesEntry,
  approvalRulesList,
  approvalVerdict,
  approvalWithdrawal,
  operationAttempt,
  operationEnd,
  operationState,
} from '../openapi/approval-schemas.ts';

const tag = 'Approvals';
const params = z.strictObject({ approval_id: uuid('Id of the approval') });
const chainProblems = ['CHAIN_STOPPED', 'CLOCK_BEHIND_CHAIN'] as const;
/** A kept result has at most 64 KiB of JSON; the rest of the outcome is short. */
const maxOutcomeCharacters = 72 * 1024;

/** The approval desk: requests of agents, decisions of approvers, and the operations that begin at most once. */
export function approvalRoutes({ service }: { readonly service: AuditService }): Endpoint[] {
  const { desk, operations, database } = service;
  return [
    endpoint({
      method: 'POST',
      path: '/v1/approvals',
      operationId: 'requestApproval',
      tag,
      summary: 'Request an approval',
      description:
        'The intent must be in the chain, and its `document_digest` must be the digest of this document. The service keeps its own ' +
        'copy of the document. A repetition with the same id and document returns the first approval.',
      access: 'approvals:request',
      body: { schema: approvalRequest },
      responses: { 200: { description: 'The approval', schema: approval } },
      problems: [
        'INTENT_UNKNOWN',
        'RULES_UNSATISFIABLE',
        'HIDDEN_ARGUMENTS_REFUSED',
        'DIGEST_MISMATCH',
        'APPROVAL_MISMATCH',
        'APPROVAL_RULES_MISMATCH',
        ...chainProblems,
      ],
      async handle({ principal, body }) {
        assertSubject(principal, 'request');
        tenantOf(principal, body.document.tenant_id);
        return { status: 200, body: await desk.request(body as never, callerOf(principal)) };
      },
    }),
    endpoint({
      method: 'GET',
      path: '/v1/approvals',
      operationId: 'listApprovals',
      tag,
      summary: 'List approvals, newest first',
      access: 'key',
      query: z.strictObject({
        tenant_id: tenantId.optional(),
        state: z.enum(approvalStates).optional().describe('Only approvals in this state'),
        limit: limit(200, 50),
        cursor: cursor.optional(),
      }),
      responses: { 200: { description: 'One page', schema: approvalPage } },
      problems: ['FORBIDDEN', 'PARAMETER_INVALID'],
      async handle({ principal, query }) {
        assertMayRead(principal);
        const tenants =
          query.tenant_id === undefined ? principal.tenants : [tenantOf(principal, query.tenant_id)];
        const list = { list: 'approvals', tenants, state: query.state };
        const place = query.cursor === undefined ? undefined : decodeCursor(query.cursor, list, listPlace);
        const after = place === undefined ? undefined : { createdAt: place[0], id: place[1] };
        const { approvals, more } = await desk.list({
          tenants,
          state: query.state,
          limit: query.limit,
          after,
        });
        const last = approvals.at(-1);
        const body: ApprovalPage = {
          approvals,
          ...(more && last !== undefined && { next_cursor: encodeCursor(list, [last.created_at, last.id]) }),
        };
        return { status: 200, body };
      },
    }),
    endpoint({
      method: 'GET',
      path: '/v1/approvals/{approval_id}',
      operationId: 'getApproval',
      tag,
      summary: 'Read an approval',
      access: 'key',
      params,
      query: z.strictObject({ tenant_id: tenantId.optional() }),
      responses: { 200: { description: 'The approval', schema: approval } },
      problems: ['FORBIDDEN', 'NOT_FOUND', 'APPROVAL_MISMATCH', ...chainProblems],
      async handle({ principal, params: { approval_id }, query }) {
        assertMayRead(principal);
        return { status: 200, body: await desk.get(tenantOf(principal, query.tenant_id), approval_id) };
      },
    }),
    endpoint({
      method: 'POST',
      path: '/v1/approvals/{approval_id}/decision',
      operationId: 'decideApproval',
      tag,
      summary: 'Grant or deny an approval',
      description:
        'The key must be bound to a subject. Neither the requester nor the actor may decide, and a subject decides once. Refused ' +
        'attempts are recorded.',
      access: 'approvals:decide',
      params,
      body: { schema: approvalVerdict },
      responses: { 200: { description: 'The approval after the decision', schema: approval } },
      problems: [
        'NOT_FOUND',
        'DIGEST_MISMATCH',
        'NOT_PENDING',
        'DECISION_TOO_LATE',
        'NOT_AN_APPROVER',
        'APPROVER_IS_REQUESTER',
        'APPROVER_IS_ACTOR',
        'ALREADY_DECIDED',
        'REASON_REQUIRED',
        'BREAK_GLASS_REFUSED',
        'APPROVAL_MISMATCH',
        ...chainProblems,
      ],
      async handle({ principal, params: { approval_id }, body: { tenant_id, ...decision } }) {
        assertSubject(principal, 'decide');
        const tenant = tenantOf(principal, tenant_id);
        return { status: 200, body: await desk.decide(tenant, approval_id, decision, callerOf(principal)) };
      },
    }),
    endpoint({
      method: 'POST',
      path: '/v1/approvals/{approval_id}/claim',
      operationId: 'claimApproval',
      tag,
      summary: 'Use a granted approval for its one execution',
      description:
        'After this answer the executor runs the action. A second claim is refused, also one with the same attempt.',
      access: 'approvals:request',
      params,
      body: { schema: approvalClaim },
      responses: { 200: { description: 'The claimed approval', schema: approval } },
      problems: [
        'NOT_FOUND',
        'DIGEST_MISMATCH',
        'NOT_THE_REQUESTER',
        'NOT_GRANTED',
        'ALREADY_CLAIMED',
        'CLAIM_TOO_LATE',
        'OPENING_INVALID',
        'APPROVAL_MISMATCH',
        ...chainProblems,
      ],
      async handle({ principal, params: { approval_id }, body: { tenant_id, openings, ...claim } }) {
        const body: Approval = await desk.claim(
          {
            ...claim,
            tenant_id: tenantOf(principal, tenant_id),
            approval_id,
            ...(openings !== undefined && { openings }),
          },
          callerOf(principal),
        );
        return { status: 200, body };
      },
    }),
    endpoint({
      method: 'POST',
      path: '/v1/approvals/{approval_id}/withdraw',
      operationId: 'withdrawApproval',
      tag,
      summary: 'Withdraw a request that has not been used',
      access: 'approvals:request',
      params,
      body: { schema: approvalWithdrawal },
      responses: { 200: { description: 'The withdrawn approval', schema: approval } },
      problems: [
        'NOT_FOUND',
        'NOT_THE_REQUESTER',
        'NOT_PENDING',
        'ALREADY_CLAIMED',
        'APPROVAL_MISMATCH',
        ...chainProblems,
      ],
      async handle({ principal, params: { approval_id }, body: { tenant_id, comment } }) {
        const tenant = tenantOf(principal, tenant_id);
        return { status: 200, body: await desk.withdraw(tenant, approval_id, comment, callerOf(principal)) };
      },
    }),
    endpoint({
      method: 'GET',
      path: '/v1/approval-rules',
      operationId: 'listApprovalRules',
      tag,
      summary: 'List the minimum rules of approvals',
      access: 'key',
      responses: {
        200: { description: 'Every entry that concerns the tenants of the key', schema: approvalRulesList },
      },
      problems: ['FORBIDDEN'],
      async handle({ principal }) {
        assertMayRead(principal);
        const body: ApprovalRulesList = { approval_rules: await listRules(database, principal.tenants) };
        return { status: 200, body };
      },
    }),
    endpoint({
      method: 'POST',
      path: '/v1/approval-rules',
      operationId: 'setApprovalRules',
      tag,
      summary: 'Set the minimum rules of an action',
      description:
        'A request can only tighten them. The entry of the tenant and the action comes first, then that of the tenant, of the action, ' +
        'and of all. Requests that are open keep their rules.',
      access: 'operator',
      body: { schema: approvalRulesEntry },
      responses: { 204: { description: 'The rules hold' } },
      problems: [...chainProblems],
      async handle({ principal, body: { tenant_id, action, rules } }) {
        await changeRules(service, { tenantId: tenant_id, action, rules: rules as never }, principal.id);
        return { status: 204 };
      },
    }),
    endpoint({
      method: 'DELETE',
      path: '/v1/approval-rules',
      operationId: 'removeApprovalRules',
      tag,
      summary: 'Remove the minimum rules of an action',
      access: 'operator',
      query: z.strictObject({
        tenant_id: text('Id of the tenant, or `*`'),
        action: text('Name of the action, or `*`'),
      }),
      responses: { 204: { description: 'The rules do not hold any more' } },
      problems: ['NOT_FOUND', ...chainProblems],
      async handle({ principal, query: { tenant_id, action } }) {
        const entries = await listRules(database, undefined);
        if (!entries.some((entry) => entry.tenant_id === tenant_id && entry.action === action))
          throw new ServerError('NOT_FOUND', 'there are no such rules');
        await changeRules(service, { tenantId: tenant_id, action, rules: undefined }, principal.id);
        return { status: 204 };
      },
    }),
    endpoint({
      method: 'POST',
      path: '/v1/operations',
      operationId: 'beginOperation',
      tag,
      summary: 'Begin an operation that has an idempotency key',
      description:
        'Of all attempts with one tenant and key, exactly one gets `begun`. The others learn how that one ended.',
      access: 'approvals:request',
      body: { schema: operationAttempt },
      responses: { 200: { description: 'Whether this attempt may run', schema: operationState } },
      problems: ['IDEMPOTENCY_KEY_REUSED', 'OPERATION_MISMATCH', ...chainProblems],
      async handle({ principal, body }) {
        tenantOf(principal, body.tenant_id);
        return { status: 200, body: await operations.begin(body, subjectOf(principal)) };
      },
    }),
    endpoint({
      method: 'POST',
      path: '/v1/operations/finish',
      operationId: 'finishOperation',
      tag,
      summary: 'Report how an operation ended',
      access: 'approvals:request',
      body: { schema: operationEnd },
      responses: { 204: { description: 'The first outcome is stored' } },
      problems: ['TOO_LARGE', 'OPERATION_MISMATCH', ...chainProblems],
      async handle({ principal, body: { outcome, ...attempt } }) {
        tenantOf(principal, attempt.tenant_id);
        if (JSON.stringify(outcome).length > maxOutcomeCharacters)
          throw new ServerError('TOO_LARGE', 'the result of an operation may have 64 KiB of JSON');
        await operations.finish(attempt, outcome as never, subjectOf(principal));
        return { status: 204 };
      },
    }),
  ];
}

const listPlace = z.tuple([z.string().refine(isTimestamp), uuid('Id of an approval')]);

function subjectOf(principal: Principal): string {
  return principal.subject ?? principal.id;
}

/** One person may have several keys. Without a subject, the desk could not tell that a requester and an approver are the same. */
function assertSubject(principal: Principal, verb: string): void {
  if (principal.subject !== undefined) return;
  throw new ServerError(
    'FORBIDDEN',
    `the API key is not bound to a subject, so it can not ${verb} approvals; create a key with a subject`,
  );
}

function callerOf(principal: Principal): DeskCaller {
  return {
    principal: principal.id,
    subject: subjectOf(principal),
    ...(principal.groups !== undefined && { groups: principal.groups }),
    assertValid: (session) => assertStillValid(session, principal),
  };
}

/** Approvals show what agents do, so a key needs a scope that has to do with them, or may read events. */
function assertMayRead(principal: Principal): void {
  const any = ['approvals:request', 'approvals:decide', 'events:read'] as const;
  if (any.some((scope) => hasScope(principal, scope))) return;
  throw new ServerError(
    'FORBIDDEN',
    `the ${credentialOf(principal)} lacks the scopes ${any.join(', ')}: it needs one of them`,
  );
}
