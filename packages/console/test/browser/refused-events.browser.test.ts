import { uuidv7 } from '@tallystick/event';
import { expect, it } from 'vitest';
import { Visitor } from './visitor.ts';
import { withLogins } from './with-logins.ts';

/** What was refused and what is missing: dead letters and the accounts of producers. */
const shared = withLogins();
const { reader } = shared;

/** Sends a batch as a producer does. @returns the results of its events */
async function send(delivery: object | undefined, events: readonly object[]): Promise<{ status: string }[]> {
  const response = await fetch(`${shared.service.url}/v1/audit/events/batch`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await shared.service.key('sender', ['events:write'])}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ ...(delivery !== undefined && { delivery }), events }),
  });
  return ((await response.json()) as { results: { status: string }[] }).results;
}

const recordsOf = async (event_type: string) =>
  (await shared.service.client.events.list({ tenant_id: 'acme', filters: { event_type }, limit: 10 })).events;

const whole = () => ({
  ...{ audit_id: uuidv7(), tenant_id: 'acme', timestamp: new Date().toISOString() },
  ...{ event_type: 'auth.login', actor_type: 'user', actor_id: 'jane', source_service: 'doors' },
});

it('a reader sees why an event was refused, an admin sees its bytes, submits it again and erases it', async () => {
  const refused = { ...whole(), actor_type: 'ghost', target_id: '<b>door</b>' };
  expect((await send(undefined, [refused])).map(({ status }) => status)).toEqual(['rejected']);
  await using few = await Visitor.arrive(shared.browser, shared.service);
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

  await using visitor = await Visitor.arrive(shared.browser, shared.service);
  const { page } = visitor;
  const drawer = drawerOf(visitor);
  await visitor.open(await shared.service.key('Keeper', ['admin']), 'dead-letters?tenant=acme');
  await rows(visitor).first().click();
  await drawer.getByText('<b>door</b>').waitFor();
  await drawer.getByRole('button', { name: 'Submit again' }).click();
  await drawer.getByText('It was refused again').waitFor();
  const [letter] = (await shared.service.client.deadLetters.list({ tenant_id: 'acme' })).dead_letters;

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
  expect((await shared.service.client.deadLetters.get(letter!.id)).state).toBe('purged');
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
  await using visitor = await Visitor.arrive(shared.browser, shared.service);
  await visitor.open(await shared.service.key('Keeper', ['admin']), 'dead-letters?tenant=acme');
  await visitor.sees('No event was refused');
  await visitor.page.getByLabel('Of every tenant').check();
  await visitor.page.getByRole('cell', { name: 'not known' }).waitFor();
  expect(visitor.parameter('all')).toBe('1');
});

it('an admin closes the account of a producer with gaps, with a reason that the records keep', async () => {
  const producer_id = uuidv7();
  const delivery = { producer_id, service: 'turnstiles', sequences: [1, 4], final: [] };
  await send(delivery, [whole(), whole()]);
  await using few = await Visitor.arrive(shared.browser, shared.service);
  await few.open(await reader('Few', ['events:read'], { tenants: ['acme'] }), 'producers?tenant=acme');
  await few.page.getByRole('cell', { name: '2–3', exact: true }).waitFor();
  expect(await few.page.getByRole('button', { name: /Close/ }).count()).toBe(0);

  // The missing events belong to no record, so the overview and every list of their time say that there are some.
  await few.go('overview?tenant=acme');
  await few.page
    .getByRole('link', { name: /Producers with gaps.*2 events of .turnstiles. have not/ })
    .click();
  await few.page.getByRole('cell', { name: '2–3', exact: true }).waitFor();
  await few.go('events?tenant=acme&to=2020-01-01T00:00:00.000Z');
  await few.sees('No event');
  expect(await few.page.getByText('may lack events').count()).toBe(0);
  await few.go('events?tenant=acme&last=1h');
  const notice = few.page.getByRole('status').filter({ hasText: 'This list may lack events: 2 events' });
  await notice.waitFor();
  await few.settled();
  expect(await few.barriers()).toEqual([]);
  expect((await few.jumps()).sum).toBeLessThan(0.02);
  await notice.getByRole('link', { name: 'Show the gaps' }).click();
  await few.page.getByRole('cell', { name: '2–3', exact: true }).waitFor();

  await using visitor = await Visitor.arrive(shared.browser, shared.service);
  const { page } = visitor;
  await visitor.open(await shared.service.key('Keeper', ['admin']), 'producers?tenant=acme');
  await page.getByText('What the states mean').click();
  await visitor.sees('They may still come');
  const close = page.getByRole('button', { name: 'Close the account of turnstiles' });
  const dialog = page.getByRole('dialog', { name: 'Close the account of turnstiles?' });
  await close.click();
  await dialog.getByText('The producer has sent something in this time').waitFor();
  const confirm = dialog.getByRole('button', { name: 'Close the account' });
  await dialog.getByLabel('Reason').fill('the <i>host</i> was replaced');
  expect(await confirm.isDisabled()).toBe(true);
  await shared.service.tamper(
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
  await page.getByRole('link', { name: 'each declared loss' }).click();
  await visitor.rows.filter({ hasText: 'delivery.gap' }).first().waitFor();
});

it('a timeline says that events were refused, and leads to them', async () => {
  const investigation_id = 'inv-doors';
  await send(undefined, [{ ...whole(), investigation_id, parent_id: uuidv7() }]);
  await send(undefined, [{ ...whole(), actor_type: 'ghost' }]);
  await using visitor = await Visitor.arrive(shared.browser, shared.service);
  const { page } = visitor;
  const reading = await reader('Few', ['events:read'], { tenants: ['acme'] });
  await visitor.open(reading, `timeline?tenant=acme&investigation_id=${investigation_id}`);
  const missing = page.getByRole('status').filter({ hasText: 'Something may be missing (2)' });
  await missing.getByText('names a cause that is not in the trail').waitFor();
  await missing.getByText('1 event of this tenant was refused').waitFor();
  expect(await missing.innerText()).not.toContain('tally');
  await missing.getByRole('link', { name: /^#\d+$/ }).click();
  await visitor.drawer.getByText('jane').first().waitFor();
  expect(await visitor.barriers()).toEqual([]);
  await missing.getByRole('link', { name: 'dead letters' }).click();
  await page.getByRole('table').getByRole('link').first().waitFor();
});

it('an admin submits all events of one reason again, sees what came of each, and may stop', async () => {
  // Three are refused again, and the tenant of the fourth is not part of this run.
  for (let at = 0; at < 3; at++)
    await send(undefined, [{ ...whole(), tenant_id: 'globex', actor_type: 'ghost' }]);
  await send(undefined, [{ ...whole(), tenant_id: 'globex', colour: 'red' }]);
  await using visitor = await Visitor.arrive(shared.browser, shared.service);
  const { page } = visitor;
  await visitor.open(await shared.service.key('Keeper', ['admin']), 'dead-letters?tenant=globex');
  const open = page.getByRole('button', { name: 'Submit many again …' });
  const dialog = page.getByRole('dialog', { name: 'Submit refused events again' });
  await open.click();
  const reason = dialog.getByLabel('Refused with');
  await reason.selectOption('FIELD_ENUM');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  expect(await open.evaluate((button) => button === document.activeElement)).toBe(true);
  await page.keyboard.press('Enter');
  await dialog.getByText('FIELD_UNKNOWN (1 event)').waitFor({ state: 'attached' });
  await reason.selectOption('FIELD_ENUM');
  expect(await visitor.barriers()).toEqual([]);

  // The second answer waits until the reader has pressed Stop.
  let answers = 0;
  let goOn = () => {};
  const isStopped = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  await page.route('**/retry', async (route) => {
    if (++answers === 2) await isStopped;
    await route.continue();
  });
  await dialog.getByRole('button', { name: 'Submit 3 events again' }).click();
  await dialog.getByText('1 of 3').waitFor();
  const stop = dialog.getByRole('button', { name: 'Stop' });
  expect(await stop.evaluate((button) => button === document.activeElement)).toBe(true);
  await page.keyboard.press('Escape');
  await stop.click();
  goOn();
  await dialog.getByText('Stopped: 0 accepted, 2 not').waitFor();
  expect(await dialog.getByRole('listitem').filter({ hasText: 'refused again' }).count()).toBe(2);
  await visitor.settled();
  expect(await visitor.barriers()).toEqual([]);
  await dialog.getByRole('button', { name: 'Close' }).click();
  expect(answers).toBe(2);

  // The cause of the refusals is gone, so all are chained.
  await shared.service.tamper(
    `update audit_dead_letters set raw = convert_to(replace(convert_from(raw, 'UTF8'), 'ghost', 'user'), 'UTF8') where tenant_id = 'globex'`,
    [],
  );
  await open.click();
  await reason.selectOption('FIELD_ENUM');
  await dialog.getByRole('button', { name: 'Submit 3 events again' }).click();
  await dialog.getByText('3 accepted, 0 not').waitFor();
  await dialog.getByRole('link').first().click();
  await visitor.drawer.getByText('jane').first().waitFor();
  expect((await shared.service.client.deadLetters.list({ tenant_id: 'globex' })).dead_letters).toHaveLength(
    1,
  );
});
