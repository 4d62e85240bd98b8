/** What needs attention: what may be missing, what waits for people, and what is behind. */
import { type Client, type Found, incompleteAccounts } from '@tallystick/client';
import type { FollowerInfo } from '@tallystick/protocol';
import type { IconName } from '../elements/signs/icon.tsx';
import { missingEventsText } from '../trail/missing-events.ts';

/** One thing to look after, and the page on which a reader does that. */
export interface Matter {
  readonly title: string;
  readonly page: string;
  readonly icon: IconName;
  /** With `+` where there may be more. */
  readonly count: string;
  readonly isUrgent: boolean;
  readonly text: string;
}

/** How many items of a list are counted. */
const counted = 100;
/** A follower is behind when its oldest unread record is older, seconds. */
const behindAfter = 60;

/**
 * What needs attention in a tenant.
 *
 * @param parts `followers`: whether the reader may see the followers of the service
 */
export async function mattersOf(
  client: Client,
  tenant: string,
  parts: { readonly followers: boolean },
  signal: AbortSignal,
): Promise<readonly Matter[]> {
  const query = { tenant_id: tenant, limit: counted };
  const [approvals, accounts, followers] = await Promise.all([
    client.approvals.list({ ...query, state: 'pending' }, { signal }),
    incompleteAccounts(client, query, { signal }),
    parts.followers ? client.followers.list({ signal }) : undefined,
  ]);
  const waiting = { found: approvals.approvals, more: approvals.next_cursor !== undefined };
  return [
    matter('Waiting approvals', 'approvals', 'shield', waiting, {
      some: 'Agents wait for a decision.',
      none: 'No agent waits for a decision.',
    }),
    matter('Incomplete actions', 'intents', 'activity', accounts.actions, {
      some: 'An end or an intent is missing.',
      none: 'Every action has an end.',
    }),
    matter('Producers with gaps', 'producers', 'truck', accounts.gaps, {
      some: `${missingEventsText({ accounts: accounts.gaps.found, more: accounts.gaps.more }, 1)}.`,
      none: 'Every number is accounted for.',
    }),
    matter('Silent producers', 'producers', 'clock', accounts.unclosed, {
      some: 'They may have held more events.',
      none: 'Every producer runs, or has declared its end.',
    }),
    matter('Dead letters', 'dead-letters', 'inbox', accounts.refused, {
      some: 'Refused events wait for a decision.',
      none: 'No event was refused.',
    }),
    ...(followers === undefined ? [] : [followerMatter(followers.followers)]),
  ];
}

function followerMatter(followers: readonly FollowerInfo[]): Matter {
  const stopped = followers.filter(({ stopped_tenants }) => stopped_tenants > 0);
  const behind = followers.filter(
    ({ state, lag_records, lag_seconds }) =>
      state === 'paused' || (lag_records > 0 && lag_seconds > behindAfter),
  );
  const some =
    stopped.length > 0
      ? `${stopped[0]!.name} has stopped for a tenant.`
      : `${behind[0]?.name} is ${behind[0]?.lag_records.toLocaleString()} records behind.`;
  const found = [...new Set([...stopped, ...behind])];
  return matter(
    'Followers behind',
    'followers',
    'refresh',
    { found, more: false },
    {
      some,
      none: 'Lists, counts and searches are current.',
    },
  );
}

function matter(
  title: string,
  page: string,
  icon: IconName,
  { found, more }: Found<unknown>,
  { some, none }: { readonly some: string; readonly none: string },
): Matter {
  return {
    ...{ title, page, icon },
    count: `${found.length}${more ? '+' : ''}`,
    isUrgent: found.length > 0,
    text: found.length > 0 ? some : none,
  };
}
