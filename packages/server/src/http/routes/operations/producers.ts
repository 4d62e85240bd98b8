import { type ProducerPage, type ProducersSettled, producerStates } from '@tallystick/protocol';
import * as z from 'zod';
import type { AuditService } from '../../../app.ts';
import { defaultSilentSeconds, producerPage } from '../../../operations/producers.ts';
import { countUnsettled, settleProducers } from '../../../operations/settle-producers.ts';
import { tenantOf } from '../../kernel/access/authentication.ts';
import { type Endpoint, endpoint } from '../../kernel/endpoint.ts';
import { HttpProblem } from '../../kernel/problems.ts';
import { cursor, flag, integer, limit, tenantId } from '../../kernel/requests/parameters.ts';
import { producerList, settleRequest, settleResult } from '../../openapi/schemas/operation-schemas.ts';

const tag = 'Producers';

/** Routes over the accounts of producers: which numbers arrived, and which are missing. */
export function producerRoutes({ service }: { readonly service: AuditService }): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/v1/audit/producers',
      operationId: 'listProducers',
      tag,
      summary: "List producers' accounts that are not settled",
      description:
        'An account is `open` if the outcome of some of its numbers is unknown. It is `unclosed` if the producer fell silent ' +
        'without declaring its last number. Such an account settles when the missing events arrive or are declared lost.',
      access: 'events:read',
      query: z.strictObject({
        tenant_id: tenantId.optional(),
        all: flag('Also list accounts that are closed or running').optional(),
        state: z
          .enum(producerStates)
          .optional()
          .describe('Of these accounts, only those in this state. Closed and running ones need `all`'),
        silent_seconds: integer(
          'A producer that sent nothing for this number of seconds counts as having ended',
          {
            minimum: 1,
            maximum: 366 * 86_400,
          },
        ).default(defaultSilentSeconds),
        limit: limit(1_000, 100),
        cursor: cursor.optional(),
      }),
      responses: {
        200: { description: 'One page, by submitter, producer and tenant', schema: producerList },
      },
      async handle({ principal, query }) {
        const { producers, nextCursor } = await producerPage(service.database, {
          tenants: query.tenant_id === undefined ? principal.tenants : [tenantOf(principal, query.tenant_id)],
          all: query.all ?? false,
          state: query.state,
          silentSeconds: query.silent_seconds,
          limit: query.limit,
          cursor: query.cursor,
        });
        const body: ProducerPage = {
          producers,
          ...(nextCursor !== undefined && { next_cursor: nextCursor }),
        };
        return { status: 200, body };
      },
    }),
    endpoint({
      method: 'POST',
      path: '/v1/audit/producers/settle',
      operationId: 'settleProducers',
      tag,
      summary: 'Close the accounts of abandoned producers',
      description:
        'The service declares their open numbers as lost, with one `delivery.gap` record per range. For a producer that never ' +
        'declared its last number, it chains a `delivery.unclosed` record. The records name the API key as the actor. Events ' +
        'that arrive later are still chained. Unless `dry_run` is false, the service only counts the accounts.',
      access: 'admin',
      body: { schema: settleRequest },
      responses: { 200: { description: 'The number of accounts', schema: settleResult } },
      problems: ['CHAIN_STOPPED', 'CLOCK_BEHIND_CHAIN'],
      async handle({ principal, body: given }) {
        const { tenant_id, producer_ids: producerIds, silent_seconds, reason, dry_run } = given;
        if (producerIds === undefined && silent_seconds === undefined) {
          throw new HttpProblem('BODY_INVALID', 'give producer_ids or silent_seconds');
        }
        const tenants = tenant_id === undefined ? principal.tenants : [tenantOf(principal, tenant_id)];
        const request = { tenants, producerIds, silentSeconds: silent_seconds ?? defaultSilentSeconds };
        const { accounts, numbers } = dry_run
          ? await countUnsettled(service, request)
          : await settleProducers(service, { ...request, reason, by: principal.id });
        const body: ProducersSettled = { settled: !dry_run, accounts, numbers };
        return { status: 200, body };
      },
    }),
  ];
}
