import { uuidv7 } from '@tallystick/event';
import { until } from '@tallystick/testing';
import { expect, it } from 'vitest';
import { documentDigest } from '../../src/site/approvals/document-digest.ts';
import { submitNumberedLogins } from './logins.ts';
import { Visitor } from './visitor.ts';
import { withLogins } from './with-logins.ts';

/** What operators and approvers do: keys, followers, open actions of agents and approvals. */
const shared = withLogins();
const { reader } = shared;

/** An agent asks for an approval of a payment. */
async function requestApproval(tenant: string): Promise<void> {
  const agent = shared.service.clientWith(
    await shared.service.key('agent', ['events:write', 'approvals:request'], { subject: 'payer' }),
  );
  const intent = uuidv7();
  const actor = { actor_type: 'agent', actor_id: 'payer' } as const;
  const target = { type: 'account', id: 'DE89' };
  const document = {
    ...{ tenant_id: tenant, action: 'pay', actor, target, arguments: { amount: 4_200, currency: 'EUR' } },
    ...{ reason_unverified: 'The invoice is due', policy: { name: 'payments', version: '3' } },
  };
  await agent.events.submit([
    {
      ...{
        audit_id: intent,
        tenant_id: tenant,
        timestamp: new Date().toISOString(),
        source_service: 'payments',
      },
      ...{ event_type: 'agent.action.intended', ...actor, target_type: target.type, target_id: target.id },
      context: { document_digest: documentDigest(document) },
    },
  ]);
  await agent.approvals.request({ id: uuidv7(), intent_id: intent, document });
}

it('makes a key that is shown once, and revokes it', async () => {
  await using visitor = await Visitor.arrive(shared.browser, shared.service);
  const { page } = visitor;
  await visitor.open(await shared.service.key('Operator', ['admin']), 'keys');
  await page.getByText('Make a new key').click();
  await page.getByRole('textbox', { name: 'Name' }).fill('Blog reader');
  await page.getByRole('checkbox', { name: 'events:write' }).uncheck();
  await page.getByRole('checkbox', { name: 'events:read', exact: false }).first().check();
  await page.getByRole('textbox', { name: 'Tenants' }).fill('globex');
  await page.getByRole('button', { name: 'Make the key' }).click();
  const key = await page.locator('.notice code').first().innerText();
  expect(await visitor.barriers()).toEqual([]);
  const reading = async () =>
    await shared.service.clientWith(key).events.list({ tenant_id: 'globex', limit: 1 });
  expect((await reading()).events.length).toBe(1);
  const made = (await shared.service.client.apiKeys.list()).find(({ name }) => name === 'Blog reader')!;
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
  await using visitor = await Visitor.arrive(shared.browser, shared.service);
  const { page } = visitor;
  await visitor.open(await shared.service.key('Operator', ['admin']), 'followers');
  await page.getByRole('button', { name: 'Pause search-index' }).click();
  await visitor.sees('search-index is paused until it is resumed');
  const stateOf = async () =>
    (await shared.service.client.followers.list()).followers.find(({ name }) => name === 'search-index')
      ?.state;
  expect(await stateOf()).toBe('paused');
  await page.getByRole('button', { name: 'Resume search-index' }).click();
  await visitor.sees('search-index is running again');
  expect(await stateOf()).toBe('running');
  await using other = await Visitor.arrive(shared.browser, shared.service);
  await other.open(await reader('Of acme', ['admin'], { tenants: ['acme'] }), 'followers');
  await other.sees('There is no such page');
});

it('sees actions of agents without an end, and follows one to its record', async () => {
  await submitNumberedLogins(shared.service, 'acme', 1, {
    ...{ event_type: 'agent.action.intended', actor_type: 'agent', actor_id: 'payer' },
    context: { action: 'pay' },
  });
  await using visitor = await Visitor.arrive(shared.browser, shared.service);
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

it('lets an approver read what an agent wants to do, and decide it', async () => {
  await requestApproval('acme');
  await using visitor = await Visitor.signedIn(shared.browser, shared.service);
  const { page } = visitor;
  await visitor.go('approvals?tenant=acme');
  await page.getByRole('link', { name: 'pay', exact: true }).click();
  const approval = page.getByRole('complementary', { name: 'Approval' });
  await approval.getByText('The invoice is due').waitFor();
  await approval.getByText('4200').waitFor();
  expect(await visitor.barriers()).toEqual([]);
  expect(await approval.getByRole('button', { name: 'Deny' }).isDisabled()).toBe(true);
  await approval.getByLabel('Reason').fill('The invoice is a forgery');
  await approval.getByRole('button', { name: 'Deny' }).click();
  await approval.getByText('denied it').waitFor();
  await approval.getByText('The invoice is a forgery').waitFor();
  expect(await approval.getByRole('button', { name: 'Grant' }).count()).toBe(0);
  await visitor.sees('No agent waits for a decision');
});
