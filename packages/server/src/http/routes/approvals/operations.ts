import type { AuditService } from '../../../app.ts';
import { ServerError } from '../../../errors.ts';
import { tenantOf } from '../../kernel/access/authentication.ts';
import { type Endpoint, endpoint } from '../../kernel/endpoint.ts';
import { operationAttempt, operationEnd, operationState } from '../../openapi/schemas/approval-schemas.ts';
import { subjectOf } from './desk-caller.ts';

const tag = 'Approvals';
const chainProblems = ['CHAIN_STOPPED', 'CLOCK_BEHIND_CHAIN'] as const;
/** A kept result has at most 64 KiB of JSON; the rest of the outcome is short. */
const maxOutcomeCharacters = 72 * 1024;

/** Operations that begin at most once. */
export function operationRoutes({ service }: { readonly service: AuditService }): Endpoint[] {
  const { operations } = service;
  return [
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
