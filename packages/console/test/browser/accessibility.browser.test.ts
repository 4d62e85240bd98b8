import { uuidv7 } from '@tallystick/event';
import { type Browser, type Page, startBrowser } from '@tallystick/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { ConsoleService } from './console-service.ts';
import { Visitor } from './visitor.ts';

/** The pages with the data of the reference platform, used with the keyboard alone; WCAG 2.2 AA on each, in both themes and at the width of a phone. */
let service: ConsoleService;
let browser: Browser;
let maria: Visitor;
/** A tab of Maria's browser, in which each test begins. */
let visitor: Visitor;

beforeAll(async () => {
  service = await ConsoleService.withSocTrail();
  browser = await startBrowser();
  maria = await Visitor.signedIn(browser, service);
});
afterAll(async () => {
  await maria?.[Symbol.asyncDispose]();
  await browser?.close();
  await service?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  visitor = await maria.secondTab();
});
afterEach(async () => await visitor.leave());

it('the search is found by / from other pages, whose tables are used with the keyboard alone', async () => {
  const { page } = visitor;
  await visitor.go('approvals?tenant=acme&state=all');
  const links = page.getByRole('table').getByRole('link');
  await links.nth(1).waitFor();
  const hasFocus = (at: number) => links.nth(at).evaluate((link) => link === document.activeElement);
  await page.keyboard.press('j');
  await page.keyboard.press('ArrowDown');
  expect(await hasFocus(1)).toBe(true);
  await page.keyboard.press('k');
  expect(await hasFocus(0)).toBe(true);
  await page.keyboard.press('Enter');
  const drawer = page.getByRole('complementary', { name: 'Approval' });
  await drawer.getByText('What would be done').waitFor();
  expect(await drawer.evaluate((aside) => aside === document.activeElement)).toBe(true);
  await page.keyboard.press('Escape');
  await drawer.waitFor({ state: 'detached' });
  expect(await hasFocus(0)).toBe(true);
  // From a page without a search, `/` leads to that of the events.
  // What is typed before the page of events has loaded is in its search, too: its file comes late here.
  let arrives = () => {};
  const late = new Promise<void>((resolve) => {
    arrives = resolve;
  });
  await page.route(/events-page[^/]*\.js/, async (route) => {
    await late;
    await route.continue();
  });
  await page.keyboard.press('/');
  await page.keyboard.type('event_type:alertx');
  await page.keyboard.press('Backspace');
  await page.keyboard.type('.*');
  await page.keyboard.press('Enter');
  expect(await page.locator('input[type="search"]').count()).toBe(0);
  arrives();
  await page.waitForURL(
    (url) => url.pathname.endsWith('/events') && url.searchParams.get('event_type') === 'alert.*',
  );
  expect([visitor.parameter('tenant'), new URL(page.url()).hash]).toEqual(['acme', '']);
});

it('the list of events is used with the keyboard alone', async () => {
  const { page } = visitor;
  await visitor.go('overview?tenant=acme');
  // The link of the menu keeps the focus: Enter opened the list again, and not the row that j had marked.
  await page.getByRole('navigation').getByRole('link', { name: 'Events', exact: true }).first().click();
  await visitor.rows.first().waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await visitor.drawer.getByText('Verified here, by your browser').waitFor();
  const second = visitor.parameter('event');
  await page.keyboard.press('k');
  await page.waitForURL((url) => url.searchParams.get('event') !== second);
  await visitor.drawer
    .getByText(/\d{4}, \d\d:\d\d:\d\d\.\d{3} UTC$/)
    .first()
    .waitFor();
  // Escape closes a menu first, and the drawer only when it is pressed again.
  const menu = page.locator('#columns-menu');
  await page.getByRole('button', { name: 'Columns' }).click();
  await menu.waitFor({ state: 'visible' });
  await page.keyboard.press('Escape');
  await menu.waitFor({ state: 'hidden' });
  expect(await visitor.drawer.isVisible()).toBe(true);
  await page.keyboard.press('Escape');
  await visitor.drawer.waitFor({ state: 'detached' });
  // An id in the search opens its event, and any other id is searched for.
  const search = page.getByLabel('Search and filter events');
  await search.fill(` ${String(second)} `);
  await search.press('Enter');
  await page.waitForURL((url) => url.searchParams.get('event') === second);
  await visitor.drawer.waitFor();
  await page.keyboard.press('Escape');
  await visitor.drawer.waitFor({ state: 'detached' });
  await search.fill(uuidv7());
  await search.press('Enter');
  await visitor.sees('No event matches');
  await page.getByRole('link', { name: 'Remove the search', exact: true }).first().click();
  // The counts that lie over the list of a tablet, too.
  await page.setViewportSize({ width: 768, height: 900 });
  await page.getByRole('button', { name: 'Counts' }).click();
  const counts = page.getByRole('complementary', { name: 'Counts' });
  await counts.waitFor();
  await page.keyboard.press('Escape');
  await counts.waitFor({ state: 'detached' });
});

/** How much of a page may jump while it loads. What browsers call good is below 0.1. */
const mostJumps = 0.02;

async function expectNoJumps() {
  const { sum, what } = await visitor.jumps();
  expect(sum, what.join('\n')).toBeLessThan(mostJumps);
}

/** Each page in a state with data, and a text that is there when the page is. */
const pages: readonly (readonly [address: string, shows: string | RegExp])[] = [
  ['overview?tenant=acme', 'by hour and outcome'],
  ['events?tenant=acme&event_type=alert.*', 'alert.classified'],
  ['events?tenant=acme&actor_id=nobody', 'No event matches'],
  ['timeline?tenant=acme', 'Recent'],
  ['verification?tenant=acme', 'Check all records now'],
  ['approvals?tenant=acme&state=all', 'confirm_verdict'],
  ['producers?tenant=acme&all=1', 'Missing numbers'],
  ['dead-letters?tenant=acme', 'No event was refused'],
  ['intents?tenant=acme', 'An agent declares an action'],
  ['calls?tenant=acme', 'Most expensive calls'],
  ['exports?tenant=acme&event_type=alert.*', /\d events/],
  ['keys', 'Show revoked and expired keys too'],
  ['followers', 'Oldest unread'],
  ['tenants', 'Last record'],
  ['nowhere', 'There is no such page'],
];

/** How many tables must be scrolled sideways to be read. */
const cutTables = async (page: Page) =>
  await page
    .locator('.table-frame')
    .evaluateAll((frames) => frames.filter((frame) => frame.scrollWidth > frame.clientWidth).length);

it.each(pages)('no barrier: %s', async (address, text) => {
  const { page } = visitor;
  await visitor.go(address);
  await visitor.sees(text);
  await visitor.look({ theme: 'light' });
  await expectNoJumps();
  expect(await visitor.barriers()).toEqual([]);
  await visitor.look({ theme: 'dark' });
  expect(await visitor.barriers({ onlyColours: true })).toEqual([]);
  // The last columns of a table were cut off on a tablet: its rows are cards there.
  await visitor.look({ width: 768 });
  expect(await cutTables(page)).toBe(0);
  await visitor.look({ width: 360 });
  await page.reload();
  await visitor.sees(text);
  await visitor.settled();
  await expectNoJumps();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  expect(await cutTables(page)).toBe(0);
  // A name of a column in a card that needed two lines was drawn over the next cell.
  const overlaps = await page.locator('.table.cards td').evaluateAll((cells) =>
    cells.filter((cell) => {
      const { height } = getComputedStyle(cell, '::before');
      return Number.parseFloat(height) > cell.clientHeight + 1;
    }),
  );
  expect(overlaps.length).toBe(0);
  // The title is not cut off beside the tenant.
  const title = page.locator('.topbar h1');
  expect(await title.evaluate((h1) => h1.scrollWidth - h1.clientWidth)).toBe(0);
  expect(await visitor.barriers()).toEqual([]);
});

it('no barrier: the page to sign in', async () => {
  await using stranger = await Visitor.arrive(browser, service);
  await stranger.go('events');
  await stranger.page.getByLabel('API key').waitFor();
  await stranger.look({ width: 360 });
  expect(await stranger.barriers()).toEqual([]);
});

it('no barrier: the navigation of a phone', async () => {
  const { page } = visitor;
  await visitor.look({ width: 360 });
  await visitor.go('events?tenant=acme');
  await page.getByRole('button', { name: 'Pages' }).click();
  await page.getByRole('link', { name: 'Tenants' }).waitFor();
  await visitor.settled();
  expect(await visitor.barriers()).toEqual([]);
  await page.getByRole('link', { name: 'Tenants' }).click();
  await page.getByRole('cell', { name: 'globex', exact: true }).waitFor();
});
