import { type AcceptedResult, eventProblemCodes } from '@tallystick/protocol';
import type { Principal } from '../../access/principal.ts';
import type { AuditService } from '../../app.ts';
import { type ReceivedBatch, readBatch, readLines } from '../../ingest/http/read-batch.ts';
import type { Gateway, SubmissionResult } from '../../ingest/submission.ts';
import { mediaType, tooLarge } from '../kernel/bodies.ts';
import { type Endpoint, endpoint } from '../kernel/endpoint.ts';
import type { HttpLimits } from '../kernel/limits.ts';
import { logFacts, type RequestFacts } from '../kernel/logging.ts';
import { HttpProblem, toRefusal } from '../kernel/problems.ts';
import { accepted, batchResult, delivery, stored } from '../openapi/result-schemas.ts';
import { eventRef } from '../openapi/view-schemas.ts';

/** More than the limit for an event, so that the service can keep an event that is too large and name the reason. */
const maxEventBodyBytes = 1024 * 1024;

const tag = 'Ingest';

const submitProblems = [
  'CHAIN_STOPPED',
  'CLOCK_BEHIND_CHAIN',
  'OVERLOADED',
  'BROKER_UNAVAILABLE',
  'BROKER_REFUSED',
] as const;

interface Parts {
  readonly service: Pick<AuditService, 'submit' | 'writer'>;
  /** The queue in front of the chain, if there is one. */
  readonly gateway: Gateway | undefined;
  readonly limits: HttpLimits;
}

/** Routes that accept events. */
export function ingestRoutes(parts: Parts): Endpoint[] {
  const { gateway, limits } = parts;
  const { maxBatchEvents, maxBodyBytes } = limits;
  return [
    endpoint({
      method: 'POST',
      path: '/v1/audit/events',
      operationId: 'submitEvent',
      tag,
      summary: 'Submit one event',
      description:
        'The answer comes once the event is durable. Submitting is idempotent by `audit_id`: the service stores the same event ' +
        'once, and answers a repeated submission with the first receipt. A service with a queue in front of the chain answers ' +
        '202 without a receipt.',
      access: 'events:write',
      body: {
        maxBytes: maxEventBodyBytes,
        content: { 'application/json': { schema: eventRef } },
      },
      responses: {
        201: { description: 'The event is chained', schema: stored },
        200: { description: 'The event was already chained, with the same content', schema: stored },
        202: { description: 'The event is durable in a queue and will be chained', schema: accepted },
      },
      problems: [...eventProblemCodes, ...submitProblems],
      async handle({ principal, body, request }) {
        if (body.length === 0) throw new HttpProblem('BODY_MALFORMED', 'the body is empty');
        const [result] = await submit(parts, principal, { events: [body] });
        logFacts(request, factsOf([result!]));
        if ('error' in result!) throw toRefusal(result.error);
        return { status: statusOf[result!.status], body: result };
      },
    }),
    endpoint({
      method: 'POST',
      path: '/v1/audit/events/batch',
      operationId: 'submitEvents',
      tag,
      summary: 'Submit a batch of events',
      description:
        'Each event gets its own result. A refused event does not affect the others. The body may be sent with ' +
        '`content-encoding: gzip`. Newline-delimited JSON carries no delivery metadata.',
      access: 'events:write',
      body: {
        maxBytes: maxBodyBytes,
        content: {
          'application/json': {
            schema: {
              type: 'object',
              required: ['events'],
              additionalProperties: false,
              properties: {
                delivery,
                events: { type: 'array', maxItems: maxBatchEvents, items: eventRef },
              },
            },
          },
          'application/x-ndjson': { schema: { type: 'string' }, description: 'One event per line' },
        },
      },
      responses: {
        201: {
          description: 'Every event is chained, some perhaps by an earlier request',
          schema: batchResult,
        },
        202: { description: 'Every event is durable in a queue and will be chained', schema: batchResult },
        207: {
          description: 'Some or all events are refused. The others are chained, or durable in a queue',
          schema: batchResult,
        },
      },
      problems: ['DELIVERY_INVALID', ...submitProblems],
      async handle({ principal, body, request }) {
        const isJson = mediaType(request.raw) === 'application/json';
        const batch = isJson ? readBatch(body, maxBatchEvents) : readLines(body, maxBatchEvents);
        if (batch.events.length > maxBatchEvents) throw tooLarge(maxBodyBytes, maxBatchEvents);
        const results = await submit(parts, principal, batch);
        logFacts(request, factsOf(results));
        const hasRefused = results.some((result) => 'error' in result);
        return {
          status: hasRefused ? 207 : gateway === undefined ? 201 : 202,
          body: { results: results.map((result, index) => ({ index, ...result })) },
        };
      },
    }),
  ];
}

/** For the log: how many events got which outcome; of a single event, which one it was. */
function factsOf(results: readonly (AcceptedResult | SubmissionResult)[]): RequestFacts {
  const outcomes: { [outcome: string]: number } = {};
  for (const { status } of results) outcomes[status] = (outcomes[status] ?? 0) + 1;
  const [only] = results;
  if (results.length !== 1) return { outcomes };
  if ('receipt' in only!) {
    const { audit_id, tenant_id } = only.receipt;
    return { outcomes, audit_id, tenant_id };
  }
  return 'audit_id' in only! ? { outcomes, audit_id: only.audit_id } : { outcomes };
}

const statusOf = { chained: 201, duplicate: 200, accepted: 202 } as const;

async function submit(
  { service, gateway, limits }: Parts,
  principal: Principal,
  { events, delivery }: ReceivedBatch,
): Promise<readonly (AcceptedResult | SubmissionResult)[]> {
  // Waiting submissions are in memory. Producers have buffers of their own, so it is better that they wait.
  if (gateway === undefined ? service.writer.queued >= limits.maxQueued : gateway.full) {
    throw new HttpProblem('OVERLOADED', 'too many submissions are waiting; try again later', {
      headers: { 'retry-after': '1' },
    });
  }
  const submission = {
    events,
    source: 'http',
    trust: 'api-key',
    principal: principal.id,
    tenants: principal.tenants,
    delivery,
  } as const;
  return gateway === undefined ? await service.submit(submission) : await gateway.accept(submission);
}
