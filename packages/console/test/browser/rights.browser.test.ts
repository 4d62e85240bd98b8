import { expect, it } from 'vitest';
import { submitNumberedLogins } from './logins.ts';
import { Visitor } from './visitor.ts';
import { withLogins } from './with-logins.ts';

/** What a reader may do, with one tenant beside another and with few scopes. */
const shared = withLogins();
const { reader } = shared;

it('is the same in two browsers side by side, each with the tenant of its key', async () => {
  await using acme = await Visitor.arrive(shared.browser, shared.service);
  await using globex = await Visitor.arrive(shared.browser, shared.service);
  await acme.open(await reader('A', ['events:read'], { tenants: ['acme'] }), 'events?live=1');
  await globex.open(await reader('G', ['events:read'], { tenants: ['globex'] }), 'events?live=1');
  await acme.sees('acme-user-4');
  await globex.sees('globex-user-2');
  await submitNumberedLogins(shared.service, 'globex', 1, { target_id: 'only-globex' });
  await globex.sees('only-globex');
  await submitNumberedLogins(shared.service, 'acme', 1, { target_id: 'only-acme' });
  await acme.sees('only-acme');
  expect(await acme.page.getByText('globex').count()).toBe(0);
  expect(await globex.page.getByText('only-acme').count()).toBe(0);
  await acme.go('events?tenant=globex');
  await acme.sees('Your key does not allow this');
  expect(await acme.page.getByText('globex-user').count()).toBe(0);
});

it('is the same in two tabs of one session, each with its tenant; a sign-out ends both', async () => {
  await using acme = await Visitor.arrive(shared.browser, shared.service);
  await acme.open(await reader('Both'), 'events?tenant=acme&live=1');
  await acme.rows.first().waitFor();
  const globex = await acme.secondTab();
  await globex.go('events?tenant=globex&live=1');
  await globex.rows.first().waitFor();
  await submitNumberedLogins(shared.service, 'acme', 1, { target_id: 'first-tab' });
  await submitNumberedLogins(shared.service, 'globex', 1, { target_id: 'second-tab' });
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
    (await visitor.page.getByRole('navigation', { name: 'Pages' }).getByRole('link').allInnerTexts()).sort();
  await using few = await Visitor.arrive(shared.browser, shared.service);
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
  await using most = await Visitor.arrive(shared.browser, shared.service);
  await most.open(await shared.service.key('Admin', ['admin']), 'events?tenant=globex');
  expect(await pagesOf(most)).toEqual(expect.arrayContaining([...offered, 'Verification']));
  await most.rows.first().click();
  await most.drawer.getByRole('button', { name: 'Download the receipt' }).waitFor();
});

it('does not include reading when the key only writes', async () => {
  await using visitor = await Visitor.arrive(shared.browser, shared.service);
  await visitor.open(await reader('Writer', ['events:write'], { tenants: ['acme'] }), 'events');
  await visitor.sees('There is no such page');
  expect(await visitor.rows.count()).toBe(0);
});

// Both were told that no events had been recorded yet.
it('a key that may read nothing, or may not list the tenants, gets the next step', async () => {
  await using blind = await Visitor.arrive(shared.browser, shared.service);
  await blind.open(await shared.service.key('Blind', ['events:write']), '');
  await blind.sees('Your key may not read anything here');
  expect(await blind.page.getByRole('navigation').getByRole('link').count()).toBe(0);
  await using decider = await Visitor.arrive(shared.browser, shared.service);
  await decider.open(
    await shared.service.key('Decider', ['approvals:decide'], { subject: 'jo' }),
    'approvals',
  );
  await decider.page.getByLabel('Tenant').fill('acme');
  await decider.page.getByRole('button', { name: 'Show' }).click();
  await decider.sees('No agent waits');
  expect(decider.parameter('tenant')).toBe('acme');
});
