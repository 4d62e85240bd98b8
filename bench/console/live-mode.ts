import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from '@tallystick/client';
import type { Measured } from '../console.ts';
import { benchTenant, madeEvent } from '../query/made-events.ts';
import type { Result } from '../result.ts';
import { figure, longestTask, worstPaint } from './figures.ts';

const perSecond = 500;
const seconds = 60;
const batchesPerSecond = 5;
/** Most memory that the page may need more after the minute than before, MB. */
const mostGrowthMb = 40;

/** Live mode at 500 events a second for a minute, in which the reader opens records at the top of the list and further down. */
export async function liveMode({ meter, url, key }: Measured): Promise<Result[]> {
  const { page } = meter;
  await page.goto(`${url}/console/events?tenant=${benchTenant}&facets=0&live=1`);
  const rows = page.locator('.event-row');
  await rows.nth(10).waitFor();
  const before = await meter.memory();
  const writing = write(url, key);
  const opening: number[] = [];
  const tasks = await meter.tasksOf(async () => {
    while (!writing.isDone()) {
      const list = (await page.locator('.event-list-frame').boundingBox())!;
      // The rows move while new events come, so the reader clicks where the fourth one is.
      opening.push(await meter.interaction(() => page.mouse.click(list.x + 300, list.y + 36 + 3.5 * 40)));
      await page
        .getByRole('complementary', { name: 'Event' })
        .getByText(/^Record \d+/)
        .waitFor();
      await page.keyboard.press('Escape');
      await page.locator('.event-list-frame').hover();
      // Half of the time the reader is further down, where new events wait.
      await page.mouse.wheel(0, opening.length % 8 < 4 ? -10_000 : 2_000);
      await pause(500);
    }
  });
  const written = await writing.done;
  const after = await meter.memory();
  const said = await page.locator('.new-events').allInnerTexts();
  console.log(
    `live mode: ${written.events} events in ${written.seconds.toFixed(0)} s; the page says ${JSON.stringify(said.join(' '))}; heap ${before.heapMb.toFixed(1)} MB, then ${after.heapMb.toFixed(1)} MB; nodes ${before.nodes}, then ${after.nodes}`,
  );
  return [
    figure('console: live mode, events per second', written.events / written.seconds, '1/s'),
    longestTask('live mode', tasks),
    worstPaint('opening a record in live mode', opening),
    figure(
      'console: heap after a minute of live mode, beyond its begin',
      after.heapMb - before.heapMb,
      'MB',
      mostGrowthMb,
    ),
  ];
}

/** Submits events at the rate for the time. A batch that is late is followed by the next one at once. */
function write(url: string, key: string) {
  const client = createClient({ url, apiKey: key });
  let isDone = false;
  const submitAll = async () => {
    const begun = performance.now();
    const size = perSecond / batchesPerSecond;
    let events = 0;
    for (let batch = 0; batch < seconds * batchesPerSecond; batch++) {
      await pause(Math.max(0, begun + (batch * 1_000) / batchesPerSecond - performance.now()));
      const base = 10_000_000 + (Date.now() % 1_000_000_000);
      const made = Array.from(
        { length: size },
        (_, at) => madeEvent(base + batch * size + at, 1e9, Date.now()).event,
      );
      const results = await client.events.submit(made as unknown as object[]);
      events += results.filter(({ status }) => status === 'chained').length;
    }
    isDone = true;
    return { events, seconds: (performance.now() - begun) / 1_000 };
  };
  return { done: submitAll(), isDone: () => isDone };
}
