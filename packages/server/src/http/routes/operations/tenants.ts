import { tenantIdPattern } from '@tallystick/event';
import type { TenantPage } from '@tallystick/protocol';
import * as z from 'zod';
import type { Database } from '../../../store/database.ts';
import { decodeCursor, encodeCursor } from '../../../trail/cursor.ts';
import { tenantPage } from '../../../trail/tenants.ts';
import { tenantOf } from '../../kernel/access/authentication.ts';
import { type Endpoint, endpoint } from '../../kernel/endpoint.ts';
import { cursor, limit, tenantId } from '../../kernel/requests/parameters.ts';
import { tenantList } from '../../openapi/schemas/log-schemas.ts';

/** The last tenant on the page before. */
const place = z.tuple([z.string().regex(tenantIdPattern)]);

/** The route that lists tenants. */
export function tenantRoutes({ database }: { readonly database: Database }): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/v1/tenants',
      operationId: 'listTenants',
      tag: 'Tenants',
      summary: 'List tenants that have a chain',
      description: 'A key for some tenants sees only those.',
      access: 'events:read',
      query: z.strictObject({
        tenant_id: tenantId.optional(),
        limit: limit(1_000, 100),
        cursor: cursor.optional(),
      }),
      responses: { 200: { description: 'One page, by tenant id', schema: tenantList } },
      async handle({ principal, query }) {
        const [after] = query.cursor === undefined ? [''] : decodeCursor(query.cursor, ['tenants'], place);
        const { tenants, next } = await tenantPage(database, {
          among: query.tenant_id === undefined ? principal.tenants : [tenantOf(principal, query.tenant_id)],
          after,
          limit: query.limit,
        });
        const body: TenantPage = {
          tenants,
          ...(next !== undefined && { next_cursor: encodeCursor(['tenants'], [next]) }),
        };
        return { status: 200, body };
      },
    }),
  ];
}
