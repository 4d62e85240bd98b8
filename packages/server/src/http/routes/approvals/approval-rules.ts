import type { ApprovalRulesList } from '@tallystick/protocol';
import * as z from 'zod';
import type { AuditService } from '../../../app.ts';
import { changeRules, listRules } from '../../../approvals/minimum-rules.ts';
import { ServerError } from '../../../errors.ts';
import { type Endpoint, endpoint } from '../../kernel/endpoint.ts';
import { text } from '../../kernel/requests/parameters.ts';
import { approvalRulesEntry, approvalRulesList } from '../../openapi/schemas/approval-schemas.ts';
import { assertMayRead } from './desk-caller.ts';

const tag = 'Approvals';
const chainProblems = ['CHAIN_STOPPED', 'CLOCK_BEHIND_CHAIN'] as const;

/** The minimum rules of approvals, which a request can only tighten. */
export function approvalRulesRoutes({ service }: { readonly service: AuditService }): Endpoint[] {
  const { database } = service;
  return [
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
  ];
}
