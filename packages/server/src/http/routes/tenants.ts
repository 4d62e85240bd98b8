import * as z from 'zod';
import { decodeCursor, encodeCursor, invalidCursor } from '../../trail/cursor.ts';
import { tenantPage } from '../../trail/tenants.ts';
import { endpoint } from '../kernel/endpoint.ts';
import { cursor, limit } from '../kernel/parameters.ts';
import { tenantList } from '../openapi/schemas.ts';

export const tenantEndpoint = endpoint({
  method: 'GET',
  path: '/v1/tenants',
  operationId: 'listTenants',
  tag: 'Tenants',
  summary: 'List the tenants of the key that have a chain',
  access: 'events:read',
  query: z.strictObject({ limit: limit(1_000, 100), cursor: cursor.optional() }),
  responses: { 200: { description: 'A page, by tenant id', schema: tenantList } },
  async handle({ services, principal, query }) {
    const [after] = query.cursor === undefined ? [''] : decodeCursor(query.cursor, ['tenants']);
    if (typeof after !== 'string') throw invalidCursor('is not one of this service');
    const { tenants, next } = await tenantPage(services.service.database, {
      among: principal.tenants,
      after,
      limit: query.limit,
    });
    return {
      status: 200,
      body: { tenants, ...(next !== undefined && { next_cursor: encodeCursor(['tenants'], [next]) }) },
    };
  },
});
