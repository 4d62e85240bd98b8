import * as z from 'zod';
import { defaultSilentSeconds, producerPage } from '../../operations/producers.ts';
import { countUnsettled, settleProducers } from '../../operations/settle-producers.ts';
import { tenantOf } from '../kernel/authenticate.ts';
import { type Endpoint, endpoint } from '../kernel/endpoint.ts';
import { cursor, flag, integer, limit, tenantId } from '../kernel/parameters.ts';
import { HttpProblem } from '../kernel/problem.ts';
import { producerList, settleRequest, settleResult } from '../openapi/schemas.ts';

const tag = 'Producers';

const listEndpoint = endpoint({
  method: 'GET',
  path: '/v1/audit/producers',
  operationId: 'listProducers',
  tag,
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

const settleEndpoint = endpoint({
  method: 'POST',
  path: '/v1/audit/producers/settle',
  operationId: 'settleProducers',
  tag,
  summary: 'Say the last word for producers that are gone',
  description:
    'Their open numbers are declared lost, each range a `delivery.gap` record, and one that has not said its last number ' +
    'gets a `delivery.unclosed`; in the name of the key. What turns up later is chained all the same. Unless `dry_run` is ' +
    'false, they are only counted.',
  access: 'admin',
  body: { schema: settleRequest },
  responses: { 200: { description: 'How many they are', schema: settleResult } },
  problems: ['CHAIN_STOPPED', 'CLOCK_BEHIND_CHAIN'],
  async handle({ services: { service }, principal, body }) {
    const { tenant_id, producer_ids: producerIds, silent_seconds, reason, dry_run } = body;
    if (producerIds === undefined && silent_seconds === undefined) {
      throw new HttpProblem('BODY_INVALID', 'say which: producer_ids or silent_seconds');
    }
    const tenants = tenant_id === undefined ? principal.tenants : [tenantOf(principal, tenant_id)];
    const request = { tenants, producerIds, silentSeconds: silent_seconds ?? defaultSilentSeconds };
    const { accounts, numbers } = dry_run
      ? await countUnsettled(service, request)
      : await settleProducers(service, { ...request, reason, by: principal.id });
    return { status: 200, body: { settled: !dry_run, accounts, numbers } };
  },
});

export const producerEndpoints: readonly Endpoint[] = [listEndpoint, settleEndpoint];
