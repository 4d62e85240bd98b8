import { uuidv7 } from '@tallystick/event';
import type { Scope } from '@tallystick/protocol';
import { readLoginOptions } from '@tallystick/server/http';
import {
  type Browser,
  freePort,
  openTestOpenIdProvider,
  startBrowser,
  type TestOpenIdProvider,
  until,
} from '@tallystick/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ConsoleService } from './console-service.ts';
import { Visitor } from './visitor.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 180_000 });

/** Who may see what, for how long, and what the console does while the service or the network is away. All on one real service. */
let service: ConsoleService;
let browser: Browser;

/** A real OpenID provider. It is on another site than the console: the browser knows that one as `localhost`. */
let provider: TestOpenIdProvider;
const people = {
  maria: { tenants: ['acme'], groups: ['readers'] },
  guest: { tenants: ['acme'], groups: ['cooks'] },
};

beforeAll(async () => {
  provider = await openTestOpenIdProvider(people);
  const port = await freePort();
  const redirectUri = `http://localhost:${port}/console/login/callback`;
  await provider.register({ id: 'console', redirectUri });
  service = await ConsoleService.empty({ port, logins: loginsFor(redirectUri) });
  await submit('acme', 5);
  await submit('globex', 3);
  browser = await startBrowser();
});
afterAll(async () => {
  await browser?.close();
  await service?.[Symbol.asyncDispose]();
  await provider?.[Symbol.asyncDispose]();
});

function loginsFor(redirect_uri: string) {
  return readLoginOptions({
    issuer: provider.issuer,
    audience: provider.audience,
    tenants: { claim: 'tenants' },
    groups: { claim: 'groups' },
    scopes: { claim: 'groups', grant: { readers: ['events:read', 'log:read'] } },
    console: { client_id: 'console', redirect_uri, name: 'Example Ltd' },
  });
}

async function submit(tenant: string, count: number, fields: object = {}): Promise<void> {
  const results = await service.client.events.submit(
    Array.from({ length: count }, (_, at) => ({
      ...{ audit_id: uuidv7(), tenant_id: tenant, timestamp: new Date().toISOString() },
      ...{ event_type: 'auth.login', actor_type: 'user', actor_id: `${tenant}-user-${at}` },
      ...{ target_type: 'door', target_id: `door-${at}`, source_service: 'doors' },
      ...fields,
    })),
  );
  expect(results.map(({ status }) => status)).toEqual(Array(count).fill('chained'));
}

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
    visitor.mayVisit(provider.issuer).mayVisit(new URL(site()).origin);
    await visitor.page.goto(site() + address);
    return visitor;
  }
  const login = (visitor: Visitor) => visitor.page.getByRole('link', { name: 'Continue with Example Ltd' });

  // The page was blank after every login: it needed the name of a key, and a login has none.
  it('leads to the page that was asked for, and ends at sign-out and with a block of the person', async () => {
    provider.visitor = 'maria';
    await using visitor = await arrive('events?tenant=acme&actor_id=acme-user-1');
    const { page } = visitor;
    await login(visitor).click();
    await visitor.rows.first().waitFor();
    expect(page.url()).toBe(`${site()}events?tenant=acme&actor_id=acme-user-1`);
    const menu = page.getByRole('button', { name: 'Session of maria' });
    await menu.click();
    await visitor.sees(`${provider.issuer}#maria`, 'events:read, log:read');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await login(visitor).waitFor();
    await page.reload();
    await login(visitor).click();
    await visitor.rows.first().click();
    await visitor.drawer.getByText('Verified here, by your browser').waitFor();
    const subject = `${provider.issuer}#maria`;
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
    provider.visitor = person;
    await using visitor = await arrive('events?tenant=acme');
    await login(visitor).click();
    await visitor.sees('You are not signed in', reason);
    expect(visitor.page.url()).not.toContain('#');
    await login(visitor).waitFor();
    expect(await visitor.barriers()).toEqual([]);
  });

  it('says that the provider is away, and takes a key meanwhile', async () => {
    provider.isDown = true;
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
      provider.isDown = false;
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
    await submit('acme', 1, { target_id: 'seen-live' });
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

describe('what a reader may do', () => {
  it('is the same in two browsers side by side, each with the tenant of its key', async () => {
    await using acme = await Visitor.arrive(browser, service);
    await using globex = await Visitor.arrive(browser, service);
    await acme.open(await reader('A', ['events:read'], { tenants: ['acme'] }), 'events?live=1');
    await globex.open(await reader('G', ['events:read'], { tenants: ['globex'] }), 'events?live=1');
    await acme.sees('acme-user-4');
    await globex.sees('globex-user-2');
    await submit('globex', 1, { target_id: 'only-globex' });
    await globex.sees('only-globex');
    await submit('acme', 1, { target_id: 'only-acme' });
    await acme.sees('only-acme');
    expect(await acme.page.getByText('globex').count()).toBe(0);
    expect(await globex.page.getByText('only-acme').count()).toBe(0);
    await acme.go('events?tenant=globex');
    await acme.sees('Your key does not allow this');
    expect(await acme.page.getByText('globex-user').count()).toBe(0);
  });

  it('is the same in two tabs of one session, each with its tenant; a sign-out ends both', async () => {
    await using acme = await Visitor.arrive(browser, service);
    await acme.open(await reader('Both'), 'events?tenant=acme&live=1');
    await acme.rows.first().waitFor();
    const globex = await acme.secondTab();
    await globex.go('events?tenant=globex&live=1');
    await globex.rows.first().waitFor();
    await submit('acme', 1, { target_id: 'first-tab' });
    await submit('globex', 1, { target_id: 'second-tab' });
    await acme.sees('first-tab');
    await globex.sees('second-tab');
    expect(await acme.page.getByText('second-tab').count()).toBe(0);
    expect(await globex.page.getByText('first-tab').count()).toBe(0);
    // The other tenant's trail is one choice away, without the open record of this one.
    await globex.rows.first().click();
    await globex.drawer.waitFor();
    await globex.page.getByLabel('Tenant').selectOption('acme');
    await globex.sees('first-tab');
    expect([globex.parameter('tenant'), globex.parameter('event')]).toEqual(['acme', null]);
    expect(acme.parameter('tenant')).toBe('acme');
    await acme.page.getByRole('button', { name: 'Session of Both' }).click();
    await acme.page.getByRole('button', { name: 'Sign out' }).click();
    await acme.page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await globex.rows.first().click();
    await globex.sees('Your session is over');
  });

  it('decides which pages and actions are offered', async () => {
    const pagesOf = async (visitor: Visitor) =>
      (
        await visitor.page.getByRole('navigation', { name: 'Pages' }).getByRole('link').allInnerTexts()
      ).sort();
    await using few = await Visitor.arrive(browser, service);
    await few.open(await reader('Few', ['events:read'], { tenants: ['globex'] }), 'events');
    const offered = await pagesOf(few);
    expect(offered).toContain('Events');
    expect(offered).not.toContain('Verification');
    await few.rows.first().click();
    await few.drawer.getByText('Place in the chain').waitFor();
    expect(await few.drawer.getByText('Verified here').count()).toBe(0);
    expect(await few.drawer.getByRole('button', { name: 'Download the receipt' }).count()).toBe(0);
    await few.go('verification');
    await few.sees('There is no such page');
    await using most = await Visitor.arrive(browser, service);
    await most.open(await service.key('Admin', ['admin']), 'events?tenant=globex');
    expect(await pagesOf(most)).toEqual(expect.arrayContaining([...offered, 'Verification']));
    await most.rows.first().click();
    await most.drawer.getByRole('button', { name: 'Download the receipt' }).waitFor();
  });

  it('does not include reading when the key only writes', async () => {
    await using visitor = await Visitor.arrive(browser, service);
    await visitor.open(await reader('Writer', ['events:write'], { tenants: ['acme'] }), 'events');
    await visitor.sees('There is no such page');
    expect(await visitor.rows.count()).toBe(0);
  });
});

describe('an operator', () => {
  it('makes a key that is shown once, and revokes it', async () => {
    await using visitor = await Visitor.arrive(browser, service);
    const { page } = visitor;
    await visitor.open(await service.key('Operator', ['admin']), 'keys');
    await page.getByText('Make a new key').click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Blog reader');
    await page.getByRole('checkbox', { name: 'events:write' }).uncheck();
    await page.getByRole('checkbox', { name: 'events:read', exact: false }).first().check();
    await page.getByRole('textbox', { name: 'Tenants' }).fill('globex');
    await page.getByRole('button', { name: 'Make the key' }).click();
    const key = await page.locator('.notice code').first().innerText();
    expect(await visitor.barriers()).toEqual([]);
    const reading = async () => await service.clientWith(key).events.list({ tenant_id: 'globex', limit: 1 });
    expect((await reading()).events.length).toBe(1);
    const made = (await service.client.apiKeys.list()).find(({ name }) => name === 'Blog reader')!;
    expect(made).toMatchObject({ scopes: ['events:read'], tenants: ['globex'] });
    await page.getByRole('button', { name: 'I have copied it' }).click();
    expect(await page.content()).not.toContain(key.split('_')[2]);
    await page.getByRole('button', { name: 'Revoke the key Blog reader' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    expect((await reading()).events.length).toBe(1);
    await page.getByRole('button', { name: 'Revoke the key Blog reader' }).click();
    await page.getByRole('button', { name: 'Revoke for good' }).click();
    await visitor.sees('is revoked');
    await expect(reading()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('pauses a follower and lets it go on; the keys of one tenant do not', async () => {
    await using visitor = await Visitor.arrive(browser, service);
    const { page } = visitor;
    await visitor.open(await service.key('Operator', ['admin']), 'followers');
    await page.getByRole('button', { name: 'Pause search-index' }).click();
    await visitor.sees('search-index is paused until it is resumed');
    const stateOf = async () =>
      (await service.client.followers.list()).followers.find(({ name }) => name === 'search-index')?.state;
    expect(await stateOf()).toBe('paused');
    await page.getByRole('button', { name: 'Resume search-index' }).click();
    await visitor.sees('search-index goes on');
    expect(await stateOf()).toBe('running');
    await using other = await Visitor.arrive(browser, service);
    await other.open(await reader('Of acme', ['admin'], { tenants: ['acme'] }), 'followers');
    await other.sees('There is no such page');
  });

  it('sees actions of agents without an end, and follows one to its record', async () => {
    await submit('acme', 1, {
      ...{ event_type: 'agent.action.intended', actor_type: 'agent', actor_id: 'payer' },
      context: { action: 'pay' },
    });
    await using visitor = await Visitor.arrive(browser, service);
    await visitor.open(await reader('Maria'), 'intents?tenant=acme&state=open');
    await until(
      async () => {
        await visitor.page.reload();
        await visitor.page.locator('.panel :is(table, .empty)').first().waitFor();
        return (await visitor.page.getByRole('link', { name: 'pay' }).count()) === 1;
      },
      { timeoutMs: 30_000, what: 'the open action' },
    );
    expect(await visitor.barriers()).toEqual([]);
    await visitor.page.getByRole('link', { name: 'pay' }).click();
    await visitor.drawer.getByRole('heading', { name: 'agent.action.intended' }).waitFor();
  });
});

/** Sends a batch as a producer does. @returns the results of its events */
async function send(delivery: object | undefined, events: readonly object[]): Promise<{ status: string }[]> {
  const response = await fetch(`${service.url}/v1/audit/events/batch`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await service.key('sender', ['events:write'])}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ ...(delivery !== undefined && { delivery }), events }),
  });
  return ((await response.json()) as { results: { status: string }[] }).results;
}

const recordsOf = async (event_type: string) =>
  (await service.client.events.list({ tenant_id: 'acme', filters: { event_type }, limit: 10 })).events;

describe('what was refused, and what is missing', () => {
  const whole = () => ({
    ...{ audit_id: uuidv7(), tenant_id: 'acme', timestamp: new Date().toISOString() },
    ...{ event_type: 'auth.login', actor_type: 'user', actor_id: 'jane', source_service: 'doors' },
  });

  it('a reader sees why an event was refused, an admin sees its bytes, submits it again and erases it', async () => {
    const refused = { ...whole(), actor_type: 'ghost', target_id: '<b>door</b>' };
    expect((await send(undefined, [refused])).map(({ status }) => status)).toEqual(['rejected']);
    await using few = await Visitor.arrive(browser, service);
    await few.open(await reader('Few', ['events:read'], { tenants: ['acme'] }), 'dead-letters?tenant=acme');
    const rows = (visitor: Visitor) => visitor.page.getByRole('table').getByRole('link');
    const drawerOf = (visitor: Visitor) => visitor.page.getByRole('complementary', { name: 'Dead letter' });
    await rows(few).first().click();
    await drawerOf(few).getByText('only a key with the scope admin may see them').waitFor();
    expect(
      await drawerOf(few)
        .getByRole('button', { name: /Erase|Submit/ })
        .count(),
    ).toBe(0);
    expect(await few.page.getByText('Of every tenant').count()).toBe(0);

    await using visitor = await Visitor.arrive(browser, service);
    const { page } = visitor;
    const drawer = drawerOf(visitor);
    await visitor.open(await service.key('Keeper', ['admin']), 'dead-letters?tenant=acme');
    await rows(visitor).first().click();
    await drawer.getByText('<b>door</b>').waitFor();
    await drawer.getByRole('button', { name: 'Submit again' }).click();
    await drawer.getByText('It was refused again').waitFor();
    const [letter] = (await service.client.deadLetters.list({ tenant_id: 'acme' })).dead_letters;

    // The dialog keeps the focus, Esc gives it back, and nothing has happened.
    const erase = drawer.getByRole('button', { name: 'Erase …' });
    await erase.focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Erase this refused event?' });
    await dialog.waitFor();
    expect(await visitor.barriers()).toEqual([]);
    for (let step = 0; step < 8; step++) {
      await page.keyboard.press('Tab');
      const isOutside = await page.evaluate(
        () => document.activeElement?.closest('dialog') === null && document.activeElement !== document.body,
      );
      expect(isOutside).toBe(false);
    }
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(await erase.evaluate((button) => button === document.activeElement)).toBe(true);
    // Esc closed the dialog alone: the drawer is open, and its own Esc works again.
    await drawer.waitFor();

    await page.keyboard.press('Enter');
    const confirm = dialog.getByRole('button', { name: 'Erase for good' });
    expect(await confirm.isDisabled()).toBe(true);
    await dialog.getByLabel('Type “erase” to confirm').fill('erase');
    await page.keyboard.press('Enter');
    await drawer.getByText('The bytes are erased').waitFor();
    await drawer.getByText('The bytes were erased').waitFor();
    expect(await drawer.getByRole('button', { name: /Erase|Submit/ }).count()).toBe(0);
    await visitor.sees('No event was refused');
    expect((await service.client.deadLetters.get(letter!.id)).state).toBe('purged');
    const [record] = await recordsOf('audit.dead_letters_purged');
    expect(JSON.stringify(record)).toContain(letter!.id);
    await page.keyboard.press('Escape');
    await drawer.waitFor({ state: 'detached' });
    expect(visitor.parameter('letter')).toBe(null);
  });

  it('an event of no tenant is shown to a reader of every tenant', async () => {
    expect((await send(undefined, [{ ...whole(), tenant_id: '' }])).map(({ status }) => status)).toEqual([
      'rejected',
    ]);
    await using visitor = await Visitor.arrive(browser, service);
    await visitor.open(await service.key('Keeper', ['admin']), 'dead-letters?tenant=acme');
    await visitor.sees('No event was refused');
    await visitor.page.getByLabel('Of every tenant').check();
    await visitor.page.getByRole('cell', { name: 'not known' }).waitFor();
    expect(visitor.parameter('all')).toBe('1');
  });

  it('an admin closes the account of a producer with gaps, with a reason that the records keep', async () => {
    const producer_id = uuidv7();
    const delivery = { producer_id, service: 'turnstiles', sequences: [1, 4], final: [] };
    await send(delivery, [whole(), whole()]);
    await using few = await Visitor.arrive(browser, service);
    await few.open(await reader('Few', ['events:read'], { tenants: ['acme'] }), 'producers?tenant=acme');
    await few.page.getByRole('cell', { name: '2–3', exact: true }).waitFor();
    expect(await few.page.getByRole('button', { name: /Close/ }).count()).toBe(0);

    await using visitor = await Visitor.arrive(browser, service);
    const { page } = visitor;
    await visitor.open(await service.key('Keeper', ['admin']), 'producers?tenant=acme');
    await page.getByText('What the states mean').click();
    await visitor.sees('They may still come');
    const close = page.getByRole('button', { name: 'Close the account of turnstiles' });
    const dialog = page.getByRole('dialog', { name: 'Close the account of turnstiles?' });
    await close.click();
    await dialog.getByText('The producer has sent something in this time').waitFor();
    const confirm = dialog.getByRole('button', { name: 'Close the account' });
    await dialog.getByLabel('Reason').fill('the <i>host</i> was replaced');
    expect(await confirm.isDisabled()).toBe(true);
    await service.tamper(
      `update audit_producers set last_seen_at = last_seen_at - interval '10 minutes' where producer_id = $1`,
      [producer_id],
    );
    await dialog.getByLabel('It has sent nothing for at least').selectOption('five minutes');
    await dialog.getByText('One account would be closed, and 2 numbers are declared lost.').waitFor();
    expect(await visitor.barriers()).toEqual([]);
    await confirm.click();
    await visitor.sees('The account is closed, and 2 numbers are declared lost');
    await visitor.sees('Nothing is missing');
    const [gap] = await recordsOf('delivery.gap');
    expect(JSON.stringify(gap)).toContain('the <i>host</i> was replaced');
    await page.getByRole('link', { name: 'events of the trail' }).click();
    await visitor.rows.filter({ hasText: 'delivery.gap' }).first().waitFor();
  });
});

describe('without an answer', () => {
  it('the page says that the service is away, and goes on when it is back', async () => {
    const key = await reader('Patient');
    await using visitor = await Visitor.arrive(browser, service);
    await visitor.open(key, 'events?tenant=acme');
    await visitor.rows.first().waitFor();
    await service.goAway();
    try {
      await visitor.rows.first().click();
      await visitor.drawer.getByText('The service does not answer').waitFor();
    } finally {
      await service.comeBack();
    }
    // The session survives a restart of the service.
    await visitor.drawer.getByRole('button', { name: 'Try again' }).click();
    await visitor.drawer.getByText('Verified here, by your browser').waitFor();
    // A page with several parts says it once, and its button reads all of them again.
    await visitor.page.route('**/v1/**', (route) => route.abort());
    await visitor.go('overview?tenant=acme');
    const says = visitor.page.getByRole('alert').filter({ hasText: 'The service does not answer' });
    await says.waitFor();
    await visitor.settled();
    expect(await says.count()).toBe(1);
    await visitor.page.unroute('**/v1/**');
    await says.getByRole('button', { name: 'Try again' }).click();
    await visitor.sees('by hour and outcome', 'Records in the chain', 'Approvals wait');
    await says.waitFor({ state: 'detached' });
  });

  it('live mode goes on where it was when the service is back', async () => {
    await using visitor = await Visitor.arrive(browser, service);
    await visitor.open(await reader('Patient'), 'events?tenant=acme&live=1');
    await submit('acme', 1, { target_id: 'before-the-restart' });
    await visitor.sees('before-the-restart');
    await service.goAway();
    await service.comeBack();
    await submit('acme', 1, { target_id: 'after-the-restart' });
    await visitor.sees('after-the-restart');
    expect(await visitor.rows.filter({ hasText: 'before-the-restart' }).count()).toBe(1);
  });

  it('a slow network shows where the list will be, and a new filter does not wait for the old one', async () => {
    await using visitor = await Visitor.arrive(browser, service);
    await visitor.open(await reader('Remote'), 'events?tenant=acme');
    await visitor.rows.first().waitFor();
    const network = await visitor.page.context().newCDPSession(visitor.page);
    await network.send('Network.enable');
    await network.send('Network.emulateNetworkConditions', {
      ...{ offline: false, latency: 600, downloadThroughput: 50_000, uploadThroughput: 20_000 },
    });
    const field = visitor.page.getByLabel('Search and filter events');
    await field.fill('actor_id:acme-user-1');
    await field.press('Enter');
    await visitor.page.getByRole('status', { name: 'Loading events' }).waitFor();
    await field.fill('target_id:door-2');
    await field.press('Enter');
    await visitor.sees('No event matches');
    await until(
      async () => (await visitor.page.getByRole('status', { name: 'Loading events' }).count()) === 0,
    );
    expect(await visitor.rows.count()).toBe(0);
  });
});
