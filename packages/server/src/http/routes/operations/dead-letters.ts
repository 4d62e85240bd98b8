import {
  type DeadLetter,
  type DeadLetterPage,
  type DeadLettersPurged,
  deadLetterStates,
  type RetryResult,
} from '@tallystick/protocol';
import * as z from 'zod';
import { hasScope, type Principal } from '../../../access/principal.ts';
import type { AuditService } from '../../../app.ts';
import type { SubmissionError } from '../../../ingest/submission.ts';
import type { DeadLetters } from '../../../operations/dead-letters.ts';
import { countDeadLetters, purgeDeadLetters } from '../../../operations/purge-dead-letters.ts';
import { retryDeadLetter } from '../../../operations/retry-dead-letter.ts';
import { tenantOf } from '../../kernel/access/authentication.ts';
import { type Endpoint, endpoint } from '../../kernel/endpoint.ts';
import { HttpProblem } from '../../kernel/problems.ts';
import { cursor, limit, tenantId, text, timestamp, uuid } from '../../kernel/requests/parameters.ts';
import {
  deadLetterList,
  deadLetterWithPayload,
  purgeRequest,
  purgeResult,
} from '../../openapi/schemas/operation-schemas.ts';
import { retryResult } from '../../openapi/schemas/result-schemas.ts';

const tag = 'Dead letters';
const params = z.strictObject({ id: uuid('Id of the dead letter') });

interface Parts {
  readonly service: AuditService;
  readonly deadLetters: DeadLetters;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Routes that read and settle dead letters: events that the service refused and keeps. */
export function deadLetterRoutes(parts: Parts): Endpoint[] {
  return [...readingRoutes(parts), ...settlingRoutes(parts)];
}

/** The tenants whose dead letters are meant. `undefined`: all dead letters, including those without a known tenant. */
function tenantsOf(principal: Principal, named: string | undefined): readonly string[] | undefined {
  return named === undefined ? principal.tenants : [tenantOf(principal, named)];
}

function readingRoutes({ deadLetters }: Pick<Parts, 'deadLetters'>): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/v1/dead-letters',
      operationId: 'listDeadLetters',
      tag,
      summary: 'List refused events, oldest first',
      description: 'Only a key for every tenant sees refused events whose tenant is unknown.',
      access: 'events:read',
      query: z.strictObject({
        tenant_id: tenantId.optional(),
        state: z.enum(deadLetterStates).default('open').describe('Only dead letters in this state'),
        reason: text('Code of the refusal').optional(),
        topic: text('Kafka topic that the event came from').optional(),
        before: timestamp('Events that were last delivered before this time').optional(),
        limit: limit(1_000, 50),
        cursor: cursor.optional(),
      }),
      responses: { 200: { description: 'One page', schema: deadLetterList } },
      async handle({ principal, query: { tenant_id, ...query } }) {
        const tenants = tenantsOf(principal, tenant_id);
        const page = await deadLetters.list({ ...query, tenants });
        const body: DeadLetterPage = {
          dead_letters: page.deadLetters,
          ...(page.nextCursor !== undefined && { next_cursor: page.nextCursor }),
        };
        return { status: 200, body };
      },
    }),
    endpoint({
      method: 'GET',
      path: '/v1/dead-letters/{id}',
      operationId: 'getDeadLetter',
      tag,
      summary: 'Get a refused event',
      description:
        'The bytes are shown only to the scope `admin`, because a refused event may contain anything.',
      access: 'events:read',
      params,
      responses: { 200: { description: 'The dead letter', schema: deadLetterWithPayload } },
      problems: ['NOT_FOUND'],
      async handle({ principal, params }) {
        const { info, raw } = await deadLetters.get(params.id, principal.tenants);
        const body: DeadLetter = {
          ...info,
          ...(hasScope(principal, 'admin') && { raw_base64: Buffer.from(raw).toString('base64') }),
        };
        return { status: 200, body };
      },
    }),
  ];
}

function settlingRoutes({ service, deadLetters, now }: Parts): Endpoint[] {
  return [
    endpoint({
      method: 'POST',
      path: '/v1/dead-letters/{id}/retry',
      operationId: 'retryDeadLetter',
      tag,
      summary: 'Submit a refused event again',
      description:
        'The service submits the bytes as it received them, in the name of the original submitter. If the dead letter is a ' +
        "producer's statement, the service chains the gaps that it declares.",
      access: 'admin',
      params,
      responses: { 200: { description: 'The result of the new attempt', schema: retryResult } },
      problems: ['NOT_FOUND', 'CHAIN_STOPPED', 'CLOCK_BEHIND_CHAIN'],
      async handle({ principal, params }) {
        const body: RetryResult<SubmissionError> = await retryDeadLetter(service, deadLetters, {
          id: params.id,
          tenants: principal.tenants,
          by: principal.id,
          now: now(),
        });
        return { status: 200, body };
      },
    }),
    endpoint({
      method: 'DELETE',
      path: '/v1/dead-letters/{id}',
      operationId: 'purgeDeadLetter',
      tag,
      summary: 'Erase a refused event',
      description:
        'The service erases the bytes. It keeps the fact that it refused the event, and chains a record of the purge.',
      access: 'admin',
      params,
      responses: { 204: { description: 'The event is erased' } },
      problems: ['NOT_FOUND', 'CHAIN_STOPPED', 'CLOCK_BEHIND_CHAIN'],
      async handle({ principal, params }) {
        await deadLetters.get(params.id, principal.tenants);
        await purgeDeadLetters(service, {
          ids: [params.id],
          tenants: principal.tenants,
          by: principal.id,
          now: now(),
        });
        return { status: 204 };
      },
    }),
    endpoint({
      method: 'POST',
      path: '/v1/dead-letters/purge',
      operationId: 'purgeDeadLetters',
      tag,
      summary: 'Erase refused events',
      description:
        'Erases the dead letters that match every given filter. The service erases their bytes. It keeps the fact that it ' +
        'refused the events, and chains the hashes of the erased bytes for each tenant. Unless `dry_run` is false, the service ' +
        'only counts them.',
      access: 'admin',
      body: { schema: purgeRequest },
      responses: { 200: { description: 'The number of dead letters', schema: purgeResult } },
      problems: ['CHAIN_STOPPED', 'CLOCK_BEHIND_CHAIN', 'PARAMETER_INVALID'],
      async handle({ principal, body: { tenant_id, dry_run, ...filters } }) {
        if (Object.keys(filters).length === 0) {
          throw new HttpProblem('BODY_INVALID', 'give at least one of ids, state, reason, topic and before');
        }
        const request = { ...filters, tenants: tenantsOf(principal, tenant_id) };
        const { letters, byReason } = dry_run
          ? await countDeadLetters(service, request)
          : await purgeDeadLetters(service, { ...request, by: principal.id, now: now() });
        const body: DeadLettersPurged = { purged: !dry_run, letters, by_reason: byReason };
        return { status: 200, body };
      },
    }),
  ];
}
