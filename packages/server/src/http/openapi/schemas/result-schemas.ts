import type {
  AcceptedResult,
  BatchResult,
  ChainedResult,
  NotedResult,
  Receipt,
  ReceivedDelivery,
  RefusedResult,
  RetryResult,
} from '@tallystick/protocol';
import * as z from 'zod';
import { deliverySchema } from '../../../ingest/admit/delivery.ts';
import type { SubmissionError } from '../../../ingest/submission.ts';
import { answer, count, hash, request, time } from '../component.ts';

/** Delivery metadata beside a batch. */
export const delivery = request<ReceivedDelivery>()('Delivery', deliverySchema);

const receipt = answer<Receipt>()(
  'Receipt',
  z.object({
    audit_id: z.string(),
    tenant_id: z.string(),
    epoch: count,
    sequence_number: count,
    record_hash: hash,
    ingested_at: time,
  }),
);

const reason = z.object({ code: z.string(), pointer: z.string(), message: z.string() });

export const stored = answer<ChainedResult>()(
  'Stored',
  z.object({ status: z.enum(['chained', 'duplicate']), receipt }),
);

export const accepted = answer<AcceptedResult>()(
  'Accepted',
  z.object({
    status: z
      .literal('accepted')
      .describe('The event is durable in a queue in front of the chain. There is no receipt yet'),
    audit_id: z.string(),
  }),
);

const refused = answer<RefusedResult<SubmissionError>>()(
  'Refused',
  z.object({
    status: z.enum(['conflict', 'rejected']),
    error: reason.extend({
      violations: z.array(reason),
      dead_letter_id: z.string().optional().describe('Id of the dead letter that keeps the refused event'),
    }),
  }),
);

export const batchResult = answer<BatchResult<SubmissionError>>()(
  'BatchResult',
  z.object({
    results: z
      .array(
        z.union([
          stored.extend({ index: count }),
          accepted.extend({ index: count }),
          refused.extend({ index: count }),
        ]),
      )
      .describe('One result for each event, in their order'),
  }),
);

const noted = answer<NotedResult>()(
  'Noted',
  z.object({
    status: z
      .literal('noted')
      .describe(
        "A producer's statement that declares no gap. The service has entered it in the producer's account and chains no record",
      ),
  }),
);

export const retryResult = answer<RetryResult<SubmissionError>>()(
  'RetryResult',
  z.union([stored, noted, refused]),
);
