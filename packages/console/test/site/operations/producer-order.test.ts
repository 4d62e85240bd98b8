import type { Client } from '@tallystick/client';
import { expect, it } from 'vitest';
import { producersByState } from '../../../src/site/operations/producer-order.ts';

/** A service with so many accounts in each state, in pages of the limit. */
function clientOf(counts: { readonly [state: string]: number }): Client {
  const list = async ({ state, limit, cursor = '0' }: { state: string; limit: number; cursor?: string }) => {
    const from = Number(cursor);
    const to = Math.min(from + limit, counts[state] ?? 0);
    const producers = Array.from({ length: to - from }, (_, at) => ({
      producer_id: `${state} ${from + at}`,
    }));
    return { producers, ...(to < (counts[state] ?? 0) && { next_cursor: String(to) }) };
  };
  return { producers: { list } } as unknown as Client;
}

async function pagesOf(counts: Parameters<typeof clientOf>[0], all: boolean): Promise<string[][]> {
  const pages: string[][] = [];
  let cursor: string | undefined;
  do {
    const signal = new AbortController().signal;
    const page = await producersByState(clientOf(counts), { tenant: 'acme', all }, cursor, signal);
    pages.push(page.items.map(({ producer_id }) => producer_id));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return pages;
}

it('lists producers with gaps first, each one once, and ends', async () => {
  const counts = { closed: 130, running: 1, unclosed: 100, open: 250 };
  const pages = await pagesOf(counts, true);
  const ids = pages.flat();
  expect(ids.map((id) => id.split(' ')[0])).toEqual(
    ['open', 'unclosed', 'running', 'closed'].flatMap((state) =>
      Array(counts[state as keyof typeof counts]).fill(state),
    ),
  );
  expect(new Set(ids).size).toBe(481);
  expect(Math.max(...pages.map(({ length }) => length))).toBeLessThan(201);
  expect((await pagesOf(counts, false)).flat()).toHaveLength(350);
});

it('goes on to the next state where one has no account, so that a page is not empty before the end', async () => {
  expect(await pagesOf({ closed: 1 }, true)).toEqual([['closed 0']]);
  expect(await pagesOf({}, false)).toEqual([[]]);
});
