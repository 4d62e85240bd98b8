import type { Measured } from '../console.ts';
import { benchTenant } from '../query/made-events.ts';
import type { Result } from '../result.ts';
import { figure, longestTask } from './figures.ts';

/** Events that the reader scrolls through. */
const events = 100_000;
const rowHeight = 40;
/** A reader who scrolls on sees each page for a moment: the height of a wheel's turn, px. */
const turnPx = 3_000;
/** Most memory that the page may need more than at its first page, MB. */
const mostGrowthMb = 40;

/** Loads the list, scrolls through all events by cursor, and jumps back into what was read long ago. */
export async function scroll({ meter, url }: Measured): Promise<Result[]> {
  const { page } = meter;
  const loading = await meter.tasksOf(async () => {
    await page.goto(`${url}/console/events?tenant=${benchTenant}&facets=0`);
    await page.locator('.event-row').first().waitFor();
  });
  const before = await meter.memory();
  const frame = page.locator('.event-list-frame');
  const isDrawn = () => page.locator('.event-row a').nth(5).waitFor();
  const scrolling = await meter.tasksOf(async () => {
    await frame.hover();
    let height = 0;
    for (let turn = 0; height < events * rowHeight; turn++) {
      await page.mouse.wheel(0, turn % 2 === 0 ? 1_000_000 : turnPx);
      height = await page.locator('.event-rows').evaluate((rows) => rows.clientHeight);
      if (await page.getByText('This is the oldest event').isVisible()) break;
    }
  });
  const after = await meter.memory();
  const jumping = await meter.tasksOf(async () => {
    for (const part of [0.5, 0.25, 0.75, 0.1, 0]) {
      await frame.evaluate((list, to) => list.scrollTo({ top: list.scrollHeight * to }), part);
      await isDrawn();
    }
  });
  const listed = await page.locator('.event-rows').evaluate((rows) => rows.clientHeight);
  const drawn = await page.locator('.event-row').count();
  console.log(
    `scroll: ${listed / rowHeight} events listed, ${drawn} rows drawn; heap ${before.heapMb.toFixed(1)} MB, then ${after.heapMb.toFixed(1)} MB; nodes ${before.nodes}, then ${after.nodes}`,
  );
  return [
    longestTask('loading the list', loading),
    longestTask(`scrolling through ${events} events`, scrolling),
    longestTask('jumping in them', jumping),
    figure(
      `console: heap after ${events} events, beyond the first page`,
      after.heapMb - before.heapMb,
      'MB',
      mostGrowthMb,
    ),
  ];
}
