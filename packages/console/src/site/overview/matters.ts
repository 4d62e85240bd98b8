/** What needs attention: what may be missing, what waits for people, and what is behind. */
import type { Client } from '@tallystick/client';
import type { FollowerInfo, ProducerAccount } from '@tallystick/protocol';
import type { IconName } from '../elements/icon.tsx';

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
  const [approvals, unresolved, unexplained, producers, letters, followers] = await Promise.all([
    client.approvals.list({ ...query, state: 'pending' }, { signal }),
    client.openIntents.list({ ...query, state: 'unresolved' }, { signal }),
    client.openIntents.list({ ...query, state: 'unexplained' }, { signal }),
    client.producers.list(query, { signal }),
    client.deadLetters.list(query, { signal }),
    parts.followers ? client.followers.list({ signal }) : undefined,
  ]);
  return [
    matter('Approvals wait', 'approvals', 'shield', approvals.approvals.length, {
      some: 'Agents wait for a decision.',
      none: 'No agent waits for a decision.',
    }),
    matter(
      'Incomplete actions',
      'intents',
      'activity',
      unresolved.open_intents.length + unexplained.open_intents.length,
      { some: 'An end or an intent is missing.', none: 'Every action has an end.' },
    ),
    ...producerMatters(producers.producers),
    matter('Dead letters', 'dead-letters', 'inbox', letters.dead_letters.length, {
      some: 'Refused events wait for a decision.',
      none: 'No event was refused.',
    }),
    ...(followers === undefined ? [] : [followerMatter(followers.followers)]),
  ];
}

/** A producer whose runtime may end it without notice is no matter when it falls silent. */
function producerMatters(producers: readonly ProducerAccount[]): readonly Matter[] {
  const gaps = producers.filter(({ state }) => state === 'open').length;
  const silent = producers.filter(({ state, ephemeral }) => state === 'unclosed' && !ephemeral).length;
  return [
    matter('Producers with gaps', 'producers', 'truck', gaps, {
      some: 'Events are missing, or on their way.',
      none: 'Every number is accounted for.',
    }),
    matter('Producers fell silent', 'producers', 'clock', silent, {
      some: 'They may have held more events.',
      none: 'Every producer runs, or has declared its end.',
    }),
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
  return matter('Followers behind', 'followers', 'refresh', new Set([...stopped, ...behind]).size, {
    some,
    none: 'Lists, counts and searches are current.',
  });
}

function matter(
  title: string,
  page: string,
  icon: IconName,
  count: number,
  { some, none }: { readonly some: string; readonly none: string },
): Matter {
  return {
    ...{ title, page, icon },
    count: count >= counted ? `${counted}+` : String(count),
    isUrgent: count > 0,
    text: count > 0 ? some : none,
  };
}
