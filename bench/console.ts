import { fork } from 'node:child_process';
import { once } from 'node:events';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { consoleFiles } from '@tallystick/console';
import { startBrowser, startPostgres, tempDir } from '@tallystick/testing';
import { interactions } from './console/interactions.ts';
import { liveMode } from './console/live-mode.ts';
import { PageMeter } from './console/page-meter.ts';
import { scroll } from './console/scroll.ts';
import { buildStore } from './query/build-store.ts';
import type { QueryOptions } from './query.ts';
import type { Result } from './result.ts';

/** The console that is measured: a page that is signed in, and a key for those who write meanwhile. */
export interface Measured {
  readonly meter: PageMeter;
  readonly url: string;
  readonly key: string;
}

/**
 * How smooth the console is in a real browser, on the real service with a store of 100,000 events: tasks of the page's main thread, time from
 * an input to the next paint, memory. A figure by the clock is only as good as the machine is quiet; tasks have their processor time too.
 */
export async function run({ rows = 100_000, data }: QueryOptions = {}): Promise<Result[]> {
  using directory = tempDir();
  const place = data ?? directory.path;
  // The files are built before anything is measured.
  await consoleFiles();
  const postgres = await startPostgres({ durable: false, dataDir: join(place, 'store') });
  try {
    const store = await buildStore(postgres, `console${rows}`, { rows, months: 3 });
    const server = fork(new URL('console/service.ts', import.meta.url), [store.url, join(place, 'signer')], {
      execArgv: ['--conditions=tallystick-source'],
    });
    const [{ url, key }] = (await once(server, 'message')) as [{ url: string; key: string }];
    const browser = await startBrowser();
    try {
      const results: Result[] = [];
      for (const measure of [interactions, scroll, liveMode]) {
        await using meter = await PageMeter.open(browser);
        await signIn(meter, url, key);
        results.push(...(await measure({ meter, url, key })));
        console.log(`load of the machine: ${loadavg()[0]!.toFixed(1)}`);
      }
      return results;
    } finally {
      await browser.close();
      server.kill('SIGTERM');
      await once(server, 'exit');
    }
  } finally {
    await postgres.stop();
  }
}

async function signIn({ page }: PageMeter, url: string, key: string): Promise<void> {
  const answer = await page.context().request.post(`${url}/console/session`, {
    headers: { 'x-tallystick-console': '1' },
    data: { key },
  });
  if (!answer.ok()) throw new Error(`the sign-in failed: ${answer.status()}`);
}
