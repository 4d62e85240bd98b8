import type { Scope } from '@tallystick/protocol';
import { type Browser, freePort, startBrowser } from '@tallystick/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConsoleService } from './console-service.ts';
import { submitNumberedLogins } from './logins.ts';
import { type Organisation, openOrganisation } from './organisation.ts';
import { Visitor } from './visitor.ts';

/** How a session begins, by a key, a link or the login of the organisation, and how it ends. */
let service: ConsoleService;
let browser: Browser;

/** Its provider is on another site than the console: the browser knows that one as `localhost`. */
let organisation: Organisation;

beforeAll(async () => {
  const port = await freePort();
  organisation = await openOrganisation(`http://localhost:${port}/console/login/callback`);
  service = await ConsoleService.empty({ port, logins: organisation.logins });
  await submitNumberedLogins(service, 'acme', 5);
  await submitNumberedLogins(service, 'globex', 3);
  browser = await startBrowser();
});
afterAll(async () => {
  await browser?.close();
  await service?.[Symbol.asyncDispose]();
  await organisation?.[Symbol.asyncDispose]();
});

const reader = (name: string, scopes: readonly Scope[] = ['events:read', 'log:read'], bounds = {}) =>
  service.key(name, scopes, { tenants: ['acme', 'globex'], ...bounds });

describe('signing in', () => {
  it('takes a key, opens the shared address, keeps no copy of the key, and ends at sign-out', async () => {
    const key = await reader('Maria');
    await using visitor = await Visitor.arrive(browser, service);
    const { page } = visitor;
    await visitor.go('events?tenant=acme&actor_id=acme-user-1');
    await page.getByLabel('API key').fill('tally_wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await visitor.sees('You are not signed in');
    await page.getByLabel('API key').fill(key);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await visitor.rows.first().waitFor();
    expect([visitor.parameter('tenant'), visitor.parameter('actor_id')]).toEqual(['acme', 'acme-user-1']);
    const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, document.cookie]));
    expect(stored).not.toContain(key.split('_')[2]!.slice(0, 8));
    const [cookie] = await page.context().cookies();
    await page.getByRole('button', { name: 'Session of Maria' }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    // A copy of the cookie is worth nothing after the sign-out.
    await page.context().addCookies([cookie!]);
    await page.reload();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });

  it('takes a link one time, and takes its secret out of the address', async () => {
    const link = service.signInLink();
    await using visitor = await Visitor.arrive(browser, service);
    await visitor.page.goto(link);
    await visitor.page.locator('.shell').waitFor();
    expect(visitor.page.url()).not.toContain('link=');
    await using second = await Visitor.arrive(browser, service);
    await second.page.goto(link);
    await second.sees('the link was used already');
    await second.page.getByLabel('API key').waitFor();
  });
});

describe('signing in with the login of the organisation', () => {
  const site = () => service.site.replace('127.0.0.1', 'localhost');
  async function arrive(address: string): Promise<Visitor> {
    const visitor = await Visitor.arrive(browser, service);
    visitor.mayVisit(organisation.provider.issuer).mayVisit(new URL(site()).origin);
    await visitor.page.goto(site() + address);
    return visitor;
  }
  const login = (visitor: Visitor) => visitor.page.getByRole('link', { name: 'Continue with Example Ltd' });

  // The page was blank after every login: it needed the name of a key, and a login has none.
  it('leads to the page that was asked for, and ends at sign-out and with a block of the person', async () => {
    organisation.provider.visitor = 'maria';
    await using visitor = await arrive('events?tenant=acme&actor_id=acme-user-1');
    const { page } = visitor;
    await login(visitor).click();
    await visitor.rows.first().waitFor();
    expect(page.url()).toBe(`${site()}events?tenant=acme&actor_id=acme-user-1`);
    const menu = page.getByRole('button', { name: 'Session of maria' });
    await menu.click();
    await visitor.sees(`${organisation.provider.issuer}#maria`, 'events:read, log:read');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await login(visitor).waitFor();
    await page.reload();
    await login(visitor).click();
    await visitor.rows.first().click();
    await visitor.drawer.getByText('Verified here, by your browser').waitFor();
    const subject = `${organisation.provider.issuer}#maria`;
    await service.client.subjects.block({ subject, reason: 'left the company' });
    // The counts come back beside the list: that is the next request.
    await visitor.drawer.getByRole('link', { name: 'Close the event' }).click();
    await visitor.sees('Your session is over');
    await login(visitor).click();
    await visitor.sees('You are not signed in');
    await service.client.subjects.unblock(subject);
  });

  it.each([
    ['guest', 'Your login gives you no right to read this trail'],
    ['nobody', 'The login was not confirmed'],
  ])('says why %s gets no session, and offers another try', async (person, reason) => {
    organisation.provider.visitor = person;
    await using visitor = await arrive('events?tenant=acme');
    await login(visitor).click();
    await visitor.sees('You are not signed in', reason);
    expect(visitor.page.url()).not.toContain('#');
    await login(visitor).waitFor();
    expect(await visitor.barriers()).toEqual([]);
  });

  it('says that the provider is away, and takes a key meanwhile', async () => {
    organisation.provider.isDown = true;
    try {
      // The service has read the provider's document in an earlier login: a new one reads it again.
      await service.goAway();
      await service.comeBack();
      await using visitor = await arrive('events?tenant=acme');
      await login(visitor).click();
      await visitor.sees('The provider of logins can not be reached');
      await visitor.page.getByLabel('API key').fill(await reader('Maria'));
      await visitor.page.getByRole('button', { name: 'Sign in' }).click();
      await visitor.page.locator('.shell').waitFor();
    } finally {
      organisation.provider.isDown = false;
    }
  });
});

describe('the end of a session', () => {
  it('comes with the revocation of its key, and the reader goes on where they were', async () => {
    const { id, key } = await service.service.keys.create({ name: 'Short', scopes: ['events:read'] });
    await using visitor = await Visitor.arrive(browser, service);
    await visitor.open(key, 'events?tenant=acme');
    await visitor.rows.first().waitFor();
    await service.client.apiKeys.revoke(id);
    await visitor.rows.first().click();
    await visitor.sees('Your session is over');
    await visitor.page.getByLabel('API key').fill(await reader('Maria'));
    await visitor.page.getByRole('button', { name: 'Sign in' }).click();
    await visitor.drawer.getByText('Place in the chain').waitFor();
  });

  it('ends live mode too, although the reader does nothing, and with the end of the key', async () => {
    // Only minutes: with the service's clock three hours ahead in all, the store refused the keys of the later tests.
    const expiresAt = new Date(Date.now() + service.shift + 10 * 60_000);
    const { id, key } = await service.service.keys.create({ name: 'Watcher', scopes: ['events:read'] });
    await using revoked = await Visitor.arrive(browser, service);
    await using expired = await Visitor.arrive(browser, service);
    await revoked.open(key, 'events?tenant=acme&live=1');
    await expired.open(await reader('Guest', ['events:read'], { expiresAt }), 'events?tenant=acme&live=1');
    await submitNumberedLogins(service, 'acme', 1, { target_id: 'seen-live' });
    await revoked.sees('seen-live');
    await expired.sees('seen-live');
    await service.client.apiKeys.revoke(id);
    await revoked.sees('Your session is over');
    expect(await revoked.page.getByText('seen-live').count()).toBe(0);
    await expired.rows.first().waitFor();
    service.shift += 11 * 60_000;
    await expired.sees('Your session is over');
    expect(expired.parameter('live')).toBe('1');
  });

  it('comes after an hour without a request', async () => {
    await using visitor = await Visitor.arrive(browser, service);
    await visitor.open(await reader('Sleepy'), 'events?tenant=acme');
    await visitor.rows.first().waitFor();
    service.shift += 61 * 60_000;
    await visitor.rows.first().click();
    await visitor.sees('Your session is over');
  });
});
