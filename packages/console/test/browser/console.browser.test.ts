import { createClient } from '@tallystick/client';
import { consoleFiles } from '@tallystick/console';
import { uuidv7 } from '@tallystick/event';
import { AuditService } from '@tallystick/server';
import { type HttpServer, serveHttp } from '@tallystick/server/http';
import {
  type Browser,
  type Page,
  prepareEmbeddedStore,
  startBrowser,
  type TempDir,
  tempDir,
  until,
} from '@tallystick/testing';
import axe from 'axe-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { documentDigest } from '../../src/site/approvals/document-digest.ts';
import { hostileStrings } from '../site/hostile-strings.ts';
import { ConsoleServer, type Reader } from './console-server.ts';

let dir: TempDir;
let service: AuditService;
let http: HttpServer;
let server: ConsoleServer;
let browser: Browser;
let page: Page;
let maria: Reader;
let guest: Reader;
/** Errors of the page, and requests to other hosts. Each test ends with none. */
let complaints: string[];

beforeAll(async () => {
  dir = tempDir();
  const directory = `${dir.path}/data`;
  await prepareEmbeddedStore(directory);
  service = await AuditService.open({
    store: { directory },
    signerDirectory: `${dir.path}/signer`,
    logName: 'audit.example.com',
    checkpointIntervalMs: 0,
  });
  http = await serveHttp(service, { port: 0, logger: false });
  maria = await reader('Maria', ['events:read', 'events:write', 'log:read', 'approvals:decide'], {
    subject: 'maria',
  });
  guest = await reader('Guest', ['events:read'], { tenants: ['globex'] });
  server = await ConsoleServer.start(await consoleFiles(), http.url, [maria, guest]);
  await submit('acme', 120);
  await submit('globex', 3);
  browser = await startBrowser();
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
  await http?.close();
  await service?.close();
  dir?.remove();
});
beforeEach(async () => {
  complaints = [];
  page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => {
    if (/Content Security Policy|TrustedType/i.test(message.text())) complaints.push(message.text());
  });
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol.startsWith('http') && origin !== new URL(server.url).origin) complaints.push(request.url());
  });
});
afterEach(async () => {
  await page.close();
  expect(complaints).toEqual([]);
});

async function reader(
  name: string,
  scopes: Reader['scopes'],
  bounds: { readonly subject?: string; readonly tenants?: string[] } = {},
): Promise<Reader> {
  const { key } = await service.keys.create({ name, scopes: [...scopes], ...bounds });
  return { name, key, scopes, ...bounds };
}

/** An agent asks for an approval of a payment. */
async function requestApproval(tenant: string): Promise<void> {
  const { key } = await reader('agent', ['events:write', 'approvals:request'], { subject: 'payer' });
  const client = createClient({ url: http.url, apiKey: key });
  const intent = uuidv7();
  const actor = { actor_type: 'agent', actor_id: 'payer' } as const;
  const target = { type: 'account', id: 'DE89' };
  const document = {
    ...{ tenant_id: tenant, action: 'pay', actor, target, arguments: { amount: 4_200, currency: 'EUR' } },
    ...{ reason_unverified: '<b>trust me</b>', policy: { name: 'payments', version: '3' } },
  };
  await client.events.submit([
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
  await client.approvals.request({ id: uuidv7(), intent_id: intent, document });
}

async function submit(
  tenant: string,
  count: number,
  fields: (at: number) => object = () => ({}),
): Promise<void> {
  const events = Array.from({ length: count }, (_, at) => ({
    audit_id: uuidv7(),
    tenant_id: tenant,
    timestamp: new Date(Date.parse('2026-03-01T12:00:00Z') + at * 1_000).toISOString(),
    event_type: at % 2 === 0 ? 'content.publish' : 'auth.login',
    actor_type: 'user',
    actor_id: at % 3 === 0 ? 'jane' : 'omar',
    target_type: 'post',
    target_id: `post-${at}`,
    source_service: 'blog',
    outcome: { outcome_status: at % 5 === 0 ? 'failure' : 'success' },
    ...fields(at),
  }));
  const response = await fetch(`${http.url}/v1/audit/events/batch`, {
    method: 'POST',
    headers: { authorization: `Bearer ${maria.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ events }),
  });
  const { results } = (await response.json()) as { results: { status: string }[] };
  expect(results.every(({ status }) => status === 'chained')).toBe(true);
}

/** Opens a page of the console as a reader who has used a link. */
async function open(path: string, who = maria): Promise<void> {
  await page.goto('about:blank');
  await page.goto(server.linkFor(who, path));
  await page.locator('.shell').waitFor();
}

const rows = () => page.locator('.event-row');
const drawer = () => page.getByRole('complementary', { name: 'Event' });

/** What a screen reader's user could not use (WCAG 2.2 AA). */
async function barriers(): Promise<string[]> {
  // The page's policy refuses scripts that are not its own, so axe comes in through the debugger.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(async () => {
    const run = (globalThis as unknown as { axe: typeof axe }).axe;
    return await run.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] });
  });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
}

it('signs in with a key, opens the shared address, and signs out', async () => {
  await page.goto(`${server.url}events?tenant=acme&actor_id=jane`);
  expect(await barriers()).toEqual([]);
  await page.getByLabel('API key').fill('tally_wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('the service knows no such key').waitFor();
  await page.getByLabel('API key').fill(maria.key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await rows().first().waitFor();
  expect(new URL(page.url()).search).toBe('?tenant=acme&actor_id=jane');
  const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, document.cookie]));
  expect(stored).not.toContain(maria.key);
  await page.getByRole('button', { name: 'Session of Maria' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
});

it('signs in once with a link, and takes its secret out of the address', async () => {
  const link = server.linkFor(maria);
  await page.goto(link);
  await page.locator('.shell').waitFor();
  expect(page.url()).not.toContain('link=');
  await page.context().clearCookies();
  await page.goto('about:blank');
  await page.goto(link);
  await page.getByText('this link was used before').waitFor();
  await page.getByLabel('API key').waitFor();
});

it('loads older events while the reader scrolls, and draws only those in view', async () => {
  await open('events?tenant=acme');
  await rows().first().waitFor();
  expect(await rows().count()).toBeLessThan(60);
  await page.locator('.event-list-frame').hover();
  await until(
    async () => {
      await page.mouse.wheel(0, 100_000);
      return await rows().getByText('system.genesis').isVisible();
    },
    { timeoutMs: 20_000, what: 'the end of the list' },
  );
  await page.getByText('This is the oldest event that matches.').waitFor();
});

it('filters by what the reader types, and keeps it in the address', async () => {
  await open('events?tenant=acme');
  await rows().first().waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('actor_id:jane -event_type:auth.*');
  await page.keyboard.press('Enter');
  await page.getByRole('list', { name: 'Filters' }).getByText('jane').waitFor();
  await rows().first().waitFor();
  expect(new URL(page.url()).search).toBe('?tenant=acme&actor_id=jane&not.event_type=auth.*');
  await page.locator('.event-row', { hasText: 'omar' }).first().waitFor({ state: 'detached' });
  await page.getByRole('link', { name: 'Remove the filter actor_id' }).click();
  await page.locator('.event-row', { hasText: 'omar' }).first().waitFor();
  await page.getByLabel('Filter events').fill('colour:red');
  await page.keyboard.press('Enter');
  await page.getByText('There is no field “colour”').waitFor();
  await page.goto(`${server.url}events?tenant=acme&actor_id=nobody`);
  await page.getByText('No event matches').waitFor();
  expect(await barriers()).toEqual([]);
});

it('is used with the keyboard alone', async () => {
  await open('events?tenant=acme');
  await rows().first().waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await drawer().getByText('Verified here, by your browser').waitFor();
  const second = new URL(page.url()).searchParams.get('event');
  await page.keyboard.press('k');
  await until(() => new URL(page.url()).searchParams.get('event') !== second, {
    timeoutMs: 20_000,
    what: 'another event in the address',
  });
  await page.keyboard.press('Escape');
  await drawer().waitFor({ state: 'detached' });
});

it('verifies a record in the browser, and remembers the log', async () => {
  await open('events?tenant=acme&target_id=post-7');
  await rows().first().click();
  await drawer().getByText('Verified here, by your browser').waitFor();
  await drawer().getByText('What was checked').click();
  await drawer().getByText('This browser has verified no earlier checkpoint').waitFor();
  expect(await barriers()).toEqual([]);
  await page.reload();
  await drawer().getByText('Verified here, by your browser').waitFor();
  await drawer().getByText('What was checked').click();
  await drawer().getByText('The log only grew since').waitFor();
  const download = page.waitForEvent('download');
  await drawer().getByRole('button', { name: 'Download the receipt' }).click();
  expect((await download).suggestedFilename()).toMatch(/\.tlog-proof$/);
});

it('shows a record that the service has changed, with what was expected and found', async () => {
  await page.route('**/v1/audit/events/*', async (route) => {
    const response = await route.fetch();
    const event = (await response.json()) as { record?: string; actor_id?: string };
    const record = event.record?.replace('"actor_id":"omar"', '"actor_id":"eve"');
    await route.fulfill({ response, json: { ...event, actor_id: 'eve', record } });
  });
  await open('events?tenant=acme&target_id=post-7');
  await rows().first().click();
  await drawer().getByText('This record is not intact').waitFor();
  await drawer().getByText('The bytes have another hash than the list says').first().waitFor();
  expect(await drawer().getByText('Expected', { exact: true }).count()).toBe(2);
  expect(await barriers()).toEqual([]);
});

it('shows another tenant nothing but its own, and offers no proof without the scope', async () => {
  await open('events', guest);
  await rows().first().waitFor();
  await page.getByRole('banner').getByText('globex').waitFor();
  expect(await rows().count()).toBe(4);
  await rows().first().click();
  await drawer().getByText('Place in the chain').waitFor();
  expect(await drawer().getByText('Verified here').count()).toBe(0);
  await page.goto(`${server.url}events?tenant=acme`);
  await page.getByText('Your key does not allow this').waitFor();
});

it('shows new events in live mode', async () => {
  await open('events?tenant=globex&live=1');
  await rows().first().waitFor();
  await submit('globex', 1, () => ({ target_id: 'just-now' }));
  await page.getByText('just-now').waitFor();
});

it('goes on after the service was away, and after the session is over', async () => {
  await open('events?tenant=acme');
  await rows().first().waitFor();
  server.isDown = true;
  try {
    await page.goto(`${server.url}events?tenant=acme&actor_id=omar`);
    await page.getByText('The service does not answer').first().waitFor();
  } finally {
    server.isDown = false;
  }
  await page.getByRole('button', { name: 'Try again' }).last().click();
  await rows().first().waitFor();
  server.endSessions();
  await rows().first().click();
  await page.getByText('Your session is over').waitFor();
  await page.getByLabel('API key').fill(maria.key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await drawer().getByText('Verified here, by your browser').waitFor();
});

it('shows hostile texts in every field as texts', async () => {
  await submit('hostile', hostileStrings.length, (at) => {
    const text = hostileStrings[at]!.slice(0, 200);
    return {
      ...{
        actor_id: text,
        target_type: text,
        target_id: text,
        event_category: text.slice(0, 30),
        event_action: text.slice(0, 60),
      },
      ...{ correlation_id: text, investigation_id: text, source_service: text, entity_ids: [text] },
      ...{
        context: { [text]: text, before: { [text]: text }, after: { [text]: [text] } },
        decision: { reasoning_summary: text },
      },
      metadata: { [text]: { text } },
      outcome: { outcome_status: 'failure', error_code: text, error_message: text },
    };
  });
  await open(
    `events?tenant=hostile&columns=event_type,actor,target,outcome,source_service,investigation_id,event_category`,
  );
  await rows().first().waitFor();
  for (let at = 0; at < hostileStrings.length; at++) {
    await page.keyboard.press('j');
    if (at === 0) await page.keyboard.press('Enter');
    await drawer().getByText('Verified here, by your browser').waitFor();
  }
  await drawer().getByText('Raw record').click();
  expect(await page.evaluate(() => 'injected' in globalThis)).toBe(false);
  expect(await page.locator('script, img, iframe, [onerror], [onload]').count()).toBe(
    await page.locator('head script').count(),
  );
  expect(await page.locator('a[href^="javascript:"]').count()).toBe(0);
});

it('lets an approver read what an agent wants to do, and decide it', async () => {
  await requestApproval('acme');
  await open('approvals?tenant=acme');
  await page.getByRole('link', { name: 'pay' }).click();
  const approval = page.getByRole('complementary', { name: 'Approval' });
  await approval.getByText('<b>trust me</b>').waitFor();
  await approval.getByText('4200').waitFor();
  expect(await barriers()).toEqual([]);
  expect(await approval.getByRole('button', { name: 'Deny' }).isDisabled()).toBe(true);
  await approval.getByLabel('Reason').fill('The invoice is a forgery');
  await approval.getByRole('button', { name: 'Deny' }).click();
  await approval.getByText('denied it').waitFor();
  await approval.getByText('The invoice is a forgery').waitFor();
  expect(await approval.getByRole('button', { name: 'Grant' }).count()).toBe(0);
  await page.getByText('No agent waits for a decision').waitFor();
});

it('shows what happened lately, and leads to the events', async () => {
  await submit('lately', 10, () => ({ timestamp: new Date().toISOString() }));
  await requestApproval('lately');
  await open('overview?tenant=lately');
  await page.getByRole('heading', { name: /events by hour and outcome/ }).waitFor();
  await page.getByText('Agents wait for a decision.').waitFor();
  expect(await barriers()).toEqual([]);
  await page.getByRole('link', { name: 'auth.login' }).click();
  await rows().first().waitFor();
  expect(new URL(page.url()).searchParams.get('event_type')).toBe('auth.login');
});

it('runs a verification of the whole chain', async () => {
  await open('verification?tenant=globex');
  await page.getByRole('button', { name: 'Check all records now' }).click();
  await page.getByText('The chain is intact').waitFor();
  expect(await barriers()).toEqual([]);
  for (const [path, text] of [
    ['producers', 'Nothing is missing'],
    ['dead-letters', 'No event was refused'],
    ['nowhere', 'There is no such page'],
  ] as const) {
    await page.goto(`${server.url}${path}?tenant=globex`);
    await page.getByText(text).waitFor();
  }
});

it('fits a phone, in both themes', async () => {
  await page.setViewportSize({ width: 360, height: 740 });
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await open('events?tenant=acme');
    await rows().first().waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    expect(await barriers()).toEqual([]);
    await page.getByRole('button', { name: 'Pages' }).click();
    await page.getByRole('link', { name: 'Tenants' }).click();
    await page.getByRole('cell', { name: 'globex' }).waitFor();
    expect(await barriers()).toEqual([]);
  }
});
