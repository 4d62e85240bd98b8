import { decodeUtf8 } from '@tallystick/event';
import type { Reason, ReceivedDelivery } from '@tallystick/protocol';
import * as z from 'zod';
import type { ProducerStatement } from '../../chain/batch.ts';
import { deliverySchema } from './delivery.ts';

/**
 * What a producer says where there are no events beside it (spec/delivery.md, "Delivery over Kafka"): the value of a
 * message, and what is kept of it as a dead letter, so that a retry reads what was read before.
 */

const statementSchema = z.object({ delivery: deliverySchema.omit({ sequences: true }) });

export type StatementReading =
  | { readonly delivery: Omit<ReceivedDelivery, 'sequences'> }
  | { readonly refusal: Reason };

/** Reads a statement as it was received. */
export function readStatement(raw: Uint8Array): StatementReading {
  const invalid = (message: string) => ({
    refusal: { code: 'DELIVERY_INVALID', pointer: '/delivery', message },
  });
  let value: unknown;
  try {
    value = JSON.parse(decodeUtf8(raw));
  } catch {
    return invalid('is not the JSON of a statement');
  }
  const parsed = statementSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const why = `${issue?.path.join('/') ?? ''} ${issue?.message ?? 'is malformed'}`.trim();
  // It may name the sender's own members, which may be named by what no store can hold.
  return invalid(why.toWellFormed().replaceAll('\0', '\u2400'));
}

/** Whether bytes are a statement, or meant to be one: no event has this member, and each has a type. */
export function isStatement(raw: Uint8Array): boolean {
  try {
    const value: unknown = JSON.parse(decodeUtf8(raw));
    if (typeof value !== 'object' || value === null) return false;
    return Object.hasOwn(value, 'delivery') && !Object.hasOwn(value, 'event_type');
  } catch {
    return false;
  }
}

/** What was read, in the service's own names. */
export function toStatement(
  { producer_id, service, gaps = [], final = [] }: Omit<ReceivedDelivery, 'sequences'>,
  submitter: string,
): ProducerStatement {
  return {
    submitter,
    producerId: producer_id,
    service,
    gaps: gaps.map(({ tenant_id, ...gap }) => ({ ...gap, tenantId: tenant_id })),
    final: final.map(({ tenant_id, final_seq }) => ({ tenantId: tenant_id, finalSeq: final_seq })),
  };
}

/** The statement that declares one gap, as a producer writes it: the same bytes whatever was declared with it. */
export function writeGap(
  { producerId, service }: ProducerStatement,
  { tenantId, from, to, reason }: ProducerStatement['gaps'][number],
): string {
  const gaps = [{ tenant_id: tenantId, from, to, reason }];
  return JSON.stringify({
    delivery: { producer_id: producerId, ...(service !== undefined && { service }), gaps },
  });
}
