import * as z from 'zod';
import { hasScope, type Principal } from '../../access/principal.ts';
import { deadLetterStates } from '../../query/dead-letters.ts';
import { retryDeadLetter } from '../../query/retry-dead-letter.ts';
import { tenantOf } from '../authenticate.ts';
import { type Endpoint, endpoint } from '../endpoint.ts';
import { cursor, limit, tenantId, text, uuid } from '../parameters.ts';
import { deadLetterList, deadLetterWithPayload, retryResult } from '../schemas.ts';

const tag = 'Dead letters';
const params = z.strictObject({ id: uuid('Identity of the dead letter') });

/** Letters of these; every letter, those that name no tenant included, where `undefined`. */
function reach(principal: Principal, named: string | undefined): readonly string[] | undefined {
  return named === undefined ? principal.tenants : [tenantOf(principal, named)];
}

export const deadLetterEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'GET',
    path: '/v1/dead-letters',
    operationId: 'listDeadLetters',
    tag,
    summary: 'List refused events, oldest first',
    description: 'Those that name no tenant are seen with a key for every tenant alone.',
    access: 'events:read',
    query: z.strictObject({
      tenant_id: tenantId.optional(),
      state: z.enum(deadLetterStates).default('open'),
      reason: text('Code of the refusal').optional(),
      limit: limit(1_000, 50),
      cursor: cursor.optional(),
    }),
    responses: { 200: { description: 'A page', schema: deadLetterList } },
    async handle({ services, principal, query: { tenant_id, ...query } }) {
      const tenants = reach(principal, tenant_id);
      const { deadLetters, nextCursor } = await services.deadLetters.list({ ...query, tenants });
      return {
        status: 200,
        body: { dead_letters: deadLetters, ...(nextCursor !== undefined && { next_cursor: nextCursor }) },
      };
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/dead-letters/{id}',
    operationId: 'getDeadLetter',
    tag,
    summary: 'Get a refused event',
    access: 'events:read',
    params,
    responses: { 200: { description: 'The dead letter', schema: deadLetterWithPayload } },
    problems: ['NOT_FOUND'],
    async handle({ services, principal, params }) {
      const { info, raw } = await services.deadLetters.get(params.id, principal.tenants);
      const payload = hasScope(principal, 'admin') ? { raw_base64: Buffer.from(raw).toString('base64') } : {};
      return { status: 200, body: { ...info, ...payload } };
    },
  }),
  endpoint({
    method: 'POST',
    path: '/v1/dead-letters/{id}/retry',
    operationId: 'retryDeadLetter',
    tag,
    summary: 'Submit a refused event again',
    description: 'As it was received, under the name of whoever submitted it.',
    access: 'admin',
    params,
    responses: { 200: { description: 'What became of it now', schema: retryResult } },
    problems: ['NOT_FOUND', 'CHAIN_STOPPED', 'CLOCK_BEHIND_CHAIN'],
    async handle({ services, principal, params }) {
      const result = await retryDeadLetter(services.service, services.deadLetters, {
        id: params.id,
        tenants: principal.tenants,
        by: principal.id,
      });
      return { status: 200, body: result };
    },
  }),
  endpoint({
    method: 'DELETE',
    path: '/v1/dead-letters/{id}',
    operationId: 'purgeDeadLetter',
    tag,
    summary: 'Give a refused event up',
    description: 'Its bytes are erased; that it was refused stays on record.',
    access: 'admin',
    params,
    responses: { 204: { description: 'Purged' } },
    problems: ['NOT_FOUND'],
    async handle({ services, principal, params }) {
      await services.deadLetters.purge(params.id, principal.tenants, principal.id);
      return { status: 204 };
    },
  }),
];
