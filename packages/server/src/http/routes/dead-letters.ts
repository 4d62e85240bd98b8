import { deadLetterStates } from '@tallystick/protocol';
import * as z from 'zod';
import { hasScope, type Principal } from '../../access/principal.ts';
import { countDeadLetters, purgeDeadLetters } from '../../operations/purge-dead-letters.ts';
import { retryDeadLetter } from '../../operations/retry-dead-letter.ts';
import { tenantOf } from '../kernel/authenticate.ts';
import { type Endpoint, endpoint } from '../kernel/endpoint.ts';
import { cursor, limit, tenantId, text, timestamp, uuid } from '../kernel/parameters.ts';
import { HttpProblem } from '../kernel/problem.ts';
import {
  deadLetterList,
  deadLetterWithPayload,
  purgeRequest,
  purgeResult,
  retryResult,
} from '../openapi/schemas.ts';

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
      topic: text('Topic of the message that brought it').optional(),
      before: timestamp('Last delivered before this').optional(),
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
    description: 'Its bytes are shown to the scope `admin` alone: a refused event may hold anything.',
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
    description:
      "As it was received, under the name of whoever submitted it. Of a producer's statement the gaps are chained.",
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
    description:
      'Its bytes are erased; that it was refused stays on record, and so does the purge, in the chain.',
    access: 'admin',
    params,
    responses: { 204: { description: 'Purged' } },
    problems: ['NOT_FOUND', 'CHAIN_STOPPED', 'CLOCK_BEHIND_CHAIN'],
    async handle({ services, principal, params }) {
      await services.deadLetters.get(params.id, principal.tenants);
      await purgeDeadLetters(services.service, {
        ids: [params.id],
        tenants: principal.tenants,
        by: principal.id,
        now: services.now(),
      });
      return { status: 204 };
    },
  }),
  endpoint({
    method: 'POST',
    path: '/v1/dead-letters/purge',
    operationId: 'purgeDeadLetters',
    tag,
    summary: 'Give refused events up',
    description:
      'Those that fit all that is said. Their bytes are erased; that they were refused stays on record, and each tenant has ' +
      'the hashes of what was erased in its chain. Unless `dry_run` is false, they are only counted.',
    access: 'admin',
    body: { schema: purgeRequest },
    responses: { 200: { description: 'How many they are', schema: purgeResult } },
    problems: ['CHAIN_STOPPED', 'CLOCK_BEHIND_CHAIN', 'PARAMETER_INVALID'],
    async handle({ services, principal, body }) {
      const { tenant_id, dry_run, ...named } = body;
      if (Object.keys(named).length === 0) {
        throw new HttpProblem('BODY_INVALID', 'say which: ids, state, reason, topic or before');
      }
      const request = { ...named, tenants: reach(principal, tenant_id) };
      const result = dry_run
        ? await countDeadLetters(services.service, request)
        : await purgeDeadLetters(services.service, { ...request, by: principal.id, now: services.now() });
      return {
        status: 200,
        body: { purged: !dry_run, letters: result.letters, by_reason: result.byReason },
      };
    },
  }),
];
