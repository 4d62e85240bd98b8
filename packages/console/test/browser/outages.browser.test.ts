import { until } from '@tallystick/testing';
import { expect, it } from 'vitest';
import { submitNumberedLogins } from './logins.ts';
import { Visitor } from './visitor.ts';
import { withLogins } from './with-logins.ts';

/** What the console shows while the service or the network is away, and how it goes on. */
const shared = withLogins();
const { reader } = shared;

it('the page says that the service is away, and goes on when it is back', async () => {
  const key = await reader('Patient');
  await using visitor = await Visitor.arrive(shared.browser, shared.service);
  await visitor.open(key, 'events?tenant=acme');
  await visitor.rows.first().waitFor();
  await shared.service.goAway();
  try {
    await visitor.rows.first().click();
    await visitor.drawer.getByText('The service does not answer').waitFor();
  } finally {
    await shared.service.comeBack();
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
  await visitor.sees('by hour and outcome', 'Records in the chain', 'Waiting approvals');
  await says.waitFor({ state: 'detached' });
});

it('live mode goes on where it was when the service is back', async () => {
  await using visitor = await Visitor.arrive(shared.browser, shared.service);
  await visitor.open(await reader('Patient'), 'events?tenant=acme&live=1');
  await submitNumberedLogins(shared.service, 'acme', 1, { target_id: 'before-the-restart' });
  await visitor.sees('before-the-restart');
  await shared.service.goAway();
  await shared.service.comeBack();
  await submitNumberedLogins(shared.service, 'acme', 1, { target_id: 'after-the-restart' });
  await visitor.sees('after-the-restart');
  expect(await visitor.rows.filter({ hasText: 'before-the-restart' }).count()).toBe(1);
});

it('a slow network shows where the list will be, and a new filter does not wait for the old one', async () => {
  await using visitor = await Visitor.arrive(shared.browser, shared.service);
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
  await until(async () => (await visitor.page.getByRole('status', { name: 'Loading events' }).count()) === 0);
  expect(await visitor.rows.count()).toBe(0);
});
