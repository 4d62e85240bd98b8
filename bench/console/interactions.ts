import type { Measured } from '../console.ts';
import { benchTenant } from '../query/made-events.ts';
import type { Result } from '../result.ts';
import { worstPaint } from './figures.ts';

const rounds = 10;
const pages = [
  'Overview',
  'Timeline',
  'Events',
  'Verification',
  'Approvals',
  'Producers',
  'Exports',
  'Events',
];

/** What a reader does most, each several times: from the input to the next paint. */
export async function interactions({ meter, url }: Measured): Promise<Result[]> {
  const { page } = meter;
  await page.goto(`${url}/console/events?tenant=${benchTenant}`);
  const rows = page.locator('.event-row');
  const counts = page.getByRole('complementary', { name: 'Counts' });
  const arrive = async () => {
    await rows.nth(10).waitFor();
    await counts.getByRole('link').first().waitFor();
  };
  await arrive();
  const drawer: number[] = [];
  for (let round = 0; round < rounds; round++) {
    drawer.push(await meter.interaction(() => rows.nth(round).locator('[data-column=actor]').click()));
    await page.getByText('Verified here, by your browser').waitFor();
    await page.keyboard.press('Escape');
    await arrive();
  }
  const typing: number[] = [];
  await page.keyboard.press('/');
  for (const letter of 'invoice actor_type:user')
    typing.push(await meter.interaction(() => page.keyboard.type(letter)));
  typing.push(await meter.interaction(() => page.keyboard.press('Enter')));
  await page.getByRole('list', { name: 'Filters' }).waitFor();
  await page.goto(`${url}/console/events?tenant=${benchTenant}`);
  await arrive();
  const facet: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const value = counts
      .locator('.facet')
      .nth(round % 3)
      .getByRole('link')
      .first();
    facet.push(await meter.interaction(() => value.click()));
    await arrive();
    facet.push(await meter.interaction(() => value.click()));
    await arrive();
  }
  const switching: number[] = [];
  for (let round = 0; round < 2; round++)
    for (const name of pages) {
      const link = page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name, exact: true });
      switching.push(await meter.interaction(() => link.click()));
      await page.getByRole('heading', { name, level: 1 }).waitFor();
      if (name === 'Events') await arrive();
    }
  const theme: number[] = [];
  await page.getByRole('button', { name: /Session of/ }).click();
  for (let round = 0; round < rounds; round++) {
    const button = page.locator('.themes button').nth(1 + (round % 2));
    theme.push(await meter.interaction(() => button.click()));
  }
  return [
    worstPaint('opening a record', drawer),
    worstPaint('typing in the search', typing),
    worstPaint('toggling a value of a facet', facet),
    worstPaint('switching pages', switching),
    worstPaint('changing the theme', theme),
  ];
}
