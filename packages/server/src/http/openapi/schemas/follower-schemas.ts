import {
  type FollowerChange,
  type FollowerInfo,
  type FollowerList,
  type OpenIntentPage,
  openIntentStates,
} from '@tallystick/protocol';
import * as z from 'zod';
import { tenantId } from '../../kernel/requests/parameters.ts';
import { answer, count, request, time } from '../component.ts';

const info = z.object({
  name: z.string(),
  effect: z.enum(['database', 'outside']).describe('Where its effect is'),
  state: z.enum(['running', 'paused', 'rebuilding']),
  rebuild_records_left: count
    .optional()
    .describe('While it is rebuilt: records that the new rows do not cover yet'),
  paused_by: z.string().nullable(),
  lag_records: count.describe(
    'Records that it has not read, without those of tenants for which it has stopped',
  ),
  lag_seconds: z.number().min(0).describe('Age of the oldest of them'),
  lag_tenants: count.describe('Tenants that it has not read to the head'),
  stopped_tenants: count.describe('Tenants for which it has stopped'),
  stopped: z
    .array(
      z.object({
        tenant_id: z.string(),
        code: z.string(),
        reason: z.string().describe('What was found, and the next step'),
        epoch: count,
        sequence_number: z.int().min(-1).describe('The last record that was read; -1: none'),
        stopped_at: time,
      }),
    )
    .describe('The first hundred of them'),
});

export const followerInfo = answer<FollowerInfo>()('Follower', info);
export const followerList = answer<FollowerList>()('FollowerList', z.object({ followers: z.array(info) }));

export const followerChange = request<FollowerChange>()(
  'FollowerChange',
  z.strictObject({
    action: z.enum(['pause', 'resume', 'reset']),
    tenant_id: tenantId.optional(),
  }),
);

export const openIntentList = answer<OpenIntentPage>()(
  'OpenIntentList',
  z.object({
    open_intents: z.array(
      z.object({
        tenant_id: z.string(),
        intent_id: z.string().describe('The intent; the end itself, if the end names no intent'),
        state: z.enum(openIntentStates),
        audit_id: z.string().describe('The record that the chain has: of the intent or of the end'),
        epoch: count,
        sequence_number: count,
        ingested_at: time.describe('When this record was chained'),
        age_seconds: z.number().min(0).describe('How long ago that was'),
        deadline: time
          .nullable()
          .describe('When the end must be in the chain; null where the intent is missing'),
        waiting: z.boolean().describe('An approval of the desk is pending: the deadline begins when it ends'),
        actor_type: z.string(),
        actor_id: z.string(),
        action: z.string().nullable(),
        target_type: z.string().nullable(),
        target_id: z.string().nullable(),
        finding_id: z.string().nullable().describe('The record of the service about it'),
      }),
    ),
    complete: z
      .boolean()
      .describe('False: the page was cut off at the rows that a request may read; go on with `next_cursor`'),
    behind_seconds: z
      .number()
      .min(0)
      .describe('Age of the oldest record that the list does not take into account yet; 0: it is current'),
    next_cursor: z.string().optional(),
  }),
);
