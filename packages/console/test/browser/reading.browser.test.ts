import { readFileSync } from 'node:fs';
import { uuidv7 } from '@tallystick/event';
import { type Browser, startBrowser, until } from '@tallystick/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { documentDigest } from '../../src/site/approvals/document-digest.ts';
import { ConsoleService } from './console-service.ts';
import { Visitor } from './visitor.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 180_000 });

/** Reading, searching and checking the trail of the reference platform, served by the real service. */
let service: ConsoleService;
let browser: Browser;
let key: string;
let visitor: Visitor;
/** A record of `globex` that an attacker has changed in the database. */
let changed: { readonly audit_id: string; readonly sequence: number };

beforeAll(async () => {
  service = await ConsoleService.withSocTrail();
  changed = await changeRecord('globex');
  key = await service.key('Maria Keller', ['admin', 'approvals:decide'], { subject: 'maria' });
  browser = await startBrowser();
});
afterAll(async () => {
  await browser?.close();
  await service?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  visitor = await Visitor.arrive(browser, service);
});
afterEach(async () => await visitor[Symbol.asyncDispose]());

/** One record says that another actor did it, in the bytes and in the column. */
async function changeRecord(tenant: string): Promise<typeof changed> {
  const filters = { event_type: 'ctem.exposure_scored' };
  const [event] = (await service.client.events.list({ tenant_id: tenant, filters, limit: 1 })).events;
  const sequence = Number(event!.sequence_number);
  const actor = (id: unknown) => `"actor_id":${JSON.stringify(id)}`;
  await service.tamper(
    `update audit_records set actor_id = 'eve', record = replace(record, $3, $4)
      where tenant_id = $1 and sequence_number = $2`,
    [tenant, sequence, actor(event!.actor_id), actor('eve')],
  );
  return { audit_id: String(event!.audit_id), sequence };
}

/** Adds events to a trail. @returns their ids */
async function submit(tenant: string, events: readonly object[]): Promise<string[]> {
  const whole = events.map((event) => ({
    ...{ audit_id: uuidv7(), tenant_id: tenant, timestamp: new Date().toISOString() },
    ...{
      event_type: 'auth.login',
      actor_type: 'user',
      actor_id: 'jane',
      target_type: 'door',
      target_id: '1',
    },
    source_service: 'doors',
    ...event,
  }));
  const results = await service.client.events.submit(whole);
  expect(results.map(({ status }) => status)).toEqual(events.map(() => 'chained'));
  return whole.map(({ audit_id }) => audit_id);
}

/** An agent asks for an approval of a payment. */
async function requestApproval(tenant: string): Promise<void> {
  const agent = service.clientWith(
    await service.key('agent', ['events:write', 'approvals:request'], { subject: 'payer' }),
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

describe('the list of events', () => {
  it('loads older events while the reader scrolls, and draws only those in view', async () => {
    await visitor.open(key, 'events?tenant=acme');
    await visitor.rows.first().waitFor();
    expect(await visitor.rows.count()).toBeLessThan(60);
    await visitor.page.locator('.event-list-frame').hover();
    await until(
      async () => {
        await visitor.page.mouse.wheel(0, 100_000);
        return await visitor.rows.getByText('system.genesis').isVisible();
      },
      { timeoutMs: 20_000, what: 'the end of the list' },
    );
    await visitor.sees('This is the oldest event that matches.');
    expect(await visitor.rows.count()).toBeLessThan(60);
  });

  it('is filtered by what the reader types, and the address keeps it', async () => {
    await visitor.open(key, 'events?tenant=acme');
    await visitor.rows.first().waitFor();
    const { page } = visitor;
    await page.keyboard.press('/');
    await page.keyboard.type('event_type:alert.* -event_type:alert.classified');
    await page.keyboard.press('Enter');
    await page.getByRole('list', { name: 'Filters' }).getByText('alert.classified').waitFor();
    await visitor.rows.filter({ hasText: 'alert.' }).first().waitFor();
    expect([visitor.parameter('event_type'), visitor.parameter('not.event_type')]).toEqual([
      'alert.*',
      'alert.classified',
    ]);
    expect(await visitor.rows.filter({ hasText: 'alert.classified' }).count()).toBe(0);
    await page.getByRole('link', { name: 'Remove the filter event_type' }).last().click();
    await visitor.rows.filter({ hasText: 'alert.classified' }).first().waitFor();
    await page.getByLabel('Search and filter events').fill('colour:red');
    await page.keyboard.press('Enter');
    await visitor.sees('There is no field “colour”');
  });

  it('is searched, beside counts that are exact and filter it', async () => {
    const { page } = visitor;
    await visitor.open(key, 'events?tenant=acme');
    const counts = page.getByRole('complementary', { name: 'Counts' });
    const { records } = await service.client.stats.get({ tenant_id: 'acme' });
    await counts.getByText(`${records} events`).waitFor();
    await counts.getByText('counted exactly').waitFor();
    // At a width of 1,280 px the counts covered the navigation.
    expect(page.viewportSize()?.width).toBe(1_280);
    await page.getByRole('link', { name: 'Exports', exact: true }).click({ trial: true });
    await counts.getByRole('link', { name: /^response\.executed/ }).click();
    await page.waitForURL((url) => url.searchParams.get('event_type') === 'response.executed');
    await counts.getByRole('link', { name: /^alert\.classified/ }).click();
    await visitor.rows.filter({ hasText: 'alert.classified' }).first().waitFor();
    expect(new URL(page.url()).searchParams.getAll('event_type')).toEqual([
      'response.executed',
      'alert.classified',
    ]);
    await page.keyboard.press('/');
    await page.keyboard.type('event_type:investigation.* powershell');
    await page.keyboard.press('Enter');
    await page.getByRole('list', { name: 'Filters' }).getByText('powershell').waitFor();
    const { records: found } = await service.client.stats.get({
      tenant_id: 'acme',
      filters: { event_type: ['response.executed', 'alert.classified', 'investigation.*'] },
      q: 'powershell',
    });
    await counts.getByText(new RegExp(`^(at least )?${found} events?$`)).waitFor();
    expect(visitor.parameter('q')).toBe('powershell');
    await visitor.go('events?tenant=acme&q=powershell');
    await visitor.rows.first().waitFor();
    const matching = await service.client.events.search('powershell', { tenant_id: 'acme' });
    await visitor.sees('This is the oldest event that matches.');
    expect(await visitor.rows.count()).toBe(matching.events.length);
    await visitor.go('events?tenant=acme&q="');
    await visitor.sees(/quot/);
  });

  it('is saved as a view in this browser, with columns and time range, and opened again', async () => {
    const { page } = visitor;
    await visitor.open(key, 'events?tenant=acme&severity=critical&columns=event_type,severity&last=7d');
    await page.getByRole('columnheader', { name: 'Severity' }).waitFor();
    await page.getByRole('button', { name: 'Views' }).click();
    await visitor.sees('Saved views stay in this browser');
    await page.getByLabel('Save this view as').fill('Critical <b>');
    await page.getByRole('button', { name: 'Save' }).click();
    const saved = page.getByRole('link', { name: 'Critical <b>' });
    await saved.waitFor();
    expect(await visitor.barriers()).toEqual([]);
    await visitor.go('events?tenant=globex');
    await page.getByRole('button', { name: 'Views' }).click();
    await saved.click();
    await page.getByRole('columnheader', { name: 'Severity' }).waitFor();
    expect(new URL(page.url()).search).toBe(
      '?tenant=acme&severity=critical&columns=event_type,severity&last=7d',
    );
    await page.getByRole('button', { name: 'Views' }).click();
    await page.getByRole('button', { name: 'Forget the view Critical <b>' }).click();
    await visitor.sees('No view is saved yet');
  });

  it('is verified as a whole, and names the record that was changed', async () => {
    const { page } = visitor;
    await visitor.open(key, 'events?tenant=acme&event_type=alert.classified');
    await visitor.rows.first().waitFor();
    const receipts: string[] = [];
    page.on('request', (request) => {
      if (/receipt/.test(request.url())) receipts.push(request.url());
    });
    await page.getByRole('button', { name: 'Verify' }).click();
    await visitor.sees(/Checked by your browser: \d+ events/, 'Omissions are not covered');
    // One proof is enough for an intact page.
    expect(receipts).toEqual([]);
    expect(await page.locator('.record-mark[data-state="verified"]').count()).toBe(
      await visitor.rows.count(),
    );
    expect(await page.locator('.record-mark:not([data-state="verified"])').count()).toBe(0);
    await visitor.go('events?tenant=globex&event_type=ctem.*');
    await visitor.rows.first().waitFor();
    await page.getByRole('button', { name: 'Verify' }).click();
    await visitor.sees('Records of this page are not intact', /1 not intact/);
    const fault = page.getByRole('list', { name: 'What is wrong' }).getByRole('listitem').first();
    await fault.getByText('another hash than the list says').waitFor();
    await fault.getByText('Expected').waitFor();
    const [expected, found] = await fault.locator('code').allInnerTexts();
    expect([expected, found]).toEqual([
      expect.stringMatching(/^[0-9a-f]{64}$/),
      expect.stringMatching(/^[0-9a-f]{64}$/),
    ]);
    expect(expected).not.toBe(found);
    const broken = page.locator('.event-row:has(.record-mark[data-state="broken"])');
    expect(await broken.count()).toBe(1);
    expect(await broken.innerText()).toContain('ctem.exposure_scored');
    expect(await visitor.barriers()).toEqual([]);
  });

  it('follows a search of a time range live', async () => {
    const { page } = visitor;
    await visitor.open(key, 'events?tenant=acme&last=24h&q=glockenspiel');
    await visitor.sees('No event matches');
    // When the answer begins, the service knows after which record the stream begins.
    const stream = page.waitForResponse(/\/events\/stream\?/);
    await page.getByRole('button', { name: 'Live' }).click();
    expect((await stream).status()).toBe(200);
    await submit('acme', [
      { target_id: 'triangle', actor_id: 'other' },
      { target_id: 'glockenspiel', actor_id: 'too-early', timestamp: '2020-01-01T00:00:00Z' },
      { target_id: 'glockenspiel', actor_id: 'matching' },
    ]);
    await visitor.rows.getByText('matching').waitFor();
    expect(await visitor.rows.count()).toBe(1);
  });

  it('is exported with its filters and its search', async () => {
    const { page } = visitor;
    const filters = { event_type: 'alert.classified' };
    const { records: all } = await service.client.stats.get({ tenant_id: 'acme', filters });
    const [first] = (await service.client.events.list({ tenant_id: 'acme', filters, limit: 1 })).events;
    const q = String(first!.alert_id);
    const { records } = await service.client.stats.get({ tenant_id: 'acme', filters, q });
    expect(records > 0 && records < all).toBe(true);
    await visitor.open(key, `events?tenant=acme&event_type=alert.classified&q=${q}`);
    await page.getByRole('link', { name: 'Export', exact: true }).click();
    await page.getByRole('heading', { name: 'Events, to read' }).waitFor();
    await visitor.sees(`${records} event`);
    const lines = async (format: string) => {
      const download = page.waitForEvent('download');
      await page.getByRole('link', { name: `Download ${format}` }).click();
      return readFileSync(await (await download).path(), 'utf8')
        .trim()
        .split('\n');
    };
    expect((await lines('CSV')).length).toBe(records + 1);
    const json = (await lines('JSON lines')).map((line) => JSON.parse(line) as { event_type: string });
    expect(json.map(({ event_type }) => event_type)).toEqual(Array(records).fill('alert.classified'));
    const bundle = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download the bundle' }).click();
    expect((await bundle).suggestedFilename()).toBe('acme.tally');
  });

  it('has the columns that the reader chooses, and keeps them in the address', async () => {
    const { page } = visitor;
    await visitor.open(key, 'events?tenant=acme');
    await page.getByRole('button', { name: 'Columns' }).click();
    await page.getByRole('checkbox', { name: 'Severity' }).check();
    await page.getByRole('checkbox', { name: 'Actor' }).uncheck();
    await page.getByRole('columnheader', { name: 'Severity' }).waitFor();
    await page.getByRole('columnheader', { name: 'Actor' }).waitFor({ state: 'detached' });
    await page.reload();
    await page.getByRole('columnheader', { name: 'Severity' }).waitFor();
    expect(await page.getByRole('columnheader', { name: 'Actor' }).count()).toBe(0);
    expect(visitor.parameter('columns')).not.toContain('actor');
  });

  it('is found by / from other pages, whose tables are used with the keyboard alone', async () => {
    const { page } = visitor;
    await visitor.open(key, 'approvals?tenant=acme&state=all');
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

  it('is used with the keyboard alone', async () => {
    await visitor.open(key, 'events?tenant=acme');
    await visitor.rows.first().waitFor();
    const { page } = visitor;
    await page.keyboard.press('j');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await visitor.drawer.getByText('Verified here, by your browser').waitFor();
    const second = visitor.parameter('event');
    await page.keyboard.press('k');
    await page.waitForURL((url) => url.searchParams.get('event') !== second);
    await visitor.drawer
      .getByText(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC$/)
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
});

describe('the drawer', () => {
  it('verifies a record in the browser, remembers the log, and gives the receipt', async () => {
    await visitor.open(key, 'events?tenant=acme&event_type=alert.escalated');
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
    const [first, second] = await submit('acme', [
      { correlation_id, context: { before: { lock: 'open', size: 2 }, after: { lock: 'shut', size: 2 } } },
      { correlation_id, actor_id: 'porter' },
    ]);
    const { page, drawer } = visitor;
    await visitor.open(key, `events?tenant=acme&event=${first}`);
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
    await visitor.open(key, `events?tenant=globex&event=${changed.audit_id}`);
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
    await visitor.open(key, `events?tenant=acme&event=${String(granted!.audit_id)}`);
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
    await visitor.open(key, 'timeline?tenant=acme');
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
    await submit('acme', [
      { ...run, event_type: 'agent.run.started', audit_id: started },
      { ...run, event_type: 'agent.model.called', audit_id: called, parent_id: started },
      { ...run, event_type: 'agent.run.completed', parent_id: started },
      { correlation_id: 'job-7' },
    ]);
    const { page, drawer } = visitor;
    await visitor.open(key, `events?tenant=acme&event=${called}`);
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
    await submit('acme', [
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
    await visitor.open(key, 'calls?tenant=acme');
    await calls.first().getByText('$4321.00').waitFor();
    await calls.first().getByText('whale').waitFor();
    const { records } = await service.client.events.top({ tenant_id: 'acme', by: 'context.llm_cost_usd' });
    await visitor.sees(`of ${records + 1} values`);
    await page.getByRole('link', { name: 'Time', exact: true }).click();
    await calls.first().getByText('1 h 0 m').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('actor_id:ranked');
    await page.keyboard.press('Enter');
    await visitor.sees('of 1 value');
    await calls.getByRole('link', { name: 'tortoise' }).click();
    await visitor.drawer.getByText('Verified here, by your browser').waitFor();
    expect(await visitor.barriers()).toEqual([]);
  });
});

it('runs a verification of the whole chain, names the changed record, and remembers who asked', async () => {
  await visitor.open(key, 'verification?tenant=acme');
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

it('lets an approver read what an agent wants to do, and decide it', async () => {
  await requestApproval('acme');
  const { page } = visitor;
  await visitor.open(key, 'approvals?tenant=acme');
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

it('shows what happened lately, and leads to the events', async () => {
  await visitor.open(key, 'overview?tenant=acme');
  await visitor.page.getByRole('heading', { name: /events by hour and outcome/ }).waitFor();
  const chain = visitor.page.getByRole('region', { name: 'The chain' });
  await chain.getByText('open an event to check it').waitFor();
  await visitor.page.getByRole('link', { name: 'alert.classified' }).click();
  await visitor.rows.first().waitFor();
  expect(visitor.parameter('event_type')).toBe('alert.classified');
});

/** How much of a page may jump while it loads. What browsers call good is below 0.1. */
const mostJumps = 0.02;

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
  ['calls?tenant=acme', 'The greatest by cost'],
  ['exports?tenant=acme&event_type=alert.*', /\d events/],
  ['keys', 'Also keys that were revoked'],
  ['followers', 'Oldest unread'],
  ['tenants', 'Last record'],
  ['nowhere', 'There is no such page'],
];

describe('WCAG 2.2 AA, in both themes and at the width of a phone', () => {
  it.each(pages)('%s', async (address, text) => {
    const { page } = visitor;
    await visitor.open(key, address);
    await visitor.sees(text);
    await visitor.look({ theme: 'light' });
    expect(await visitor.jumps()).toBeLessThan(mostJumps);
    expect(await visitor.barriers()).toEqual([]);
    await visitor.look({ theme: 'dark' });
    expect(await visitor.barriers({ onlyColours: true })).toEqual([]);
    await visitor.look({ width: 360 });
    await page.reload();
    await visitor.sees(text);
    await visitor.settled();
    expect(await visitor.jumps()).toBeLessThan(mostJumps);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    // The title is not cut off beside the tenant.
    const title = page.locator('.topbar h1');
    expect(await title.evaluate((h1) => h1.scrollWidth - h1.clientWidth)).toBe(0);
    expect(await visitor.barriers()).toEqual([]);
  });

  it('the page to sign in, and the navigation of a phone', async () => {
    const { page } = visitor;
    await visitor.go('events');
    await page.getByLabel('API key').waitFor();
    await visitor.look({ width: 360 });
    expect(await visitor.barriers()).toEqual([]);
    await visitor.open(key, 'events?tenant=acme');
    await page.getByRole('button', { name: 'Pages' }).click();
    await page.getByRole('link', { name: 'Tenants' }).waitFor();
    await visitor.settled();
    expect(await visitor.barriers()).toEqual([]);
    await page.getByRole('link', { name: 'Tenants' }).click();
    await page.getByRole('cell', { name: 'globex', exact: true }).waitFor();
  });
});
