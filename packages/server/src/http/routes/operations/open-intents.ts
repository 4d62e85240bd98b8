import { openIntentStates } from '@tallystick/protocol';
import * as z from 'zod';
import { listOpenIntents } from '../../../followers/open-intents/list.ts';
import type { ReadAudit } from '../../../operations/read-audit.ts';
import type { Database } from '../../../store/database.ts';
import { seesSensitive, tenantOf } from '../../kernel/access/authentication.ts';
import { type Endpoint, endpoint } from '../../kernel/endpoint.ts';
import { cursor, integer, limit, tenantId, text } from '../../kernel/requests/parameters.ts';
import { openIntentList } from '../../openapi/schemas/follower-schemas.ts';

/** The list of actions of agents of which the chains have the intent or the end, and not both. */
export function openIntentRoutes({
  database,
  readAudit,
}: {
  readonly database: Database;
  readonly readAudit: ReadAudit;
}): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/v1/audit/open-intents',
      operationId: 'listOpenIntents',
      tag: 'Agents',
      summary: 'List actions of agents that are not complete',
      description:
        'In the order of their deadlines. `open`: the end is missing, and may still come. `unresolved`: the end is missing, and the ' +
        'chain says so. `early` and `unexplained` are the same for a missing intent. A request reads at most 10,000 rows: then its page has ' +
        '`complete` false and fewer items than `limit`, perhaps none, and goes on at `next_cursor`. ' +
        'Without the scope `events:read-sensitive`, sensitive actions are left out.',
      access: 'events:read',
      query: z.strictObject({
        tenant_id: tenantId.optional(),
        state: z.enum(openIntentStates).optional().describe('Only actions in this state'),
        actor_id: text('The agent').optional(),
        action: text('The tool or the action').optional(),
        min_age_seconds: integer('Only actions whose record was chained at least so many seconds ago', {
          maximum: 366 * 86_400,
        }).optional(),
        limit: limit(1_000, 100),
        cursor: cursor.optional(),
      }),
      responses: { 200: { description: 'One page', schema: openIntentList } },
      async handle({ principal, query }) {
        const body = await listOpenIntents(database, {
          tenants: query.tenant_id === undefined ? principal.tenants : [tenantOf(principal, query.tenant_id)],
          state: query.state,
          actorId: query.actor_id,
          action: query.action,
          minAgeSeconds: query.min_age_seconds,
          sensitive: seesSensitive(principal),
          limit: query.limit,
          cursor: query.cursor,
        });
        const shown = new Set(body.open_intents.map(({ tenant_id }) => tenant_id));
        await Promise.all(
          [...shown].map((each) => readAudit.read({ principal: principal.id, tenantId: each })),
        );
        return { status: 200, body };
      },
    }),
  ];
}
