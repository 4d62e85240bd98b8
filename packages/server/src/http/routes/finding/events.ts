import { type EventPage, maxVerifiablePage } from '@tallystick/protocol';
import * as z from 'zod';
import { ServerError } from '../../../errors.ts';
import { isOfReading, type ReadAudit } from '../../../operations/read-audit.ts';
import { type EvidenceSources, evidenceOf, type ListedPlace } from '../../../proofs/page-evidence.ts';
import { maxListLimit, type Trail } from '../../../trail/trail.ts';
import type { EventRow } from '../../../trail/view.ts';
import { viewTextOf } from '../../../trail/view-text.ts';
import { ViewTexts } from '../../../trail/view-texts.ts';
import { requireBytes, tenantOf, viewOf } from '../../kernel/access/authentication.ts';
import { type Endpoint, endpoint } from '../../kernel/endpoint.ts';
import { logFacts } from '../../kernel/logging.ts';
import { cursor, flag, limit, tenantId, uuid } from '../../kernel/requests/parameters.ts';
import { eventPage, eventViewRef } from '../../openapi/schemas/view-schemas.ts';
import { eventSearch, filtersOf, includeReads, withMemberFilters } from './event-filters.ts';

const tag = 'Events';

const include = z
  .literal('record')
  .optional()
  .describe('`record` adds the text that was hashed to each event');

const jsonType = 'application/json; charset=utf-8';

/** Routes that list and get events. */
export function eventRoutes({
  trail,
  readAudit,
  evidence,
}: {
  readonly trail: Trail;
  readonly readAudit: ReadAudit;
  readonly evidence: EvidenceSources;
}): Endpoint[] {
  const viewTexts = new ViewTexts();
  return [
    endpoint({
      method: 'GET',
      path: '/v1/audit/events',
      operationId: 'listEvents',
      tag,
      summary: 'List events of a tenant',
      description:
        'Newest first, unless `order` is `asc`. Pages are cut by position in the chain, so events that are appended between two ' +
        'requests do not shift them. A page may hold fewer events than `limit` and still have a `next_cursor`. Without the ' +
        'scope `events:read-sensitive`, sensitive events appear without their content, and they are left out if a filter ' +
        'looks at the content. Records that the trail was read (`audit.read`) and that the accounts of ' +
        'producers changed (`audit.accounts_changed`) are left out; `reads_left_out` then says so.\n\n' +
        'An event must match all filters. A filter that is given several times matches any of its values, and `not.` before its ' +
        'name finds the events that do not match. If `complete` is false, the request reached the end of its budget before ' +
        'the page was full: the next page goes on from there.',
      access: 'events:read',
      viewers: true,
      query: withMemberFilters({
        ...eventSearch,
        order: z
          .enum(['asc', 'desc'])
          .default('desc')
          .describe('By position in the chain: the newest or the oldest first'),
        limit: limit(maxListLimit, 50),
        cursor: cursor.optional(),
        include,
        include_reads: includeReads,
        verify: flag(
          `Add the bytes of each record and \`evidence\`, so that the client can judge the page; \`limit\` is then at most ${maxVerifiablePage}`,
        ).optional(),
      }),
      responses: { 200: { description: 'One page', schema: eventPage } },
      problems: ['CHECKPOINT_INCONSISTENT'],
      async handle({ principal, query }) {
        const { tenant_id, q, order, limit, cursor, include, include_reads, verify, ...given } = query;
        if (verify === true) refuseLongPage(limit);
        const filters = filtersOf(given);
        const tenantId = tenantOf(principal, tenant_id);
        const view = viewOf(principal, include === 'record' || verify === true);
        if (verify === true) requireBytes(view);
        const list = { tenantId, filters, q, order, limit, cursor, includeReads: include_reads };
        const page = await trail.rows(list, view);
        if (page.exists && !isOfReading(filters.event_type)) {
          await readAudit.read({ principal: principal.id, tenantId });
        }
        const proof =
          verify === true ? await evidenceOf(evidence, tenantId, page.rows.map(placeOf)) : undefined;
        const rest: Omit<EventPage, 'events'> = {
          ...(page.nextCursor !== undefined && { next_cursor: page.nextCursor }),
          ...(page.readsLeftOut && { reads_left_out: true }),
          ...(page.isCut && { complete: false }),
          ...(page.indexedTo !== undefined && { indexed_to: page.indexedTo }),
          ...(proof !== undefined && { evidence: proof }),
        };
        const textOf = (row: EventRow) =>
          cursor === undefined ? viewTexts.textOf(tenantId, row, view) : viewTextOf(tenantId, row, view);
        const events = page.rows.map(textOf).join(',');
        const body = JSON.stringify({ events: [], ...rest }).replace('[]', () => `[${events}]`);
        return { status: 200, body, type: jsonType };
      },
    }),
    endpoint({
      method: 'GET',
      path: '/v1/audit/events/{audit_id}',
      operationId: 'getEvent',
      tag,
      summary: 'Get one event',
      access: 'events:read',
      viewers: true,
      params: z.strictObject({ audit_id: uuid('Identity of the event') }),
      query: z.strictObject({ tenant_id: tenantId.optional(), include }),
      responses: { 200: { description: 'The event', schema: eventViewRef } },
      problems: ['NOT_FOUND'],
      async handle({ principal, params, query, request }) {
        const tenantId = tenantOf(principal, query.tenant_id);
        logFacts(request, { audit_id: params.audit_id, tenant_id: tenantId });
        const view = viewOf(principal, query.include === 'record');
        const event = await trail.get(tenantId, params.audit_id, view);
        if (!isOfReading(event.event_type)) {
          await readAudit.read({ principal: principal.id, tenantId });
        }
        return { status: 200, body: event };
      },
    }),
  ];
}

/** @throws {ServerError} `PARAMETER_INVALID` for a page that would need too large a proof */
function refuseLongPage(limit: number): void {
  if (limit <= maxVerifiablePage) return;
  const message = `a page with verify=true has at most ${maxVerifiablePage} events`;
  throw new ServerError('PARAMETER_INVALID', message, { details: { parameter: 'limit' } });
}

function placeOf({ epoch, sequence_number }: EventRow): ListedPlace {
  return { epoch, sequence: sequence_number };
}
