import { type Browser, startBrowser } from '@tallystick/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ConsoleService } from './console-service.ts';
import { submitNumberedLogins } from './logins.ts';
import { type Organisation, openOrganisation } from './organisation.ts';
import { type PathProxy, pathProxy } from './path-proxy.ts';
import { Visitor } from './visitor.ts';

/** The console and `/docs` below a path of a proxy, with the login of the organisation. */
let service: ConsoleService;
let proxy: PathProxy;
let organisation: Organisation;
let browser: Browser;

beforeAll(async () => {
  proxy = await pathProxy('/audit', () => service.url);
  organisation = await openOrganisation(`${address('')}console/login/callback`);
  organisation.provider.visitor = 'maria';
  service = await ConsoleService.empty({ logins: organisation.logins });
  await submitNumberedLogins(service, 'acme', 5);
  // The first visit in a checkout builds the page.
  await fetch(`${service.url}/docs`);
  browser = await startBrowser();
});
afterAll(async () => {
  await browser?.close();
  await service?.[Symbol.asyncDispose]();
  await organisation?.[Symbol.asyncDispose]();
  await proxy?.[Symbol.asyncDispose]();
});

/** An address of the service as the browser sees it. */
const address = (path: string) => `http://localhost:${proxy.port}/audit/${path}`;

async function arrive(path: string): Promise<Visitor> {
  const url = new URL(address('')).origin;
  const visitor = await Visitor.arrive(browser, { url, site: address('console/') });
  visitor.mayVisit(organisation.provider.issuer);
  await visitor.page.goto(address(path));
  return visitor;
}

// A person who signed in for /docs stayed in the console.
it('a login leads back to the operation of /docs, whose requests act as the person', async () => {
  await using visitor = await arrive('docs#/Events/listEvents');
  const { page } = visitor;
  const open = page.locator('#operations-Events-listEvents.is-open');
  await open.waitFor();
  await visitor.sees('You are not signed in');
  await page.getByRole('link', { name: 'sign in', exact: true }).click();
  await page.getByRole('link', { name: 'Continue with Example Ltd' }).click();
  await open.waitFor();
  expect(page.url()).toBe(address('docs#/Events/listEvents'));
  await visitor.sees(`Requests act as ${organisation.provider.issuer}#maria`);
  await open.getByRole('button', { name: 'Try it out' }).click();
  const answer = page.waitForResponse((response) => response.url().includes('/v1/audit/events'));
  await open.getByRole('button', { name: 'Execute' }).click();
  expect([(await answer).url().startsWith(address('v1/')), (await answer).status()]).toEqual([true, 200]);
  // Whoever comes with a session is sent on at once, and a made-up operation is only text.
  await page.goto(address(`console/docs?at=${encodeURIComponent('//evil.example/"><script>')}`));
  await page.locator('.docs-content').waitFor();
  expect(page.url().startsWith(address('docs#/'))).toBe(true);
});

it('the console reads, checks, follows live and signs out below the path', async () => {
  await using visitor = await arrive('console/events?tenant=acme');
  const { page } = visitor;
  await page.getByRole('link', { name: 'Continue with Example Ltd' }).click();
  await visitor.rows.first().waitFor();
  expect(page.url()).toBe(address('console/events?tenant=acme'));
  await visitor.rows.first().click();
  await visitor.drawer.getByText('Verified here, by your browser').waitFor();
  await visitor.go('events?tenant=acme&live=1');
  await visitor.rows.first().waitFor();
  await submitNumberedLogins(service, 'acme', 1, { target_id: 'seen-live' });
  await visitor.sees('seen-live');
  await visitor.go('exports?tenant=acme&event_type=auth.login');
  await visitor.sees('6 events');
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download CSV' }).click();
  expect((await download).url().startsWith(address('v1/'))).toBe(true);
  await page.getByRole('button', { name: 'Session of maria' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('link', { name: 'Continue with Example Ltd' }).waitFor();
  expect(proxy.strays.filter((path) => path !== '/favicon.ico')).toEqual([]);
});
