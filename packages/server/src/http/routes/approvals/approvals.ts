import type { Approval, ApprovalPage } from '@tallystick/protocol';
import { approvalStates } from '@tallystick/protocol';
import * as z from 'zod';
import type { AuditService } from '../../../app.ts';
import { decodeCursor, encodeCursor } from '../../../trail/cursor.ts';
import { tenantOf } from '../../kernel/access/authentication.ts';
import { type Endpoint, endpoint } from '../../kernel/endpoint.ts';
import { cursor, isTimestamp, limit, tenantId, uuid } from '../../kernel/requests/parameters.ts';
import {
  approval,
  approvalClaim,
  approvalPage,
  approvalRequest,
  approvalVerdict,
  approvalWithdrawal,
} from '../../openapi/schemas/approval-schemas.ts';
import { assertMayRead, assertSubject, callerOf } from './desk-caller.ts';

const tag = 'Approvals';
const params = z.strictObject({ approval_id: uuid('Id of the approval') });
const chainProblems = ['CHAIN_STOPPED', 'CLOCK_BEHIND_CHAIN'] as const;

/** The approval desk: requests of agents, and decisions of approvers. */
export function approvalRoutes({ service }: { readonly service: AuditService }): Endpoint[] {
  const { desk } = service;
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
  ];
}

const listPlace = z.tuple([z.string().refine(isTimestamp), uuid('Id of an approval')]);
