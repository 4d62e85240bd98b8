import type { FastifyRequest } from 'fastify';
import * as z from 'zod';
import { isOfReading } from '../../operations/read-audit.ts';
import type { Position } from '../../trail/cursor.ts';
import { follow } from '../../trail/follow.ts';
import { principalOf, seesSensitive, tenantOf } from '../kernel/authenticate.ts';
import { type Call, endpoint } from '../kernel/endpoint.ts';
import { integer, tenantId } from '../kernel/parameters.ts';
import { HttpProblem } from '../kernel/problem.ts';
import { writeBounded } from '../kernel/streams.ts';
import { streamFilters } from './event-filters.ts';

const querySchema = z.strictObject({
  tenant_id: tenantId.optional(),
  ...streamFilters,
  sequence_from: integer(
    'Begin with this record of the current epoch; with the next one where absent',
  ).optional(),
});

type StreamQuery = z.output<typeof querySchema>;

/**
 * The live tail. What a client has seen is named by the id of the last event it got, so a broken connection loses
 * nothing and repeats nothing: it comes back with that id.
 */
export const streamEndpoint = endpoint({
  method: 'GET',
  path: '/v1/audit/events/stream',
  operationId: 'streamEvents',
  tag: 'Events',
  summary: "Follow a tenant's events",
  description:
    'Server-sent events: `id` is `<epoch>-<sequence_number>`, `event` is `audit`, `data` is the event as lists show it. ' +
    'Send `Last-Event-ID` to go on after it. Comments are signs of life.',
  access: 'events:read',
  query: querySchema,
  headers: { 'Last-Event-ID': 'Id of the last event that was seen: go on after it' },
  responses: { 200: { description: 'Until either side closes', type: 'text/event-stream' } },
  problems: ['TOO_MANY_STREAMS'],
  async handle(call) {
    const { services, principal, query, request, reply } = call;
    const named = tenantOf(principal, query.tenant_id);
    const head = await services.trail.head(named);
    const after = startOf(request, query, head);
    const stop = services.streams.open(reply.raw);
    reply.hijack();
    reply.raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    try {
      await run(call, named, after, stop);
    } catch (error) {
      request.log.warn({ err: error }, 'a stream broke off');
      reply.raw.destroy();
    }
    return undefined;
  },
});

async function run(
  { services, principal, query, request, reply }: Call<unknown, StreamQuery, unknown>,
  tenantId: string,
  after: Position | undefined,
  stop: AbortController,
): Promise<void> {
  const { heartbeatMs, stalledMs } = services.limits;
  const { tenant_id: _, sequence_from: __, ...filters } = query;
  const response = reply.raw;
  // The key is asked for again as long as the stream lives: revoking it ends what it opened.
  const heartbeat = setInterval(() => {
    if (!response.writableNeedDrain) response.write(': here\n\n');
    principalOf(services.service, request).catch((error: { code?: string }) => {
      if (error.code === 'UNAUTHENTICATED') stop.abort();
    });
  }, heartbeatMs);
  try {
    response.write(': stream\n\n');
    const view = { sensitive: seesSensitive(principal) };
    const events = follow(services.trail, services.heads, { tenantId, filters, after, view }, stop.signal);
    for await (const { position, view: event } of events) {
      // A read of the trail must not be the reason for the next one to be noted.
      if (!isOfReading(event.event_type))
        await services.readAudit.read({ principal: principal.id, tenantId });
      const frame = `id: ${position.epoch}-${position.sequence}\nevent: audit\ndata: ${JSON.stringify(event)}\n\n`;
      if (!(await writeBounded(response, frame, stop.signal, stalledMs))) break;
    }
  } finally {
    clearInterval(heartbeat);
    response.end();
  }
}

function startOf(
  request: FastifyRequest,
  query: StreamQuery,
  head: Position | undefined,
): Position | undefined {
  const last = request.headers['last-event-id'];
  if (last !== undefined) {
    const match = /^([1-9]\d{0,8})-(0|[1-9]\d{0,14})$/.exec(String(last));
    if (match === null) throw new HttpProblem('PARAMETER_INVALID', 'Last-Event-ID is not one of this stream');
    return { epoch: Number(match[1]), sequence: Number(match[2]) };
  }
  if (query.sequence_from !== undefined) {
    return { epoch: head?.epoch ?? 1, sequence: query.sequence_from - 1 };
  }
  return head ?? { epoch: 1, sequence: -1 };
}
