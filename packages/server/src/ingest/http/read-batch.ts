import { AuditValidationError } from '@tallystick/event';
import type { ProblemCode, Reason, ReceivedDelivery } from '@tallystick/protocol';
import * as z from 'zod';
import { deliverySchema } from '../admit/delivery.ts';
import { reasonsOf } from '../admit/schema-reasons.ts';
import { splitEvents, splitLines } from './split-events.ts';

/** The service refuses a batch as a whole: it can't tell where its events are, or how they are numbered. */
export class BatchError extends Error {
  override readonly name = 'BatchError';
  readonly code: ProblemCode;
  readonly reasons: readonly Reason[];

  constructor(code: ProblemCode, message: string, reasons: readonly Reason[], options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.reasons = reasons;
  }
}

/** The events of a batch, each as the bytes that were sent, and the delivery metadata beside them. */
export interface ReceivedBatch {
  readonly events: readonly Buffer[];
  readonly delivery?: ReceivedDelivery | undefined;
}

const membersSchema = z.strictObject({ events: z.array(z.unknown()) });

/**
 * Reads the JSON object of a batch: `events` and, if the producer numbers its events, `delivery`. It does not parse the events.
 *
 * @param maxEvents with more events than this, the result holds only some of them, but more than `maxEvents`
 * @throws {BatchError} `BODY_MALFORMED`, `DELIVERY_INVALID`, or the code of malformed JSON
 */
export function readBatch(body: Buffer, maxEvents: number): ReceivedBatch {
  const { events, envelope } = split(body, maxEvents);
  const isObject = typeof envelope === 'object' && envelope !== null && !Array.isArray(envelope);
  const { delivery, ...members } = (isObject ? envelope : {}) as { delivery?: unknown };
  check(membersSchema, isObject ? members : envelope, 'BODY_MALFORMED', '');
  if (delivery === undefined) return { events };
  const checked = check(deliverySchema, delivery, 'DELIVERY_INVALID', '/delivery');
  // More events than this are refused anyway, and not all of them are here to be counted.
  if (events.length <= maxEvents) checkSequences(checked, events.length);
  return { events, delivery: checked };
}

/**
 * Reads newline-delimited JSON, one event per line. It carries no delivery metadata.
 *
 * @param maxEvents as of {@link readBatch}
 */
export function readLines(body: Buffer, maxEvents: number): ReceivedBatch {
  return { events: splitLines(body, maxEvents) };
}

function split(body: Buffer, maxEvents: number): ReturnType<typeof splitEvents> {
  try {
    return splitEvents(body, maxEvents);
  } catch (error) {
    if (!(error instanceof AuditValidationError)) throw error;
    const [first] = error.violations;
    throw new BatchError(error.code, `the batch ${first!.message}`, error.violations, { cause: error });
  }
}

function check<T>(schema: z.ZodType<T>, value: unknown, code: ProblemCode, under: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const reasons = reasonsOf(result.error, code, under);
  const { pointer, message } = reasons[0]!;
  throw new BatchError(code, `${pointer === '' ? 'the body' : pointer} ${message}`, reasons);
}

function checkSequences({ sequences }: ReceivedDelivery, events: number): void {
  if (sequences === undefined || sequences.length === events) return;
  const code = 'DELIVERY_INVALID';
  const pointer = '/delivery/sequences';
  const message = `must have one number for each of the ${events} events`;
  throw new BatchError(code, `${pointer} ${message}`, [{ code, pointer, message }]);
}
