import { type AcceptedResult, chainedApplied, eventProblemCodes, type Reason } from '@tallystick/protocol';
import type { FastifyRequest } from 'fastify';
import type { Principal } from '../../access/principal.ts';
import type { AuditService } from '../../app.ts';
import { type ReceivedBatch, readBatch, readLines } from '../../ingest/http/read-batch.ts';
import type { Gateway, SubmissionResult } from '../../ingest/submission.ts';
import { type Endpoint, endpoint } from '../kernel/endpoint.ts';
import type { HttpLimits } from '../kernel/limits/limits.ts';
import { logFacts, type RequestFacts } from '../kernel/logging.ts';
import { HttpProblem, toRefusal } from '../kernel/problems.ts';
import { mediaType, tooLarge } from '../kernel/requests/bodies.ts';
import { idempotencyKeyHeader, idempotencyKeyOf } from '../kernel/requests/idempotency-key.ts';
import { preferHeader, prefersChained } from '../kernel/requests/prefer.ts';
import { accepted, batchResult, delivery, stored } from '../openapi/schemas/result-schemas.ts';
import { submittedEventRef } from '../openapi/schemas/view-schemas.ts';

/** More than the limit for an event, so that the service can keep an event that is too large and name the reason. */
const maxEventBodyBytes = 1024 * 1024;

const tag = 'Ingest';

const submitProblems = [
  'CHAIN_STOPPED',
  'CLOCK_BEHIND_CHAIN',
  'OVERLOADED',
  'BROKER_UNAVAILABLE',
  'BROKER_REFUSED',
  'IDEMPOTENCY_KEY_INVALID',
  'IDEMPOTENCY_KEY_REUSED',
] as const;

interface Parts {
  readonly service: Pick<AuditService, 'submit' | 'writer' | 'idempotencyKeys'>;
  /** The queue in front of the chain, if there is one. */
  readonly gateway: Gateway | undefined;
  readonly limits: HttpLimits;
}

/** Routes that accept events. */
export function ingestRoutes(parts: Parts): Endpoint[] {
  const { maxBatchEvents, maxBodyBytes } = parts.limits;
  const headers = { ...idempotencyKeyHeader, ...preferHeader };
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
        '202 without a receipt, unless the request has the header `Prefer: chained`. With the header `Idempotency-Key`, ' +
        '`audit_id` and `timestamp` may be left out.',
      access: 'events:write',
      headers,
      body: {
        maxBytes: maxEventBodyBytes,
        content: { 'application/json': { schema: submittedEventRef } },
      },
      responses: {
        201: { description: 'The event is chained', schema: stored },
        200: { description: 'The event was already chained, with the same content', schema: stored },
        202: { description: 'The event is durable in a queue and will be chained', schema: accepted },
      },
      problems: [...eventProblemCodes, ...submitProblems],
      async handle({ principal, body, request }) {
        if (body.length === 0) throw new HttpProblem('BODY_MALFORMED', 'the body is empty');
        const { results, applied } = await submit(parts, principal, { events: [body] }, { request, body });
        const [result] = results;
        logFacts(request, factsOf([result!]));
        if ('error' in result!) throw toRefusal(result.error);
        return { status: statusOf[result!.status], body: result, headers: applied };
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
        '`content-encoding: gzip`. Newline-delimited JSON carries no delivery metadata. A service with a queue in front of the ' +
        'chain answers 202 without receipts, unless the request has the header `Prefer: chained`. With the header ' +
        '`Idempotency-Key`, `audit_id` and `timestamp` may be left out.',
      access: 'events:write',
      headers,
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
                events: { type: 'array', maxItems: maxBatchEvents, items: submittedEventRef },
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
        const { results, applied, queue } = await submit(parts, principal, batch, { request, body });
        logFacts(request, factsOf(results));
        const hasRefused = results.some((result) => 'error' in result);
        return {
          status: hasRefused ? 207 : queue === undefined ? 201 : 202,
          body: { results: results.map((result, index) => ({ index, ...result })) },
          headers: applied,
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

/** The outcome of a request. */
interface Submitted {
  readonly results: readonly (AcceptedResult | SubmissionResult)[];
  /** The queue that has the accepted events; undefined: they are chained. */
  readonly queue: Gateway | undefined;
  /** Headers of the answer. */
  readonly applied: { readonly [name: string]: string };
}

/**
 * Passes the events to the queue in front of the chain, or to the chain itself: where there is no queue, and where the client prefers
 * it. Both ways end in the same chain and the same account of the producer, so a client may send an event on either, or on both.
 */
async function submit(
  { service, gateway, limits }: Parts,
  principal: Principal,
  { events, delivery }: ReceivedBatch,
  { request, body }: { readonly request: FastifyRequest; readonly body: Buffer },
): Promise<Submitted> {
  const { headers } = request.raw;
  const prefers = prefersChained(headers);
  const queue = prefers ? undefined : gateway;
  // Waiting submissions are in memory. Producers have buffers of their own, so it is better that they wait.
  if (queue === undefined ? service.writer.queued >= limits.maxQueued : queue.full) {
    throw new HttpProblem('OVERLOADED', 'too many submissions are waiting; try again later', {
      headers: { 'retry-after': '1' },
    });
  }
  const key = idempotencyKeyOf(headers);
  const { id, tenants } = principal;
  const keyed = { key, principal: id, tenants, body };
  const submission = {
    events: key === undefined ? events : await service.idempotencyKeys.complete({ ...keyed, key }, events),
    source: 'http',
    trust: 'api-key',
    principal: principal.id,
    tenants: principal.tenants,
    delivery,
  } as const;
  const results = await (queue === undefined ? service.submit(submission) : queue.accept(submission));
  return {
    results: key === undefined ? results.map(withIdempotencyHint) : results,
    queue,
    applied: prefers ? chainedApplied : {},
  };
}

/** An event that lacks what the service could fill in: the client learns why it must not be left out, and how it may be. */
function withIdempotencyHint<R extends AcceptedResult | SubmissionResult>(result: R): R {
  if (!('error' in result)) return result;
  const explained = <T extends Reason>(reason: T): T =>
    reason.code === 'FIELD_REQUIRED' && (reason.pointer === '/audit_id' || reason.pointer === '/timestamp')
      ? { ...reason, message: idempotencyHint }
      : reason;
  const { error } = result;
  return { ...result, error: { ...explained(error), violations: error.violations.map(explained) } };
}

const idempotencyHint =
  'is required, because a retry with a new one would store the event twice. With the header Idempotency-Key and a value of ' +
  'your own the service fills it in';
