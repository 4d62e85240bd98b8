import type { Stats } from '@tallystick/protocol';
import * as z from 'zod';
import { answer, count } from '../component.ts';

export const stats = answer<Stats>()(
  'Stats',
  z.object({
    tenant_id: z.string(),
    records: count.describe('Records that were counted'),
    groupings: z
      .array(
        z.object({
          by: z.array(z.string()).describe('Names of fields, and `hour` or `day`'),
          groups: z
            .array(
              z.object({
                values: z
                  .record(z.string(), z.string().nullable())
                  .describe(
                    'By the names in `by`; null for records that lack the field. An actor is `type:id`, an hour or a day the time at which it begins',
                  ),
                records: count,
              }),
            )
            .describe('Those with the most records first; by time, in the order of time'),
          groups_left_out: count.describe('Groups that are not shown'),
          records_left_out: count.describe('Records of the groups that are not shown'),
        }),
      )
      .describe('In the order of the request'),
    complete: z
      .boolean()
      .describe(
        'False if the request reached the end of its budget. With `next_cursor`, the next page counts further records, and the counts ' +
          'are to be added. Without it, records after `counted_to` are not counted yet',
      ),
    next_cursor: z.string().optional(),
    counted_to: z
      .int()
      .min(-1)
      .optional()
      .describe('The last sequence number of the current epoch that was counted; -1: none'),
    estimate: z
      .literal(true)
      .optional()
      .describe(
        'The first and the last hour of the range were counted as a whole: they have too many records',
      ),
    reads_left_out: z
      .boolean()
      .describe('Records of `audit.read` and `audit.accounts_changed` were not counted'),
    sensitive_left_out: z.boolean().describe('Sensitive records were not counted'),
    time_zone: z.literal('UTC').describe('Of hours and days'),
  }),
);
