import {
  type Client,
  ClientError,
  type EventPageQuery,
  type FollowedEvent,
  type FollowQuery,
} from '@tallystick/client';
import type { EventPage, EventView } from '@tallystick/protocol';
import { until } from '@tallystick/testing';
import { expect, it, vi } from 'vitest';
import { EventFeed } from '../../../../src/site/events/feed/event-feed.ts';

const event = (number: number): EventView => ({ audit_id: `id-${number}`, sequence_number: number });
const eventsFrom = (newest: number, count: number) =>
  Array.from({ length: count }, (_, at) => event(newest - at));
const numbersOf = (feed: EventFeed) =>
  Array.from({ length: feed.count }, (_, at) => feed.at(at)?.sequence_number);

/** A client whose pages and stream the test decides. */
class Script {
  readonly asked: EventPageQuery[] = [];
  readonly followed: FollowQuery[] = [];
  pages: (EventPage | Error)[] = [];
  stream: (EventView | Error)[] = [];
  readonly client = {
    events: {
      list: async (query: EventPageQuery) => {
        this.asked.push(query);
        const page = this.pages.shift()!;
        if (page instanceof Error) throw page;
        return page;
      },
      follow: (query: FollowQuery) => {
        this.followed.push(query);
        return this.#follow();
      },
    },
  } as unknown as Client;

  async *#follow(): AsyncGenerator<FollowedEvent> {
    for (const each of this.stream) {
      if (each instanceof Error) throw each;
      yield { id: undefined, event: each };
    }
  }
}

it('loads page by page to the end, one at a time', async () => {
  const script = new Script();
  script.pages = [{ events: [event(3), event(2)], next_cursor: 'c' }, { events: [event(1)] }];
  const feed = new EventFeed(script.client, { tenant_id: 'acme' });
  await Promise.all([feed.loadMore(), feed.loadMore()]);
  expect(feed.end.value).toBe('more');
  await feed.loadMore();
  await feed.loadMore();
  expect(numbersOf(feed)).toEqual([3, 2, 1]);
  expect(feed.end.value).toBe('end');
  expect(script.asked.map(({ cursor }) => cursor)).toEqual([undefined, 'c']);
});

it('keeps what it has after a failure, and goes on where it was', async () => {
  const script = new Script();
  const failure = new Error('away');
  script.pages = [{ events: [event(2)], next_cursor: 'c' }, failure, { events: [event(1)] }];
  const feed = new EventFeed(script.client, { tenant_id: 'acme' });
  await feed.loadMore();
  await feed.loadMore();
  expect([feed.end.value, feed.error.value]).toEqual(['failed', failure]);
  await feed.loadMore();
  expect(numbersOf(feed)).toEqual([2, 1]);
  expect([feed.end.value, feed.error.value]).toEqual(['end', undefined]);
});

it('says when a request has reached its budget', async () => {
  const script = new Script();
  script.pages = [{ events: [], next_cursor: 'c', complete: false }];
  const feed = new EventFeed(script.client, { tenant_id: 'acme' });
  await feed.loadMore();
  expect([feed.isSearched.value, feed.end.value]).toEqual([false, 'more']);
});

it('follows the search from the newest event without an upper end in time, and drops repetitions', async () => {
  const script = new Script();
  script.pages = [{ events: [event(5)] }];
  const early = { ...event(8), timestamp: '2026-03-01T11:59:59.999Z' };
  script.stream = [event(5), event(6), { ...event(7), timestamp: '2026-03-01T14:00:00Z' }, early];
  const filters = { actor_id: ['jane'], from: '2026-03-01T12:00:00Z', to: '2026-03-01T13:00:00Z' } as never;
  const feed = new EventFeed(script.client, { tenant_id: 'acme', filters, q: 'door' });
  await feed.loadMore();
  await feed.follow();
  expect(script.followed).toEqual([
    { tenant_id: 'acme', filters: { actor_id: ['jane'] }, q: 'door', sequence_from: 6 },
  ]);
  expect([feed.waiting, feed.count]).toEqual([2, 1]);
  await feed.showWaiting();
  expect(numbersOf(feed)).toEqual([7, 6, 5]);
  expect(feed.waiting).toBe(0);
});

it('says why live mode ended, until it goes on', async () => {
  const script = new Script();
  const failure = new Error('too many streams');
  script.stream = [event(1), failure];
  const feed = new EventFeed(script.client, { tenant_id: 'acme' });
  await feed.follow();
  expect([feed.error.value, feed.waiting]).toEqual([failure, 1]);
  script.stream = [event(2)];
  await feed.follow();
  expect([feed.error.value, feed.waiting]).toEqual([undefined, 2]);
});

// Live mode ended for good where a restart of the service took longer than the two retries of the client, 1.25 s.
it('tries a service again that can’t be reached, until live mode is left', async () => {
  vi.useFakeTimers();
  try {
    const script = new Script();
    const away = new ClientError('UNREACHABLE', 'the service does not answer');
    script.stream = [event(1), away];
    const feed = new EventFeed(script.client, { tenant_id: 'acme' });
    await feed.follow();
    expect([feed.error.value, script.followed.length]).toEqual([away, 1]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect([feed.error.value, script.followed.length]).toEqual([away, 2]);
    script.stream = [event(2)];
    await vi.advanceTimersByTimeAsync(5_000);
    expect([feed.error.value, feed.waiting, script.followed.length]).toEqual([undefined, 2, 3]);
    script.stream = [away];
    await feed.follow();
    feed.stopFollowing();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(script.followed.length).toBe(4);
  } finally {
    vi.useRealTimers();
  }
});

it('begins anew with its newest page where more came than it keeps, and says what it left out', async () => {
  const script = new Script();
  script.pages = [{ events: eventsFrom(9, 10) }];
  const feed = new EventFeed(script.client, { tenant_id: 'acme' });
  await feed.loadMore();
  script.stream = eventsFrom(3_009, 3_000).reverse();
  await feed.follow();
  expect([feed.waiting, feed.count, feed.leftOut]).toEqual([3_000, 10, 0]);
  // While the newest page is read, one more event comes, which is not in it.
  script.pages = [
    { events: eventsFrom(3_009, 100), next_cursor: 'older' },
    { events: eventsFrom(2_909, 100), next_cursor: 'oldest' },
  ];
  script.stream = [event(3_010)];
  await Promise.all([feed.showWaiting(), feed.follow()]);
  await feed.showWaiting();
  expect(numbersOf(feed).slice(0, 3)).toEqual([3_010, 3_009, 3_008]);
  expect([feed.count, feed.waiting, feed.leftOut, feed.end.value]).toEqual([101, 0, 2_900, 'more']);
  // Nothing is lost: what was left out is below.
  await feed.loadMore();
  expect([feed.at(101)?.sequence_number, feed.leftOut]).toEqual([2_909, 2_800]);
});

it('begins anew once more where events between the newest page and those that it keeps are missing', async () => {
  const script = new Script();
  script.pages = [{ events: eventsFrom(9, 10) }];
  const feed = new EventFeed(script.client, { tenant_id: 'acme' });
  await feed.loadMore();
  script.stream = eventsFrom(3_009, 3_000).reverse();
  await feed.follow();
  // A replica that is behind answers with an older page.
  script.pages = [
    { events: eventsFrom(1_500, 100), next_cursor: 'a' },
    { events: eventsFrom(3_009, 100), next_cursor: 'b' },
  ];
  await feed.showWaiting();
  expect(feed.waiting).toBeGreaterThan(1_000);
  await feed.showWaiting();
  expect([feed.waiting, feed.at(0)?.sequence_number, feed.at(99)?.sequence_number]).toEqual([
    0, 3_009, 2_910,
  ]);
});

it('keeps the events around the view and the first page, and reads others again by their cursors', async () => {
  const script = new Script();
  const page = (at: number): EventPage => ({
    events: eventsFrom(10_000 - at * 100, 100),
    ...(at < 40 && { next_cursor: `c${at + 1}` }),
  });
  script.pages = Array.from({ length: 41 }, (_, at) => page(at));
  const feed = new EventFeed(script.client, { tenant_id: 'acme' });
  for (let at = 0; at < 41; at++) {
    await feed.loadMore();
    feed.show(feed.count - 80, feed.count - 50);
  }
  expect([feed.count, feed.end.value]).toEqual([4_100, 'end']);
  const kept = numbersOf(feed).filter((number) => number !== undefined).length;
  expect(kept).toBeLessThan(1_500);
  expect([feed.at(0)?.sequence_number, feed.at(2_050), feed.first(150).length]).toEqual([
    10_000,
    undefined,
    100,
  ]);
  script.pages = [page(20)];
  feed.show(2_050, 2_080);
  await until(() => feed.at(2_050) !== undefined);
  expect(feed.at(2_050)?.sequence_number).toBe(7_950);
  expect(script.asked.at(-1)?.cursor).toBe('c20');
  // A page that has fewer events than before moves all that is below it.
  script.pages = [{ events: eventsFrom(6_700, 60), next_cursor: 'c34' }];
  feed.show(3_300, 3_320);
  await until(() => feed.at(3_300) !== undefined);
  expect([feed.count, feed.end.value]).toEqual([3_360, 'more']);
});

// A page was found again by its cursor: with a service that gives two pages one cursor, the second was requested without an end.
it('reads a page again one time, also where the service gives two pages the same cursor', async () => {
  const script = new Script();
  script.pages = Array.from({ length: 40 }, (_, at) => ({
    events: eventsFrom(10_000 - at * 100, 100),
    next_cursor: 'same',
  }));
  const feed = new EventFeed(script.client, { tenant_id: 'acme' });
  for (let at = 0; at < 40; at++) {
    await feed.loadMore();
    feed.show(feed.count - 80, feed.count - 50);
  }
  const asked = script.asked.length;
  script.pages = Array.from({ length: 5 }, () => ({ events: eventsFrom(5_000, 100), next_cursor: 'same' }));
  feed.show(1_010, 1_030);
  await until(() => feed.at(1_010) !== undefined);
  feed.show(1_010, 1_030);
  await new Promise((resolve) => setImmediate(resolve));
  expect(script.asked.length - asked).toBe(1);
});
