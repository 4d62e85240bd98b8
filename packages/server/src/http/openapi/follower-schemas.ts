import type { FollowerChange, FollowerInfo, FollowerList } from '@tallystick/protocol';
import * as z from 'zod';
import { tenantId } from '../kernel/parameters.ts';
import { answer, count, request, time } from './component.ts';

const info = z.object({
  name: z.string(),
  effect: z.enum(['database', 'outside']).describe('Where its effect is'),
  state: z.enum(['running', 'paused', 'rebuilding']),
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
