import { tenantIdPattern, uuidPattern, uuidv7Time } from '@tallystick/event';
import * as z from 'zod';
import { isStorable } from '../../input/storable.ts';

/** A non-empty text that the store can hold. Texts of the delivery metadata become part of records. */
export const storable = (maxUtf16Units: number) =>
  z.string().min(1).max(maxUtf16Units).refine(isStorable, { message: 'must be text without U+0000' });

const sequence = z.int().min(1);
const tenant = z.string().regex(tenantIdPattern);

/** Most declarations of one batch: a producer of many tenants may close with one for each. */
const maxDeclarations = 10_000;

/** The bounds of a JSON text with delivery metadata: what the schema allows at most, with room for unknown members to be named. */
export const deliveryBounds = { maxDepth: 8, maxValues: 10 * maxDeclarations };

/** A gap record takes its timestamp from the producer's id, and timestamps have four digits for the year. */
const lastTime = Date.UTC(9999, 11, 31);

const producerId = z
  .string()
  .regex(uuidPattern)
  .refine((id) => (uuidv7Time(id) ?? 0) < lastTime, { message: 'must carry a time before the year 10000' });

/** Delivery metadata: what a producer sends beside the events of a batch. */
export const deliverySchema = z
  .strictObject({
    producer_id: producerId.describe('UUIDv7 of one process of the producer'),
    service: storable(512).optional().describe('Name of the producing service'),
    ephemeral: z
      .boolean()
      .optional()
      .describe('Whether the runtime may end the process without notice. Only the first declaration counts'),
    sequences: z
      .array(sequence)
      .max(1_000)
      .optional()
      .describe(
        'Number of each event, in order. A producer numbers the events of each tenant from 1 without gaps',
      ),
    gaps: z
      .array(
        z
          .strictObject({
            tenant_id: tenant,
            from: sequence,
            to: sequence,
            reason: storable(128),
          })
          .refine((gap) => gap.from <= gap.to, { path: ['to'], message: 'must not be less than from' }),
      )
      .max(maxDeclarations)
      .optional()
      .describe('Ranges of numbers whose events are lost, both ends included'),
    final: z
      .array(z.strictObject({ tenant_id: tenant, final_seq: z.int().min(0) }))
      .max(maxDeclarations)
      .optional()
      .describe('Sent when the producer closes: its last number for each tenant'),
  })
  .describe('Lets the service account for every event of a producer');
