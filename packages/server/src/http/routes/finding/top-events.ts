import * as z from 'zod';
import { isOfReading, type ReadAudit } from '../../../operations/read-audit.ts';
import { maxRankingName, rankedMembers, readRanking } from '../../../trail/ranking.ts';
import { topEvents } from '../../../trail/top-events.ts';
import type { Trail } from '../../../trail/trail.ts';
import { seesSensitive, tenantOf } from '../../kernel/access/authentication.ts';
import { type Endpoint, endpoint } from '../../kernel/endpoint.ts';
import { cursor, documented, integer } from '../../kernel/requests/parameters.ts';
import { topEvents as topEventsSchema } from '../../openapi/schemas/top-schemas.ts';
import { eventSearch, filtersOf, includeReads, withMemberFilters } from './event-filters.ts';

const paths = rankedMembers.map((member) => `${member}.<path>`).join(', ');

const by = documented(
  z.string().transform((text, context) => {
    const ranking = readRanking(text);
    if (ranking !== undefined) return ranking;
    const message = `must be timestamp, or one of ${paths} with the path of a number, such as context.llm_cost_usd`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  }),
  {
    type: 'string',
    maxLength: maxRankingName,
    examples: ['context.llm_cost_usd', 'timestamp'],
    description: `What the events are ranked by: \`timestamp\`, or the path of a number, one of ${paths}`,
  },
);

/** The route that ranks events. */
export function topEventRoutes({
  trail,
  readAudit,
}: {
  readonly trail: Trail;
  readonly readAudit: ReadAudit;
}): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/v1/audit/events/top',
      operationId: 'topEvents',
      tag: 'Events',
      summary: 'Find the events with the greatest values',
      description:
        'Ranks the events that match the filters and the search `q` by a number that they have, such as the cost or the duration of ' +
        'a model call, or by their `timestamp`. Events without the number are not ranked; a text is not a number. A list of numbers ' +
        'counts as its greatest.\n\n' +
        'A request reads up to 5,000 events, the newest first. If there are more, `complete` is false, and `next_cursor` ranks the ' +
        'older ones: the greatest of both answers are the greatest of all. Records of reads are left out unless `include_reads` or a ' +
        'filter asks for them. Sensitive events are ranked only with the scope `events:read-sensitive`.',
      access: 'events:read',
      query: withMemberFilters({
        ...eventSearch,
        by,
        limit: integer('Most events', { minimum: 1, maximum: 50 }).default(10),
        cursor: cursor.optional(),
        include_reads: includeReads,
      }),
      responses: { 200: { description: 'The events with the greatest values', schema: topEventsSchema } },
      async handle({ principal, query }) {
        const { tenant_id, q, by: ranking, limit, cursor, include_reads, ...given } = query;
        const filters = filtersOf(given);
        const tenantId = tenantOf(principal, tenant_id);
        const body = await topEvents(
          trail,
          { tenantId, filters, q, ranking, limit, cursor, includeReads: include_reads },
          { sensitive: seesSensitive(principal) },
        );
        if (!isOfReading(filters.event_type) && (await trail.head(tenantId)) !== undefined)
          await readAudit.read({ principal: principal.id, tenantId });
        return { status: 200, body };
      },
    }),
  ];
}
