import { decodeUtf8 } from '@tallystick/event';
import type { Reason, ReceivedDelivery } from '@tallystick/protocol';
import * as z from 'zod';
import type { ProducerStatement } from '../../chain/batch.ts';
import { exceededBound } from '../../input/json-bounds.ts';
import { deliveryBounds, deliverySchema } from './delivery.ts';

/**
 * A producer's statement without events (spec/delivery.md, "Delivery over Kafka"). It is the value of a Kafka message. A
 * dead letter keeps the same bytes, so a retry reads what the consumer read.
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
  const exceeded = exceededBound(raw, deliveryBounds);
  if (exceeded !== undefined) return invalid(exceeded);
  let value: unknown;
  try {
    value = JSON.parse(decodeUtf8(raw));
  } catch {
    return invalid('is not JSON');
  }
  const parsed = statementSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const why = `${issue?.path.join('/') ?? ''} ${issue?.message ?? 'is malformed'}`.trim();
  // The text can quote names of members, which the sender chose: they may contain what the store cannot hold.
  return invalid(why.toWellFormed().replaceAll('\0', '\u2400'));
}

/** Whether bytes are a statement, perhaps a malformed one. No event has this member, and every event has a type. */
export function isStatement(raw: Uint8Array): boolean {
  if (exceededBound(raw, deliveryBounds) !== undefined) return false;
  try {
    const value: unknown = JSON.parse(decodeUtf8(raw));
    if (typeof value !== 'object' || value === null) return false;
    return Object.hasOwn(value, 'delivery') && !Object.hasOwn(value, 'event_type');
  } catch {
    return false;
  }
}

/** The statement in the service's names. */
export function toStatement(
  { producer_id, service, ephemeral, gaps = [], final = [] }: Omit<ReceivedDelivery, 'sequences'>,
  submitter: string,
): ProducerStatement {
  return {
    submitter,
    producerId: producer_id,
    service,
    ephemeral,
    gaps: gaps.map(({ tenant_id, ...gap }) => ({ ...gap, tenantId: tenant_id })),
    final: final.map(({ tenant_id, final_seq }) => ({ tenantId: tenant_id, finalSeq: final_seq })),
  };
}

/** The statement of one gap, as a producer writes it. The bytes do not depend on what else was declared with the gap. */
export function writeGap(
  { producerId, service }: ProducerStatement,
  { tenantId, from, to, reason }: ProducerStatement['gaps'][number],
): string {
  const gaps = [{ tenant_id: tenantId, from, to, reason }];
  return JSON.stringify({
    delivery: { producer_id: producerId, ...(service !== undefined && { service }), gaps },
  });
}
