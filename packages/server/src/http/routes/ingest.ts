import { AuditValidationError } from '@tallystick/event';
import { type AcceptedResult, eventProblemCodes } from '@tallystick/protocol';
import * as z from 'zod';
import { deliverySchema } from '../../ingest/admit/delivery.ts';
import { splitEvents, splitLines } from '../../ingest/http/split-events.ts';
import type { SubmissionResult } from '../../ingest/submission.ts';
import { mediaType, tooLarge } from '../kernel/body.ts';
import { type Answer, type Call, type Endpoint, endpoint } from '../kernel/endpoint.ts';
import { HttpProblem, toRefusal } from '../kernel/problem.ts';
import type { HttpLimits } from '../kernel/services.ts';
import { validate } from '../kernel/validate.ts';
import { accepted, batchResult, stored } from '../openapi/schemas.ts';
import { eventRef } from '../openapi/view-schemas.ts';

/** A single event may be a little larger than the limit for events, so that one that is too large is kept and named. */
const maxEventBodyBytes = 1024 * 1024;

const envelopeSchema = z.strictObject({
  delivery: deliverySchema.optional(),
  events: z.array(z.unknown()),
});

const chainProblems = [
  'CHAIN_STOPPED',
  'CLOCK_BEHIND_CHAIN',
  'OVERLOADED',
  'BROKER_UNAVAILABLE',
  'BROKER_REFUSED',
] as const;

type Ingest = Call<unknown, unknown, Buffer>;

export function ingestEndpoints(limits: HttpLimits): Endpoint[] {
  const events = { type: 'array', maxItems: limits.maxBatchEvents, items: eventRef };
  return [
    endpoint({
      method: 'POST',
      path: '/v1/audit/events',
      operationId: 'submitEvent',
      tag: 'Ingest',
      summary: 'Chain one event',
      description:
        'Answers once the event is durable. Idempotent on `audit_id`: the same event again is stored once, and gives the first ' +
        'receipt. A service that chains through a queue answers 202, without a receipt.',
      access: 'events:write',
      body: {
        maxBytes: maxEventBodyBytes,
        content: { 'application/json': { schema: eventRef } },
      },
      responses: {
        201: { description: 'Chained', schema: stored },
        200: { description: 'Was chained before, with the same content', schema: stored },
        202: { description: 'Durable in a queue before the chain', schema: accepted },
      },
      problems: [...eventProblemCodes, ...chainProblems],
      handle: submitOne,
    }),
    endpoint({
      method: 'POST',
      path: '/v1/audit/events/batch',
      operationId: 'submitEvents',
      tag: 'Ingest',
      summary: 'Chain a batch of events',
      description:
        'Each event has its own result; one that is refused does not keep the others back. Bodies may be sent with ' +
        '`content-encoding: gzip`. Newline-delimited JSON carries no delivery metadata.',
      access: 'events:write',
      body: {
        maxBytes: limits.maxBodyBytes,
        content: {
          'application/json': {
            schema: {
              type: 'object',
              required: ['events'],
              additionalProperties: false,
              properties: {
                delivery: deliverySchema,
                events,
              },
            },
          },
          'application/x-ndjson': { schema: { type: 'string' }, description: 'One event a line' },
        },
      },
      responses: {
        201: { description: 'Every event is chained, now or before', schema: batchResult },
        202: { description: 'Every event is durable in a queue before the chain', schema: batchResult },
        207: {
          description:
            'Some events, or all, were refused; the others are chained, or durable in a queue before the chain',
          schema: batchResult,
        },
      },
      problems: ['DELIVERY_INVALID', ...chainProblems],
      handle: submitBatch,
    }),
  ];
}

async function submitOne(call: Ingest): Promise<Answer> {
  if (call.body.length === 0) throw new HttpProblem('BODY_MALFORMED', 'the body is empty');
  const [result] = await submit(call, [call.body]);
  if ('error' in result!) throw toRefusal(result.error);
  return { status: statusOf[result!.status], body: result };
}

const statusOf = { chained: 201, duplicate: 200, accepted: 202 } as const;

async function submitBatch(call: Ingest): Promise<Answer> {
  const { maxBatchEvents, maxBodyBytes } = call.services.limits;
  const { events, delivery } = readBatch(call, maxBatchEvents);
  if (events.length > maxBatchEvents) throw tooLarge(maxBodyBytes, maxBatchEvents);
  if (delivery?.sequences !== undefined && delivery.sequences.length !== events.length) {
    const message = `must have one number for each of the ${events.length} events`;
    throw new HttpProblem('DELIVERY_INVALID', `/delivery/sequences ${message}`, {
      errors: [{ code: 'DELIVERY_INVALID', pointer: '/delivery/sequences', message }],
    });
  }
  const results = await submit(call, events, delivery);
  const isRefused = results.some((result) => 'error' in result);
  return {
    status: isRefused ? 207 : call.services.gateway === undefined ? 201 : 202,
    body: { results: results.map((result, index) => ({ index, ...result })) },
  };
}

type Delivery = z.output<typeof deliverySchema>;

function readBatch(
  call: Ingest,
  maxEvents: number,
): { readonly events: readonly Buffer[]; readonly delivery?: Delivery | undefined } {
  if (mediaType(call.request.raw) !== 'application/json') return { events: splitLines(call.body, maxEvents) };
  try {
    const { events, envelope } = splitEvents(call.body, maxEvents);
    const isObject = typeof envelope === 'object' && envelope !== null && !Array.isArray(envelope);
    const { delivery, ...rest } = (isObject ? envelope : {}) as { delivery?: unknown };
    validate(envelopeSchema, isObject ? rest : envelope, 'BODY_MALFORMED');
    if (delivery === undefined) return { events };
    return { events, delivery: validate(deliverySchema, delivery, 'DELIVERY_INVALID', '/delivery') };
  } catch (error) {
    if (!(error instanceof AuditValidationError)) throw error;
    throw new HttpProblem(error.code, `the batch ${error.violations[0]!.message}`, {
      errors: error.violations,
    });
  }
}

async function submit(
  { services, principal }: Ingest,
  events: readonly Buffer[],
  delivery?: Delivery,
): Promise<readonly (AcceptedResult | SubmissionResult)[]> {
  const { service, gateway, limits } = services;
  // What waits is held in memory: better that producers wait, who have buffers for it.
  if (gateway === undefined ? service.writer.queued >= limits.maxQueued : gateway.full) {
    throw new HttpProblem('OVERLOADED', 'too many submissions wait', {
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
