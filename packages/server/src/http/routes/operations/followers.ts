import type { FollowerInfo, FollowerList } from '@tallystick/protocol';
import * as z from 'zod';
import type { FollowerOperations } from '../../../followers/operate.ts';
import { timeText } from '../../../store/time-text.ts';
import { type Endpoint, endpoint } from '../../kernel/endpoint.ts';
import { HttpProblem } from '../../kernel/problems.ts';
import { text } from '../../kernel/requests/parameters.ts';
import { followerChange, followerInfo, followerList } from '../../openapi/schemas/follower-schemas.ts';

const tag = 'Operation';
const maxStopped = 100;

/** Routes over the followers: how far they are, and what an operator does with them. */
export function followerRoutes({ operations }: { readonly operations: FollowerOperations }): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/v1/followers',
      operationId: 'listFollowers',
      tag,
      summary: 'List the followers, and how far they are',
      access: 'operator',
      responses: { 200: { description: 'Every follower of this version', schema: followerList } },
      async handle() {
        const infos = await operations.list();
        const body: FollowerList = {
          followers: await Promise.all(infos.map(({ name }) => describeFollower(operations, name))),
        };
        return { status: 200, body };
      },
    }),
    endpoint({
      method: 'POST',
      path: '/v1/followers/{follower}',
      operationId: 'changeFollower',
      tag,
      summary: 'Pause, resume or reset a follower',
      description:
        'A reset reads the chains again from their start. For all tenants, the new rows replace those in use when they are complete. For one ' +
        'tenant, its rows are deleted first. `resume` with a tenant tries again where the follower has stopped for this tenant.',
      access: 'operator',
      params: z.strictObject({ follower: text('Name of the follower') }),
      body: { schema: followerChange },
      responses: { 200: { description: 'The follower after the change', schema: followerInfo } },
      problems: ['NOT_FOUND'],
      async handle({ principal, params: { follower }, body: { action, tenant_id } }) {
        if (action === 'pause' && tenant_id !== undefined)
          throw new HttpProblem('BODY_INVALID', 'a follower is paused for all tenants: leave tenant_id out');
        if (action === 'pause') await operations.pause(follower, principal.id);
        else await operations[action](follower, tenant_id);
        return { status: 200, body: await describeFollower(operations, follower) };
      },
    }),
  ];
}

async function describeFollower(operations: FollowerOperations, name: string): Promise<FollowerInfo> {
  const { effect, building, buildingLeft, paused_at, paused_by, records, seconds, tenants, stopped } =
    await operations.get(name);
  const list = await operations.stopped(name, maxStopped);
  return {
    name,
    effect,
    state: paused_at !== null ? 'paused' : building !== null ? 'rebuilding' : 'running',
    ...(buildingLeft !== undefined && { rebuild_records_left: buildingLeft }),
    paused_by,
    lag_records: records,
    lag_seconds: seconds,
    lag_tenants: tenants,
    stopped_tenants: stopped,
    stopped: list.map((each) => ({ ...each, stopped_at: timeText(each.stopped_at) })),
  };
}
