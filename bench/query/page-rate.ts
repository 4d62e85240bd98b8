import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { tempDir } from '@tallystick/testing';
import { median } from '../result.ts';

const connections = 4;
const roundMs = 4_000;
const rounds = 5;
/** Pages of 1,000 events between the places at which two clients begin to walk: more than the service keeps. */
const pagesApart = 20;

/** Pages of 50 events per second, from a service in a process of its own. */
export interface PageRates {
  /** The newest page again and again, whose texts the service keeps. */
  readonly newest: number;
  /** One page after the other by the cursor of the page before: no text is used twice. */
  readonly walked: number;
}

interface Page {
  readonly events: readonly unknown[];
  readonly next_cursor?: string;
}

type Ask = (limit: number, cursor?: string) => Promise<Page>;

export async function pageRate(databaseUrl: string): Promise<PageRates> {
  using directory = tempDir();
  const file = new URL('page-server.ts', import.meta.url);
  const server = fork(file, [databaseUrl, directory.path], {
    execArgv: ['--conditions=tallystick-source'],
  });
  const [{ url, key }] = (await once(server, 'message')) as [{ url: string; key: string }];
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const ask: Ask = async (limit, cursor) => {
    const query = new URLSearchParams({ limit: String(limit), ...(cursor !== undefined && { cursor }) });
    const asked = request(`${url}/v1/audit/events?${query}`, {
      agent,
      headers: { authorization: `Bearer ${key}` },
    });
    asked.end();
    const [response] = await once(asked, 'response');
    const page = JSON.parse(await text(response)) as Page;
    if (page.events === undefined) throw new Error(`no page: ${JSON.stringify(page)}`);
    return page;
  };
  const newest = await rateOf(async () => {
    const { events } = await ask(50);
    if (events.length !== 50) throw new Error(`a page has ${events.length} events`);
  });
  const begins = await placesApart(ask);
  const cursors = [...begins];
  const walked = await rateOf(async (client) => {
    const { next_cursor: next } = await ask(50, cursors[client]);
    cursors[client] = next ?? begins[client];
  });
  agent.destroy();
  server.kill('SIGTERM');
  await once(server, 'exit');
  return { newest, walked };
}

/** A cursor for each client. In a small store, clients may meet. */
async function placesApart(ask: Ask): Promise<(string | undefined)[]> {
  const places: (string | undefined)[] = [];
  let cursor: string | undefined;
  for (let client = 0; client < connections; client++) {
    places.push(cursor);
    for (let page = 0; page < pagesApart; page++) cursor = (await ask(1_000, cursor)).next_cursor;
  }
  return places;
}

/** Requests per second of all clients together: the median of some rounds. */
async function rateOf(work: (client: number) => Promise<void>): Promise<number> {
  const rates: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const began = performance.now();
    let pages = 0;
    const client = async (nth: number) => {
      for (; performance.now() - began < roundMs; pages++) await work(nth);
    };
    await Promise.all(Array.from({ length: connections }, (_, nth) => client(nth)));
    // The first round warms up.
    if (round >= 0) rates.push((pages * 1_000) / (performance.now() - began));
  }
  return median(rates);
}
