import * as z from 'zod';
import { isOfReading } from '../../operations/read-audit.ts';
import { maxListLimit } from '../../trail/trail.ts';
import { seesSensitive, tenantOf } from '../kernel/authenticate.ts';
import { type Endpoint, endpoint } from '../kernel/endpoint.ts';
import { cursor, limit, tenantId, uuid } from '../kernel/parameters.ts';
import { eventViewRef } from '../openapi/view-schemas.ts';
import { listFilters } from './event-filters.ts';

const include = z
  .literal('record')
  .optional()
  .describe('`record` adds the text that was hashed to each event');

export const eventEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'GET',
    path: '/v1/audit/events',
    operationId: 'listEvents',
    tag: 'Events',
    summary: 'List events of a tenant',
    description:
      'Pages by position in the chain, newest first: what is appended meanwhile shifts nothing. A page may hold fewer ' +
      'events than asked for and still have a `next_cursor`. Sensitive events show no content without the scope ' +
      '`events:read-sensitive`, and are left out where a filter over content is set.',
    access: 'events:read',
    query: z.strictObject({
      tenant_id: tenantId.optional(),
      ...listFilters,
      order: z.enum(['asc', 'desc']).default('desc'),
      limit: limit(maxListLimit, 50),
      cursor: cursor.optional(),
      include,
    }),
    responses: {
      200: {
        description: 'A page',
        schema: {
          type: 'object',
          required: ['events'],
          additionalProperties: false,
          properties: {
            events: { type: 'array', items: eventViewRef },
            next_cursor: { type: 'string', description: 'Absent on the last page' },
          },
        },
      },
    },
    async handle({ services, principal, query }) {
      const { tenant_id, order, limit, cursor, include, ...filters } = query;
      const tenantId = tenantOf(principal, tenant_id);
      const view = { sensitive: seesSensitive(principal), withRecord: include === 'record' };
      const page = await services.trail.list({ tenantId, filters, order, limit, cursor }, view);
      if (page.exists && !isOfReading(filters.event_type)) {
        await services.readAudit.read({ principal: principal.id, tenantId });
      }
      return {
        status: 200,
        body: {
          events: page.events,
          ...(page.nextCursor !== undefined && { next_cursor: page.nextCursor }),
        },
      };
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/audit/events/{audit_id}',
    operationId: 'getEvent',
    tag: 'Events',
    summary: 'Get one event',
    access: 'events:read',
    params: z.strictObject({ audit_id: uuid('Identity of the event') }),
    query: z.strictObject({ tenant_id: tenantId.optional(), include }),
    responses: { 200: { description: 'The event', schema: eventViewRef } },
    problems: ['NOT_FOUND'],
    async handle({ services, principal, params, query }) {
      const tenantId = tenantOf(principal, query.tenant_id);
      const view = { sensitive: seesSensitive(principal), withRecord: query.include === 'record' };
      const event = await services.trail.get(tenantId, params.audit_id, view);
      if (!isOfReading(event.event_type)) {
        await services.readAudit.read({ principal: principal.id, tenantId });
      }
      return { status: 200, body: event };
    },
  }),
];
