import type { FollowerChange, FollowerInfo, FollowerList } from '@tallystick/protocol';
import type { CallOptions, Sender } from '../sender.ts';

/** The parts of the service that read every chain and keep something derived from it. Needs the scope `admin` for every tenant. */
export interface FollowersResource {
  list(options?: CallOptions): Promise<FollowerList>;
  /** Pauses, resumes or resets a follower, and returns its state after that. Not retried: a reset that is repeated begins again. */
  change(name: string, change: FollowerChange, options?: CallOptions): Promise<FollowerInfo>;
}

export function followersResource(sender: Sender): FollowersResource {
  return {
    list: async ({ signal } = {}) => await sender.json({ path: 'v1/followers', signal }),
    change: async (name, change, { signal } = {}) =>
      await sender.json({
        method: 'POST',
        path: `v1/followers/${encodeURIComponent(name)}`,
        body: JSON.stringify(change),
        idempotent: change.action !== 'reset',
        signal,
      }),
  };
}
