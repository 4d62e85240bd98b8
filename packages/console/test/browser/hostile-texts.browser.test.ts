import { uuidv7 } from '@tallystick/event';
import { type Browser, hostileStrings, startBrowser } from '@tallystick/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { documentDigest } from '../../src/site/approvals/document-digest.ts';
import { ConsoleService } from './console-service.ts';
import { Visitor } from './visitor.ts';

/** Texts that break careless pages, in every field that an audited party or an operator can fill, on every page that shows it. */
const tenant = 'hostile';
let service: ConsoleService;
let browser: Browser;
let visitor: Visitor;

beforeAll(async () => {
  service = await ConsoleService.empty();
  await submitEvents();
  await requestApprovals();
  for (const text of hostileStrings)
    await service.key(text.slice(0, 60).replace(/\p{Cc}/gu, ''), ['events:read'], { tenants: [tenant] });
  browser = await startBrowser();
  visitor = await Visitor.arrive(browser, service);
  await visitor.open(
    await service.key('Maria', ['admin', 'approvals:decide'], { subject: 'maria' }),
    `events?tenant=${tenant}`,
  );
});
afterAll(async () => {
  await visitor?.[Symbol.asyncDispose]();
  await browser?.close();
  await service?.[Symbol.asyncDispose]();
});

async function submitEvents(): Promise<void> {
  const events = hostileStrings.map((full) => {
    const text = full.slice(0, 200);
    return {
      ...{ audit_id: uuidv7(), tenant_id: tenant, timestamp: new Date().toISOString() },
      ...{ event_type: 'agent.model.called', actor_type: 'agent', actor_id: text },
      ...{ target_type: text, target_id: text, event_category: text.slice(0, 30) },
      event_action: text.slice(0, 60),
      ...{ correlation_id: text, investigation_id: 'hostile', source_service: text, entity_ids: [text] },
      context: {
        ...{ [text]: text, before: { [text]: text }, after: { [text]: [text] }, action: text },
        ...{ llm_provider: text, llm_model_id: text, llm_cost_usd: 0.01, llm_input_tokens: 3 },
      },
      decision: { reasoning_summary: text, classification: text, confidence_label: text },
      metadata: { [text]: { text } },
      outcome: { outcome_status: 'failure', error_code: text, error_message: text, action_taken: text },
    };
  });
  const results = await service.client.events.submit(events);
  expect(results.map(({ status }) => status)).toEqual(events.map(() => 'chained'));
  // Events that are refused: the service keeps their texts as dead letters.
  await service.client.events.submit(
    hostileStrings.map((text) => ({ audit_id: uuidv7(), tenant_id: tenant, [text]: text })) as never,
  );
}

async function requestApprovals(): Promise<void> {
  const key = await service.key('payer', ['events:write', 'approvals:request'], { subject: 'payer' });
  const client = service.clientWith(key);
  for (const full of hostileStrings) {
    // The desk refuses names with invisible characters.
    const text = full.slice(0, 100).replace(/\p{C}/gu, '').trim();
    const intent = uuidv7();
    const actor = { actor_type: 'agent', actor_id: text } as const;
    const target = { type: text, id: text };
    const document = {
      ...{ tenant_id: tenant, action: text, actor, target, arguments: { [full]: full } },
      ...{ reason_unverified: full, policy: { name: text, version: text } },
    };
    await client.events.submit([
      {
        ...{ audit_id: intent, tenant_id: tenant, timestamp: new Date().toISOString() },
        ...{ event_type: 'agent.action.intended', ...actor, target_type: text, target_id: text },
        ...{ source_service: 'payments', investigation_id: 'hostile' },
        context: { action: text, document_digest: documentDigest(document) },
      },
    ]);
    await client.approvals.request({ id: uuidv7(), intent_id: intent, document });
  }
}

/** Nothing of the texts has become a part of the page. */
async function expectOnlyTexts(): Promise<void> {
  const { page } = visitor;
  expect(await page.evaluate(() => 'injected' in globalThis)).toBe(false);
  expect(await page.locator('script:not(head script), img, iframe, [onerror], [onload]').count()).toBe(0);
  expect(await page.locator('[onmouseover], a[href^="javascript:"], style').count()).toBe(0);
}

it('shows every event of the list, and each in the drawer', async () => {
  const columns =
    'event_type,actor,target,outcome,source_service,investigation_id,event_category,correlation_id';
  await visitor.go(`events?tenant=${tenant}&event_type=agent.model.called&columns=${columns}`);
  await visitor.rows.first().waitFor();
  await visitor.rows.first().click();
  for (let at = 0; at < hostileStrings.length; at++) {
    const id = visitor.parameter('event');
    await visitor.drawer.getByText('Verified here, by your browser').waitFor();
    if (at === hostileStrings.length - 1) break;
    await visitor.page.keyboard.press('j');
    await visitor.page.waitForURL((url) => url.searchParams.get('event') !== id);
  }
  await visitor.drawer.getByText('Raw record').click();
  await expectOnlyTexts();
});

it.each([
  'overview',
  'timeline',
  'timeline?investigation_id=hostile',
  'approvals',
  'producers',
  'dead-letters',
  'intents',
  'calls',
  'exports',
  'keys',
  'followers',
  'verification',
  'tenants',
])('shows the page %s', async (page) => {
  await visitor.go(`${page}${page.includes('?') ? '&' : '?'}tenant=${tenant}`);
  await visitor.page.locator('.content :is(table, .panel, ol)').first().waitFor();
  await expectOnlyTexts();
});

it('shows the document of each approval', async () => {
  const { approvals } = await service.client.approvals.list({ tenant_id: tenant, limit: 50 });
  expect(approvals.length).toBe(hostileStrings.length);
  for (const { id } of approvals) {
    await visitor.go(`approvals?tenant=${tenant}&approval=${id}`);
    await visitor.page.getByText('What would be done').waitFor();
  }
  await expectOnlyTexts();
});
