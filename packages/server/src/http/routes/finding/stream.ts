import type { FastifyRequest } from 'fastify';
import type * as z from 'zod';
import type { KeyWatch } from '../../../access/key-watch.ts';
import { holderOf } from '../../../access/principal.ts';
import { isOfReading, type ReadAudit } from '../../../operations/read-audit.ts';
import type { Position } from '../../../trail/cursor.ts';
import { type FollowQuery, follow } from '../../../trail/follow.ts';
import { readSearch } from '../../../trail/read-search.ts';
import type { HeadWatch } from '../../../trail/tail.ts';
import type { Trail } from '../../../trail/trail.ts';
import { tenantOf, viewOf } from '../../kernel/access/authentication.ts';
import { type Call, type Endpoint, endpoint } from '../../kernel/endpoint.ts';
import type { HttpLimits } from '../../kernel/limits/limits.ts';
import { HttpProblem } from '../../kernel/problems.ts';
import { integer, tenantId, timestamp } from '../../kernel/requests/parameters.ts';
import { beginStream, type Streams, writeBounded } from '../../kernel/streams/streams.ts';
import { filtersOf, includeReads, searchText, streamFilters, withMemberFilters } from './event-filters.ts';

const querySchema = withMemberFilters({
  tenant_id: tenantId.optional(),
  ...streamFilters,
  q: searchText.optional(),
  sequence_from: integer(
    'Sequence number of the first record to send, in the current epoch. Absent: the next new record',
  ).optional(),
  since: timestamp('Begin with the first record that was chained at this time or later').optional(),
  include_reads: includeReads,
});

type StreamQuery = z.output<typeof querySchema>;

interface Parts {
  readonly trail: Trail;
  readonly heads: HeadWatch;
  readonly streams: Streams;
  readonly readAudit: ReadAudit;
  readonly keyWatch: KeyWatch;
  readonly limits: HttpLimits;
}

/**
 * The live tail. Each event carries an id, and a client that reconnects sends the id of the last event it received. A broken
 * connection therefore loses no event and repeats none.
 */
export function streamRoutes(parts: Parts): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/v1/audit/events/stream',
      operationId: 'streamEvents',
      tag: 'Events',
      summary: "Follow a tenant's events",
      description:
        'Server-sent events. `id` is `<epoch>-<sequence_number>`, `event` is `audit`, and `data` is the event in the form of ' +
        'lists, of those that match the filters and the search `q`. Send the last `id` in the header `Last-Event-ID` to continue after it. Comments are heartbeats.',
      access: 'events:read',
      viewers: true,
      query: querySchema,
      headers: { 'Last-Event-ID': 'Id of the last event that the client received' },
      responses: {
        200: {
          description: 'A stream that lasts until the client or the service closes it',
          type: 'text/event-stream',
        },
      },
      problems: ['TOO_MANY_STREAMS'],
      async handle(call) {
        const { principal, query, request, reply } = call;
        const tenantId = tenantOf(principal, query.tenant_id);
        const search = query.q === undefined ? undefined : readSearch(query.q);
        const head = await parts.trail.head(tenantId);
        const after = await startOf(parts.trail, tenantId, request, query, head);
        const stop = parts.streams.open(reply.raw, holderOf(principal));
        beginStream(reply);
        try {
          await run(parts, call, { tenantId, search, after }, stop);
        } catch (error) {
          request.log.warn({ err: error }, 'stream aborted');
          reply.raw.destroy();
        }
        return undefined;
      },
    }),
  ];
}

async function run(
  { trail, heads, readAudit, keyWatch, limits }: Parts,
  { principal, query, reply }: Call<unknown, StreamQuery, unknown>,
  { tenantId, search, after }: Pick<FollowQuery, 'tenantId' | 'search' | 'after'>,
  stop: AbortController,
): Promise<void> {
  const { heartbeatMs, stalledMs } = limits;
  const { tenant_id: _, q: __, sequence_from: ___, since: ____, include_reads, ...given } = query;
  const filters = filtersOf(given);
  const response = reply.raw;
  const heartbeat = setInterval(() => {
    if (!response.writableNeedDrain) response.write(': here\n\n');
  }, heartbeatMs);
  const endWatch = keyWatch.watch(principal, () => stop.abort());
  try {
    response.write(': stream\n\n');
    const view = viewOf(principal);
    const events = follow(
      trail,
      heads,
      { tenantId, filters, search, after, view, includeReads: include_reads },
      stop.signal,
    );
    for await (const { position, view: event } of events) {
      // Otherwise the record of this read would itself be read, and would cause the next record.
      if (!isOfReading(event.event_type)) await readAudit.read({ principal: principal.id, tenantId });
      const frame = `id: ${position.epoch}-${position.sequence}\nevent: audit\ndata: ${JSON.stringify(event)}\n\n`;
      if (!(await writeBounded(response, frame, stop.signal, stalledMs))) break;
    }
  } finally {
    clearInterval(heartbeat);
    endWatch();
    response.end();
  }
}

/** The position after which the stream begins. */
async function startOf(
  trail: Trail,
  tenantId: string,
  request: FastifyRequest,
  query: StreamQuery,
  head: Position | undefined,
): Promise<Position | undefined> {
  const last = request.headers['last-event-id'];
  if (last !== undefined) {
    const match = /^([1-9]\d{0,8})-(0|[1-9]\d{0,14})$/.exec(String(last));
    if (match === null) {
      throw new HttpProblem('PARAMETER_INVALID', 'Last-Event-ID must be the id of an event of this stream');
    }
    return { epoch: Number(match[1]), sequence: Number(match[2]) };
  }
  if (query.sequence_from !== undefined) {
    return { epoch: head?.epoch ?? 1, sequence: query.sequence_from - 1 };
  }
  if (query.since !== undefined) {
    const list = { tenantId, filters: { ingested_from: query.since }, order: 'asc', limit: 1 } as const;
    const [first] = (await trail.list(list, { sensitive: false })).events;
    if (first !== undefined) {
      return { epoch: Number(first.epoch), sequence: Number(first.sequence_number) - 1 };
    }
  }
  // The head was read before the list: a record that was chained in between is not skipped.
  return head ?? { epoch: 1, sequence: -1 };
}
