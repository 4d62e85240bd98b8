import type { Client, EventPageQuery, FollowedEvent, FollowQuery } from '@tallystick/client';
import type { EventPage, EventView } from '@tallystick/protocol';
import { until } from '@tallystick/testing';
import { expect, it } from 'vitest';
import { EventFeed } from '../../../src/site/events/event-feed.ts';

const event = (number: number): EventView => ({ audit_id: `id-${number}`, sequence_number: number });
const numbersOf = (events: readonly EventView[]) => events.map(({ sequence_number }) => sequence_number);

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
  expect(numbersOf(feed.events.value)).toEqual([3, 2, 1]);
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
  expect(numbersOf(feed.events.value)).toEqual([2, 1]);
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
  expect(numbersOf(feed.waiting.value)).toEqual([7, 6]);
  feed.showWaiting();
  expect(numbersOf(feed.events.value)).toEqual([7, 6, 5]);
  expect(feed.waiting.value).toEqual([]);
});

it('says why live mode ended, until it goes on', async () => {
  const script = new Script();
  const failure = new Error('too many streams');
  script.stream = [event(1), failure];
  const feed = new EventFeed(script.client, { tenant_id: 'acme' });
  await feed.follow();
  expect([feed.error.value, numbersOf(feed.waiting.value)]).toEqual([failure, [1]]);
  script.stream = [event(2)];
  await feed.follow();
  expect([feed.error.value, numbersOf(feed.waiting.value)]).toEqual([undefined, [2, 1]]);
});

it('counts what came too fast to show', async () => {
  const script = new Script();
  script.stream = Array.from({ length: 2_010 }, (_, at) => event(at));
  const feed = new EventFeed(script.client, { tenant_id: 'acme' });
  void feed.follow();
  await until(() => feed.leftOut.value === 10);
  expect(feed.waiting.value.length).toBe(2_000);
  expect(feed.waiting.value[0]).toEqual(event(2_009));
});
