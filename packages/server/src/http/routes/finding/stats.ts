import { facetFields, type Grouping, readGrouping, timeFacets } from '@tallystick/event';
import * as z from 'zod';
import { isOfReading, type ReadAudit } from '../../../operations/read-audit.ts';
import type { TrailStats } from '../../../trail/stats/stats.ts';
import type { Trail } from '../../../trail/trail.ts';
import { tenantOf, viewOf } from '../../kernel/access/authentication.ts';
import { type Endpoint, endpoint } from '../../kernel/endpoint.ts';
import { cursor, documented, integer } from '../../kernel/requests/parameters.ts';
import { stats as statsSchema } from '../../openapi/schemas/stats-schemas.ts';
import { eventSearch, filtersOf, includeReads, withMemberFilters } from './event-filters.ts';

/** Most groupings of one request. */
const maxGroupings = 10;

const parts = [...facetFields.map(({ name }) => name), ...timeFacets];

const groupings: z.ZodType<readonly Grouping[]> = z
  .unknown()
  .transform((given, context): readonly Grouping[] => {
    const texts = [given ?? []].flat();
    const read = texts.map((text) => (typeof text === 'string' ? readGrouping(text) : undefined));
    if (texts.length > maxGroupings || read.includes(undefined)) {
      const message =
        `must be given at most ${maxGroupings} times, each with one of ${parts.join(', ')}, ` +
        'or two of them with a comma, such as actor,day';
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    }
    return read.filter((grouping) => grouping !== undefined);
  });

const by = documented(groupings, {
  type: 'array',
  items: { type: 'string', examples: ['event_type', 'actor,day'] },
  maxItems: maxGroupings,
  description: `What the counts are divided by: one or two of ${parts.join(', ')}`,
});

/** Routes that count events. */
export function statsRoutes({
  trail,
  stats,
  readAudit,
}: {
  readonly trail: Trail;
  readonly stats: TrailStats;
  readonly readAudit: ReadAudit;
}): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/v1/audit/stats',
      operationId: 'countEvents',
      tag: 'Events',
      summary: 'Count the events of a tenant',
      description:
        'Counts the events that match the filters and the search `q`, which are those of the list of events. `by` divides them by a field ' +
        `(${parts.join(', ')}), or by two of them: \`by=actor,day\`. A request may have several \`by\`. Hours and days are UTC, by the ` +
        '`timestamp` of the events.\n\n' +
        'Counts are exact where the filters look at fields of `by`, `actor_id`, `is_sensitive` and `timestamp` only. Other filters and ' +
        'a search read the events, up to 5,000 per request: `complete` is then false, and `next_cursor` goes on. Records of reads ' +
        '(`audit.read`, `audit.accounts_changed`) are not counted, unless `include_reads` or a filter asks for them. Sensitive events ' +
        'are counted only with the scope `events:read-sensitive`.',
      access: 'events:read',
      viewers: true,
      query: withMemberFilters({
        ...eventSearch,
        by: by.optional(),
        limit: integer('Most values of the fields of a grouping', { minimum: 1, maximum: 1_000 }).default(50),
        cursor: cursor.optional(),
        include_reads: includeReads,
      }),
      responses: { 200: { description: 'The counts', schema: statsSchema } },
      async handle({ principal, query }) {
        const { tenant_id, q, by: groupings = [], limit, cursor, include_reads, ...given } = query;
        const filters = filtersOf(given);
        const tenantId = tenantOf(principal, tenant_id);
        const body = await stats.count(
          { tenantId, filters, q, groupings, limit, cursor, includeReads: include_reads },
          viewOf(principal),
        );
        if (!isOfReading(filters.event_type) && (await trail.head(tenantId)) !== undefined)
          await readAudit.read({ principal: principal.id, tenantId });
        return { status: 200, body };
      },
    }),
  ];
}
