import { tenantIdPattern, uuidPattern, uuidv7Time } from '@tallystick/event';
import * as z from 'zod';

/** Whether records and the store can hold a text. Texts of the delivery metadata become part of records. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** A non-empty text that records and the store can hold. */
export const storable = (maxUtf16Units: number) =>
  z.string().min(1).max(maxUtf16Units).refine(isStorable, { message: 'must be text without U+0000' });

const sequence = z.int().min(1);
const tenant = z.string().regex(tenantIdPattern);

/** Most declarations of one batch: a producer of many tenants may close with one for each. */
const maxDeclarations = 10_000;

/** A gap record takes its timestamp from the producer's id, and timestamps have four digits for the year. */
const lastTime = Date.UTC(9999, 11, 31);

const producerId = z
  .string()
  .regex(uuidPattern)
  .refine((id) => (uuidv7Time(id) ?? 0) < lastTime, { message: 'must carry a time before the year 10000' });

/** Delivery metadata: what a producer sends beside the events of a batch. */
export const deliverySchema = z
  .strictObject({
    producer_id: producerId.describe('UUIDv7 of one process instance of the producer'),
    service: storable(512).optional().describe('Name of the producing service'),
    sequences: z
      .array(sequence)
      .max(1_000)
      .optional()
      .describe('Number of each event, contiguous from 1 for each producer and tenant'),
    gaps: z
      .array(
        z
          .strictObject({
            tenant_id: tenant,
            from: sequence,
            to: sequence,
            reason: storable(128),
          })
          .refine((gap) => gap.from <= gap.to, { path: ['to'], message: 'must not lie before from' }),
      )
      .max(maxDeclarations)
      .optional()
      .describe('Ranges of numbers, both ends included, whose events are lost'),
    final: z
      .array(z.strictObject({ tenant_id: tenant, final_seq: z.int().min(0) }))
      .max(maxDeclarations)
      .optional()
      .describe('At close: the last number of each tenant'),
  })
  .describe('How the service accounts for every event of a producer');
