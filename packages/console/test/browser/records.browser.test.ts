import { uuidv7 } from '@tallystick/event';
import { type Browser, startBrowser, until } from '@tallystick/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ConsoleService } from './console-service.ts';
import { submitLogins } from './logins.ts';
import { type ChangedRecord, changeRecord } from './tampering.ts';
import { Visitor } from './visitor.ts';

/** From a record of the reference platform to its proof, its timeline, what an agent did, and the check of the whole chain. */
let service: ConsoleService;
let browser: Browser;
let maria: Visitor;
/** A tab of Maria's browser, in which each test begins. */
let visitor: Visitor;
/** A record of `globex` that an attacker has changed in the database. */
let changed: ChangedRecord;

beforeAll(async () => {
  service = await ConsoleService.withSocTrail();
  changed = await changeRecord(service, 'globex');
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

describe('the drawer', () => {
  it('verifies a record in the browser, remembers the log, and gives the receipt', async () => {
    await visitor.go('events?tenant=acme&event_type=alert.escalated');
    await visitor.rows.first().click();
    const { drawer } = visitor;
    await drawer.getByText('Verified here, by your browser').waitFor();
    await drawer.getByText('What was checked').click();
    await drawer.getByText('This browser has verified no earlier checkpoint').waitFor();
    expect(await visitor.barriers()).toEqual([]);
    await visitor.page.reload();
    await drawer.getByText('Verified here, by your browser').waitFor();
    await drawer.getByText('What was checked').click();
    await drawer.getByText('The log only grew since').waitFor();
    const download = visitor.page.waitForEvent('download');
    await drawer.getByRole('button', { name: 'Download the receipt' }).click();
    expect((await download).suggestedFilename()).toMatch(/\.tlog-proof$/);
  });

  it('shows what an event changed, its raw record, and leads to related events and back', async () => {
    const correlation_id = 'change-of-the-door';
    const [first, second] = await submitLogins(service, 'acme', [
      { correlation_id, context: { before: { lock: 'open', size: 2 }, after: { lock: 'shut', size: 2 } } },
      { correlation_id, actor_id: 'porter' },
    ]);
    const { page, drawer } = visitor;
    await visitor.go(`events?tenant=acme&event=${first}`);
    const change = drawer.getByRole('row', { name: /lock/ });
    expect(await change.locator('del').innerText()).toBe('open');
    expect(await change.locator('ins').innerText()).toBe('shut');
    await drawer.getByText('1 member is the same').waitFor();
    await drawer.getByText('Raw record').click();
    await drawer.locator('pre').first().getByText('"lock": "open"').waitFor();
    const related = drawer.getByRole('listitem').filter({ hasText: 'porter' });
    await related.getByRole('link', { name: 'auth.login' }).click();
    await page.waitForURL((url) => url.searchParams.get('event') === second);
    await drawer.getByRole('link', { name: 'All with the same correlation' }).click();
    await visitor.rows.nth(1).waitFor();
    expect([await visitor.rows.count(), visitor.parameter('correlation_id')]).toEqual([2, correlation_id]);
    await page.goBack();
    await drawer.getByRole('link', { name: 'All with the same correlation' }).waitFor();
  });

  it('shows a record that was changed in the database, with what was expected and found', async () => {
    await visitor.go(`events?tenant=globex&event=${changed.audit_id}`);
    const { drawer } = visitor;
    await drawer.getByText('This record is not intact').waitFor();
    await drawer.getByText('The bytes have another hash than the list says').first().waitFor();
    expect(await drawer.getByText('Expected', { exact: true }).count()).toBeGreaterThan(0);
    const [expected, found] = await drawer.locator('.expected-found code').allInnerTexts();
    expect(expected).toMatch(/^[0-9a-f]{64}$/);
    expect(found).toMatch(/^[0-9a-f]{64}$/);
    expect(found).not.toBe(expected);
    expect(await visitor.barriers()).toEqual([]);
  });
});

describe('the timeline', () => {
  it('leads from an event to its investigation as a tree, and from there to each record', async () => {
    const filters = { event_type: 'approval.granted' };
    const [granted] = (await service.client.events.list({ tenant_id: 'acme', filters, limit: 1 })).events;
    const id = String(granted!.investigation_id);
    const { page, drawer } = visitor;
    await visitor.go(`events?tenant=acme&event=${String(granted!.audit_id)}`);
    await drawer.getByRole('link', { name: 'Timeline of the investigation' }).click();
    await visitor.sees('What led to what', 'Missing', /granted/);
    expect(visitor.parameter('investigation_id')).toBe(id);
    const { records, summary } = await service.client.timelines.get({
      tenant_id: 'acme',
      investigation_id: id,
    });
    const lines = page.getByRole('list', { name: 'Records, each below' }).getByRole('listitem');
    expect(await lines.count()).toBe(records.length);
    for (const { model } of summary.models) await visitor.sees(model);
    await page.getByRole('button', { name: 'Verify' }).click();
    await visitor.sees(`Checked by your browser: ${records.length} events`);
    expect(await lines.getByTitle('Verified here').count()).toBe(records.length);
    expect(await page.getByText('$0.00').count()).toBeGreaterThan(0);
    // The arrows lead from record to record, and the tree is searched; the address keeps what is searched for.
    await page.getByLabel('Find in these records').fill('Approval.Granted');
    await until(async () => (await lines.count()) < records.length);
    const granting = records.filter(({ event }) => event.event_type === 'approval.granted').length;
    await visitor.sees(new RegExp(`^${granting} of ${records.length}$`));
    expect(visitor.parameter('find')).toBe('Approval.Granted');
    await page.keyboard.press('Escape');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await drawer.getByText('Verified here, by your browser').waitFor();
    expect(await visitor.barriers()).toEqual([]);
  });

  it('is opened by its id, and says when there is none', async () => {
    await visitor.go('timeline?tenant=acme');
    await visitor.page.getByRole('list').getByText('Investigation').first().waitFor();
    await visitor.page.getByLabel('Timeline of').selectOption('trace');
    await visitor.page.getByLabel('Id').fill('no-such-trace');
    await visitor.page.getByRole('button', { name: 'Show' }).click();
    await visitor.sees('No record belongs to this trace');
    expect(visitor.parameter('trace_id')).toBe('no-such-trace');
  });
});

describe('agents and models', () => {
  it('leads from what an agent did to the timeline of its run, without other records of its correlation', async () => {
    const run = { correlation_id: 'job-7', actor_type: 'agent', actor_id: 'refund-bot' };
    const [started, called] = [uuidv7(), uuidv7()];
    await submitLogins(service, 'acme', [
      { ...run, event_type: 'agent.run.started', audit_id: started },
      { ...run, event_type: 'agent.model.called', audit_id: called, parent_id: started },
      { ...run, event_type: 'agent.run.completed', parent_id: started },
      { correlation_id: 'job-7' },
    ]);
    const { page, drawer } = visitor;
    await visitor.go(`events?tenant=acme&event=${called}`);
    await drawer.getByRole('link', { name: 'Run of the agent refund-bot' }).click();
    await visitor.sees('What led to what');
    expect(visitor.parameter('run_id')).toBe(started);
    const lines = page.getByRole('list', { name: 'Records, each below' }).getByRole('listitem');
    expect(await lines.count()).toBe(3);
    await lines.getByRole('link', { name: 'agent.run.completed' }).click();
    await drawer.getByRole('link', { name: 'Timeline of the agent run' }).waitFor();
    expect(await visitor.barriers()).toEqual([]);
    await page.getByRole('link', { name: 'Its correlation as a list' }).click();
    await visitor.rows.nth(3).waitFor();
    expect(visitor.parameter('correlation_id')).toBe('job-7');
  });

  it('ranks the calls of models by cost and by time, among those that match', async () => {
    const slow = { llm_model_id: 'tortoise', llm_latency_ms: 3_600_000 };
    const dear = { 'gen_ai.request.model': 'whale' };
    await submitLogins(service, 'acme', [
      { event_type: 'agent.model.called', actor_id: 'ranked', context: slow },
      {
        event_type: 'agent.model.called',
        actor_id: 'ranked',
        context: dear,
        outcome: { outcome_status: 'success', cost_usd: 4_321 },
      },
    ]);
    const { page } = visitor;
    const calls = page.locator('.calls li');
    await visitor.go('calls?tenant=acme');
    await calls.first().getByText('$4321.00').waitFor();
    await calls.first().getByText('whale').waitFor();
    const { records } = await service.client.events.top({ tenant_id: 'acme', by: 'context.llm_cost_usd' });
    await visitor.sees(`among ${records + 1} values`);
    await page.getByRole('link', { name: 'Time', exact: true }).click();
    await calls.first().getByText('1 h 0 m').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('actor_id:ranked');
    await page.keyboard.press('Enter');
    await visitor.sees('among 1 value');
    await calls.getByRole('link', { name: 'tortoise' }).click();
    await visitor.drawer.getByText('Verified here, by your browser').waitFor();
    expect(await visitor.barriers()).toEqual([]);
  });
});

it('runs a verification of the whole chain, names the changed record, and remembers who asked', async () => {
  await visitor.go('verification?tenant=acme');
  await visitor.sees('The service has not checked this chain yet');
  await visitor.page.getByRole('button', { name: 'Check all records now' }).click();
  await visitor.sees('The chain is intact');
  await visitor.go('verification?tenant=globex');
  await visitor.page.getByRole('button', { name: 'Check all records now' }).click();
  await visitor.sees('The chain is not intact', 'RECORD_HASH_MISMATCH');
  await visitor.page
    .getByRole('cell', { name: String(changed.sequence), exact: true })
    .first()
    .waitFor();
  const [check] = (await service.client.verifications.list({ tenant_id: 'globex' })).verifications;
  const earlier = visitor.page.getByRole('region', { name: 'Earlier checks' });
  await earlier.getByText('not intact').waitFor();
  await earlier.getByText(`RECORD_HASH_MISMATCH at record ${changed.sequence}`).waitFor();
  await earlier.getByText(check!.checked_by!).waitFor();
  expect(await visitor.barriers()).toEqual([]);
  // The overview and the list of tenants say it too.
  await visitor.go('overview?tenant=globex');
  const chain = visitor.page.getByRole('region', { name: 'The chain' });
  await chain.getByText('not intact').waitFor();
  await chain.getByText(/last signed/).waitFor();
  await visitor.go('tenants');
  await visitor.page.getByRole('link', { name: 'Checks of acme' }).getByText('intact').waitFor();
  await visitor.page.getByRole('link', { name: 'Checks of globex' }).click();
  await earlier.getByText('not intact').waitFor();
});
