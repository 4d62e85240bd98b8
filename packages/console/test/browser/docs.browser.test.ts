import { type Browser, hostileStrings, startBrowser } from '@tallystick/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConsoleService } from './console-service.ts';
import { submitLogins } from './logins.ts';
import { Visitor } from './visitor.ts';

/** The page `/docs` on a real service: who its requests act as, and that it shows and sends nothing else. */
let service: ConsoleService;
let browser: Browser;
const hostile = '"><img src=x onerror="window.broken=1"><script>window.broken=1</script>';

beforeAll(async () => {
  service = await ConsoleService.empty();
  await submitLogins(
    service,
    'acme',
    [hostile, ...hostileStrings].map((full) => {
      const text = full.slice(0, 200);
      return { actor_id: text, target_id: text, source_service: text, context: { [text]: text } };
    }),
  );
  browser = await startBrowser();
  // The first visit in a checkout builds the page.
  await fetch(`${service.url}/docs`);
});
afterAll(async () => {
  await browser?.close();
  await service?.[Symbol.asyncDispose]();
});

/** A reader on the page, at one operation. */
async function arriveAt(operation: string, key?: string): Promise<Visitor> {
  const visitor = await Visitor.arrive(browser, service);
  if (key !== undefined) await visitor.signIn(key);
  await visitor.page.goto(`${service.url}/docs#/${operation}`);
  await visitor.page.locator('.opblock.is-open').waitFor();
  return visitor;
}

/** Sends the request of the open operation. Resolves to the status that the page shows. */
async function tried({ page }: Visitor): Promise<string> {
  const open = page.locator('.opblock.is-open');
  await open.getByRole('button', { name: /Try it out|Cancel/ }).waitFor();
  const start = open.getByRole('button', { name: 'Try it out' });
  if (await start.isVisible()) await start.click();
  const answered = page.waitForResponse((answer) => answer.url().includes('/v1/'));
  await open.getByRole('button', { name: 'Execute' }).click();
  await answered;
  const status = open.locator('.live-responses-table .response .response-col_status');
  await status.waitFor();
  return (await status.innerText()).trim().slice(0, 3);
}

describe('the page', () => {
  it('lists every operation, searches them, and opens the one that its address names', async () => {
    const { paths } = (await (await fetch(`${service.url}/openapi.json`)).json()) as { paths: object };
    const count = Object.values(paths).flatMap((methods) => Object.keys(methods)).length;
    await using visitor = await arriveAt('Events/getEvent');
    const { page } = visitor;
    const opened = page.locator('.opblock.is-open');
    await expect.poll(async () => (await opened.boundingBox())!.y).toBeLessThan(80);
    expect((await opened.boundingBox())!.y).toBeGreaterThan(40);
    expect(await opened.innerText()).not.toMatch(/<\/?\w+>/);
    // The viewer gets a part of the document for each operation, in which every reference leads somewhere.
    await opened.getByText('sequence_number').first().waitFor();
    expect(await page.locator('.errors-wrapper').count()).toBe(0);
    const listed = page.getByRole('navigation', { name: 'Operations' }).getByRole('link');
    expect(await listed.count()).toBe(count);
    await page.keyboard.press('/');
    await page.getByLabel('Search operations').fill('approval deny');
    await expect.poll(() => listed.allInnerTexts()).toEqual([expect.stringMatching(/grant or deny/i)]);
    await listed.click();
    await page.locator('#operations-Approvals-decideApproval.is-open').waitFor();
    await visitor.sees(/\$TALLYSTICK_URL\/v1\/approvals\/[0-9a-f-]{36}\/decision/);
    await page.getByLabel('Search operations').fill('no such thing');
    await visitor.sees('No operation has all these words');
  });

  it('takes no document and no markup from its address', async () => {
    await using visitor = await Visitor.arrive(browser, service);
    const { page } = visitor;
    const address = `url=https://example.com/a.json&configUrl=https://example.com/b.json&spec=${encodeURIComponent(hostile)}`;
    for (const fragment of [
      `#/${encodeURIComponent(hostile)}/${encodeURIComponent(hostile)}`,
      '#/%',
      '#/__proto__/x',
    ]) {
      await page.goto('about:blank');
      await page.goto(`${service.url}/docs?${address}${fragment}`);
      await page.locator('#operations-Events-listEvents').waitFor();
    }
    expect(page.url().startsWith(`${service.url}/docs`)).toBe(true);
    expect(await page.evaluate('window.broken')).toBeUndefined();
  });
});

describe('requests', () => {
  it('act as the session of the console, with its CSRF value, until the reader signs out', async () => {
    const key = await service.key('Maria', ['admin']);
    await using visitor = await arriveAt('API%20keys/blockSubject', key);
    const { page } = visitor;
    await visitor.sees('Requests act as Maria');
    expect(await tried(visitor)).toBe('204');
    const sent = page.waitForRequest((request) => request.method() === 'POST');
    await page.locator('.opblock.is-open').getByRole('button', { name: 'Execute' }).click();
    const headers = (await sent).headers();
    expect(headers['x-tallystick-csrf']).toMatch(/^[\w-]{20,}$/);
    expect(headers.authorization).toBeUndefined();
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await visitor.sees('You are not signed in');
    expect(await tried(visitor)).toBe('401');
    // The session is over for the console, too.
    await visitor.go('events');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });

  it('use a typed key, which is in no storage, in no example and in no later page', async () => {
    const key = await service.key('Reader', ['events:read'], { tenants: ['acme'] });
    await using visitor = await arriveAt('Events/listEvents');
    const { page } = visitor;
    expect(await tried(visitor)).toBe('401');
    await page.getByLabel('API key').fill(key);
    await page.getByRole('button', { name: 'Use this key' }).click();
    await visitor.sees('Requests use the key that you typed');
    expect(await tried(visitor)).toBe('200');
    // What another wrote is text here, too.
    expect(await page.locator('.live-responses-table').innerText()).toContain(
      '<script>window.broken=1</script>',
    );
    expect(await page.evaluate('window.broken ?? globalThis.injected')).toBeUndefined();
    expect(await page.locator('.live-responses-table :is(script, img, iframe, [onload])').count()).toBe(0);
    const secret = key.split('_')[2]!;
    const kept = await page.evaluate(() =>
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]),
    );
    expect(kept + (await page.content())).not.toContain(secret);
    await visitor.sees(/Authorization: Bearer \$TALLYSTICK_API_KEY/);
    // The reader follows a link to elsewhere, and the browser keeps the page for its Back button.
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })));
    await visitor.sees('You are not signed in');
    expect(await tried(visitor)).toBe('401');
    await page.reload();
    await visitor.sees('You are not signed in');
    await page.locator('.opblock.is-open').waitFor();
    expect(await tried(visitor)).toBe('401');
  });

  it('say what a key may not do', async () => {
    await using visitor = await arriveAt('API%20keys/listApiKeys');
    await visitor.page.getByLabel('API key').fill(await service.key('Reader', ['events:read']));
    await visitor.page.getByRole('button', { name: 'Use this key' }).click();
    expect(await tried(visitor)).toBe('403');
  });
});

it('fits a phone and has no barrier, in both themes', async () => {
  await using visitor = await arriveAt('Events/listEvents', await service.key('Maria', ['admin']));
  const { page } = visitor;
  await page.locator('.opblock.is-open').getByRole('button', { name: 'Try it out' }).click();
  await page.getByPlaceholder('tenant_id').fill('acme');
  expect(await tried(visitor)).toBe('200');
  for (const width of [360, 768, 1_440]) {
    await visitor.look({ theme: 'light', width });
    const tooWide = await page.evaluate(() =>
      ['html', '.docs-bar', '.docs-content', '.docs-operations', '.opblock.is-open']
        .map((name) => document.querySelector(name)!)
        .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
        .map(({ className }) => className),
    );
    expect([width, tooWide]).toEqual([width, []]);
  }
  expect(await visitor.barriers()).toEqual([]);
  await visitor.look({ theme: 'dark', width: 360 });
  expect(await visitor.barriers({ onlyColours: true })).toEqual([]);
});
