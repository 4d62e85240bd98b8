import {
  readTimeline,
  type TimelineSource,
  type TimelineSubject,
  viewOfTimeline,
} from '@tallystick/protocol';
import * as z from 'zod';
import { ServerError } from '../../../errors.ts';
import type { ReadAudit } from '../../../operations/read-audit.ts';
import type { Trail } from '../../../trail/trail.ts';
import type { ViewOptions } from '../../../trail/view.ts';
import { tenantOf, viewOf } from '../../kernel/access/authentication.ts';
import { type Endpoint, endpoint } from '../../kernel/endpoint.ts';
import { limit, tenantId, text, uuid } from '../../kernel/requests/parameters.ts';
import { timelineView } from '../../openapi/schemas/timeline-schemas.ts';

/** The route of timelines. */
export function timelineRoutes({
  trail,
  readAudit,
}: {
  readonly trail: Trail;
  readonly readAudit: ReadAudit;
}): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/v1/audit/timeline',
      operationId: 'getTimeline',
      tag: 'Events',
      summary: 'Get the tree of causes of an investigation, a correlation, a trace or a run of an agent',
      description:
        'Reads the records of exactly one of `investigation_id`, `correlation_id`, `trace_id` and `run_id`, the oldest first, and puts each below ' +
        'the record that its `parent_id` names. A summary adds up calls of models, and says what people decided, what was done and ' +
        'not done, and what is missing. If there are more records than `limit`, or than 16 MiB of them, `complete` is false. Without the ' +
        'scope `events:read-sensitive`, sensitive records are left out.',
      access: 'events:read',
      viewers: true,
      query: z.strictObject({
        tenant_id: tenantId.optional(),
        investigation_id: text('Investigation whose records are read').optional(),
        correlation_id: text('Request or job whose records are read').optional(),
        trace_id: text('Trace whose records are read').optional(),
        run_id: uuid(
          'Run of an agent whose records are read: the `audit_id` of its record `agent.run.started`. They have its `correlation_id`, ' +
            'and the run led to them',
        ).optional(),
        limit: limit(10_000, 1_000),
      }),
      responses: { 200: { description: 'The tree, empty if there is no such record', schema: timelineView } },
      async handle({ principal, query }) {
        const { tenant_id, limit: most, ...given } = query;
        const tenantId = tenantOf(principal, tenant_id);
        const subject = subjectOf(given);
        const source = sourceOf(trail, tenantId, viewOf(principal));
        const timeline = await readTimeline(source, { tenantId, subject, limit: most });
        if (timeline.records.length > 0) await readAudit.read({ principal: principal.id, tenantId });
        return { status: 200, body: viewOfTimeline(timeline) };
      },
    }),
  ];
}

function subjectOf(given: { readonly [name: string]: string | undefined }): TimelineSubject {
  const named = Object.entries(given).filter(([, value]) => value !== undefined);
  if (named.length === 1) return Object.fromEntries(named);
  throw new ServerError(
    'PARAMETER_INVALID',
    'exactly one of investigation_id, correlation_id, trace_id and run_id must be given',
    { details: { parameter: 'investigation_id' } },
  );
}

function sourceOf(trail: Trail, tenantId: string, view: ViewOptions): TimelineSource {
  return {
    async list(query) {
      const { events, nextCursor, isCut } = await trail.list({ tenantId, ...query }, view);
      return {
        events,
        ...(nextCursor !== undefined && { next_cursor: nextCursor }),
        ...(isCut && { complete: false }),
      };
    },
    async get(auditId) {
      try {
        return await trail.get(tenantId, auditId, view);
      } catch (error) {
        if (error instanceof ServerError && error.code === 'NOT_FOUND') return undefined;
        throw error;
      }
    },
  };
}
