import * as z from 'zod';
import { defaultSilentSeconds, producerPage } from '../../query/producers.ts';
import { tenantOf } from '../authenticate.ts';
import { endpoint } from '../endpoint.ts';
import { cursor, flag, integer, limit, tenantId } from '../parameters.ts';
import { producerList } from '../schemas.ts';

export const producerEndpoint = endpoint({
  method: 'GET',
  path: '/v1/audit/producers',
  operationId: 'listProducers',
  tag: 'Producers',
  summary: 'List the accounts of producers that are not settled',
  description:
    'What a producer has numbered and nobody has accounted for (`open`), and producers that fell silent without saying ' +
    'their last number (`unclosed`). Numbers that turn up late, or are declared lost, settle by themselves.',
  access: 'events:read',
  query: z.strictObject({
    tenant_id: tenantId.optional(),
    all: flag('Those that are closed or running, too').optional(),
    silent_seconds: integer('How long a producer may be silent before it counts as ended', {
      minimum: 1,
      maximum: 366 * 86_400,
    }).default(defaultSilentSeconds),
    limit: limit(1_000, 100),
    cursor: cursor.optional(),
  }),
  responses: { 200: { description: 'A page, by submitter, producer and tenant', schema: producerList } },
  async handle({ services, principal, query }) {
    const { producers, nextCursor } = await producerPage(services.service.database, {
      tenants: query.tenant_id === undefined ? principal.tenants : [tenantOf(principal, query.tenant_id)],
      all: query.all ?? false,
      silentSeconds: query.silent_seconds,
      limit: query.limit,
      cursor: query.cursor,
    });
    return {
      status: 200,
      body: { producers, ...(nextCursor !== undefined && { next_cursor: nextCursor }) },
    };
  },
});
