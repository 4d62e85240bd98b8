import type { Client } from '@tallystick/client';
import { expect, it } from 'vitest';
import { mattersOf } from '../../../src/site/overview/matters.ts';

const follower = (name: string, more: object = {}) => ({
  ...{ name, state: 'running', lag_records: 0, lag_seconds: 0, stopped_tenants: 0 },
  ...more,
});

/** A service whose lists have these items. */
function clientOf(lists: {
  readonly approvals?: number;
  readonly unresolved?: number;
  readonly unexplained?: number;
  readonly producers?: readonly object[];
  readonly letters?: number;
  /** The cursor of more dead letters. */
  readonly more?: string;
  readonly followers?: readonly object[];
}): Client {
  const items = (count = 0) => Array.from({ length: count }, () => ({}));
  return {
    approvals: { list: async () => ({ approvals: items(lists.approvals) }) },
    openIntents: {
      list: async ({ state }: { state: 'unresolved' | 'unexplained' }) => ({
        open_intents: items(lists[state]),
      }),
    },
    producers: {
      list: async ({ state }: { state: string }) => ({
        producers: (lists.producers ?? []).filter((each) => (each as { state: string }).state === state),
      }),
    },
    deadLetters: { list: async () => ({ dead_letters: items(lists.letters), next_cursor: lists.more }) },
    followers: { list: async () => ({ followers: lists.followers ?? [] }) },
  } as unknown as Client;
}
const { signal } = new AbortController();
const of = async (lists: Parameters<typeof clientOf>[0], followers = true) =>
  (await mattersOf(clientOf(lists), 'acme', { followers }, signal)).map(
    ({ title, page, count, isUrgent }) => `${title} (${page}): ${count}${isUrgent ? '!' : ''}`,
  );

it('has nothing urgent where all is well, and leads to the page of each matter', async () => {
  expect(await of({ followers: [follower('field-index', { lag_records: 3, lag_seconds: 2 })] })).toEqual([
    ...['Waiting approvals (approvals): 0', 'Incomplete actions (intents): 0'],
    ...['Producers with gaps (producers): 0', 'Silent producers (producers): 0'],
    ...['Dead letters (dead-letters): 0', 'Followers behind (followers): 0'],
  ]);
});

it('counts what is missing, what waits, and what is behind', async () => {
  const producers = [
    { state: 'open', service: 'doors', open_numbers: 1 },
    { state: 'unclosed', service: 'mail', open_numbers: 0 },
  ];
  const followers = [
    follower('a', { state: 'paused' }),
    follower('b', { stopped_tenants: 1, lag_records: 9, lag_seconds: 99 }),
    follower('c', { lag_records: 9, lag_seconds: 61 }),
  ];
  const lists = {
    approvals: 1,
    unresolved: 2,
    unexplained: 3,
    producers,
    letters: 100,
    more: 'x',
    followers,
  };
  expect(await of(lists)).toEqual([
    ...['Waiting approvals (approvals): 1!', 'Incomplete actions (intents): 5!'],
    ...['Producers with gaps (producers): 1!', 'Silent producers (producers): 1!'],
    ...['Dead letters (dead-letters): 100+!', 'Followers behind (followers): 3!'],
  ]);
});

it('asks nothing about followers for a reader who may not see them', async () => {
  expect((await of({}, false)).some((each) => each.includes('followers'))).toBe(false);
});
