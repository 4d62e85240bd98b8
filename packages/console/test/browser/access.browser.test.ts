import { uuidv7 } from '@tallystick/event';
import type { Scope } from '@tallystick/protocol';
import { type Browser, startBrowser, until } from '@tallystick/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ConsoleService } from './console-service.ts';
import { Visitor } from './visitor.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 180_000 });

/** Who may see what, for how long, and what the console does while the service or the network is away. All on one real service. */
let service: ConsoleService;
let browser: Browser;

beforeAll(async () => {
  service = await ConsoleService.empty();
  await submit('acme', 5);
  await submit('globex', 3);
  browser = await startBrowser();
});
afterAll(async () => {
  await browser?.close();
  await service?.[Symbol.asyncDispose]();
});

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
