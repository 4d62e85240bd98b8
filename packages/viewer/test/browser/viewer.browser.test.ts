import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { createClient } from '@tallystick/client';
import { uuidv7 } from '@tallystick/event';
import { AuditService } from '@tallystick/server';
import { type HttpServer, serveHttp } from '@tallystick/server/http';
import {
  type Browser,
  hostileStrings,
  type Page,
  prepareEmbeddedStore,
  startBrowser,
  type TempDir,
  tempDir,
  until,
} from '@tallystick/testing';
import { readForkReport } from '@tallystick/verify';
import axe from 'axe-core';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { buildViewer } from '../../vite.config.ts';
import { serveFront, servePages } from './pages.ts';

let dir: TempDir;
let pages: Awaited<ReturnType<typeof servePages>>;
let front: Awaited<ReturnType<typeof serveFront>>;
/** The genuine log, and one that the operator forked from it. */
let genuine: Running;
let fork: Running;
let current: Running;
let browser: Browser;
let page: Page;
let files: { [path: string]: string } = {};
let key: string;
let token: string;
/** What breaks the policy of the page. Each test ends with none. */
let complaints: string[];

interface Running {
  readonly service: AuditService;
  readonly http: HttpServer;
}

async function run(name: string): Promise<Running> {
  const service = await AuditService.open({
    store: { directory: `${dir.path}/${name}` },
    signerDirectory: `${dir.path}/${name}-signer`,
    logName: 'audit.example.com',
    checkpointIntervalMs: 0,
  });
  const http = await serveHttp(service, {
    port: 0,
    logger: false,
    auditReads: false,
    corsOrigins: [pages.url],
  });
  return { service, http };
}

async function stop({ http, service }: Running): Promise<void> {
  await http.close();
  await service.close();
}

async function submit({ http, service }: Running, count: number, fields: object = {}): Promise<string[]> {
  const { key: writer } = await service.keys.create({ name: 'writer', scopes: ['events:write'] });
  const events = Array.from({ length: count }, (_, at) => ({
    audit_id: uuidv7(),
    tenant_id: 'acme',
    timestamp: new Date().toISOString(),
    event_type: 'document.opened',
    actor_type: 'user' as const,
    actor_id: `user-${at}`,
    source_service: 'app',
    metadata: { customer: '4711', note: `note-${at} <b>bold</b>` },
    ...fields,
  }));
  await createClient({ url: http.url, apiKey: writer }).events.submit(events);
  return events.map(({ audit_id }) => audit_id);
}

const tokenWith = async (more: object = {}) =>
  await createClient({ url: current.http.url, apiKey: key }).viewerTokens.create({
    filters: { 'metadata.customer': '4711' },
    ...more,
  });

beforeAll(async () => {
  dir = tempDir();
  pages = await servePages(() => files);
  await prepareEmbeddedStore(`${dir.path}/genuine`);
  const before = await run('genuine');
  current = before;
  const made = await before.service.keys.create({
    name: 'portal',
    scopes: ['viewer-tokens:issue', 'events:read', 'log:read'],
    tenants: ['acme'],
  });
  key = made.key;
  await submit(before, 4);
  await submit(before, 1, { metadata: { customer: '4712', note: 'of another customer' } });
  await before.service.logs.checkpoint('acme');
  token = (await tokenWith({ expires_in: 3_600 })).token;
  await stop(before);
  // The operator keeps a copy of the store and of the signer, and goes on with both.
  for (const part of ['', '-signer'])
    cpSync(`${dir.path}/genuine${part}`, `${dir.path}/fork${part}`, { recursive: true });
  genuine = await run('genuine');
  fork = await run('fork');
  front = await serveFront(() => current.http.url);
  await buildViewer(`${dir.path}/dist`);
  browser = await startBrowser();
}, 90_000);
afterAll(async () => {
  await browser?.close();
  for (const running of [genuine, fork]) if (running !== undefined) await stop(running);
  await front?.[Symbol.asyncDispose]();
  await pages?.[Symbol.asyncDispose]();
  dir?.remove();
});
beforeEach(async () => {
  current = genuine;
  complaints = [];
  page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => {
    if (/Content Security Policy|TrustedType/i.test(message.text())) complaints.push(message.text());
  });
  page.on('request', (request) => {
    const url = request.url();
    if (![pages.url, front.url, 'blob:', 'data:'].some((own) => url.startsWith(own))) complaints.push(url);
  });
});
afterEach(async () => {
  await page.context().close();
  expect(complaints).toEqual([]);
});

/** The snippets of the guide in a language. */
function guideBlocks(language: string): string[] {
  const guide = readFileSync(join(import.meta.dirname, '../../../../docs/viewer.md'), 'utf8');
  return [...guide.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, code]) => code!);
}

const viewerFile = () => readFileSync(join(dir.path, 'dist/viewer/tallystick-viewer.js'), 'utf8');

/** A page in plain HTML, as docs/viewer.md shows it. */
function plainPage({ lang = 'en', attributes = `token="${token}"`, script = '' } = {}): void {
  files = {
    '/': `<!doctype html>
<html lang="${lang}">
  <head>
    <meta charset="utf-8">
    <title>My trail</title>
    <link rel="icon" href="data:,">
    <script type="module" src="/tallystick-viewer.js"></script>
    <script type="module" src="/page.js"></script>
  </head>
  <body>
    <main>
      <h1>My trail</h1>
      <tallystick-viewer server="${front.url}" ${attributes}></tallystick-viewer>
    </main>
  </body>
</html>`,
    '/tallystick-viewer.js': viewerFile(),
    '/page.js': `globalThis.alarms = []; globalThis.ended = 0;
addEventListener('tallystick-alarm', (event) => alarms.push(event.detail));
addEventListener('token-expired', () => ended++);
${script}`,
  };
}

const alarms = () => page.evaluate('alarms') as Promise<{ state: string; report?: string }[]>;

it('lists, searches and verifies in a page of another origin under a strict policy', async () => {
  plainPage();
  await page.goto(pages.url);
  await page.locator('tbody tr').nth(3).waitFor();
  expect(await page.locator('tbody tr').count()).toBe(4);
  await page.locator('[data-state="first_visit"]').waitFor();
  expect(await page.locator('tallystick-viewer').innerText()).not.toContain('another customer');
  // A long text of one event took the room of the other columns: they had one letter in a line.
  const widths = await page.evaluate(() => {
    const { shadowRoot } = document.querySelector('tallystick-viewer')!;
    const cells = [...shadowRoot!.querySelectorAll('tbody tr:first-child td')] as HTMLElement[];
    const before = cells.map(({ offsetWidth }) => offsetWidth);
    cells[3]!.firstElementChild!.textContent = 'x'.repeat(500);
    return { before, after: cells.map(({ offsetWidth }) => offsetWidth), height: cells[3]!.offsetHeight };
  });
  expect(widths.after).toEqual(widths.before);
  expect(widths.height).toBeLessThan(120);
  await page.getByRole('searchbox').fill('note-2');
  await page.getByRole('searchbox').press('Enter');
  await until(async () => (await page.locator('tbody tr').count()) === 1);
  await page.getByRole('button', { name: 'document.opened' }).click();
  await page.getByText('Verified by your browser').waitFor();
  const panel = page.getByRole('complementary');
  expect(await panel.innerText()).toContain('note-2 <b>bold</b>');
  expect(await panel.innerText()).not.toContain('principal');
  await page.keyboard.press('Escape');
  expect(await panel.count()).toBe(0);
  // The row changes its colour below the pointer, so a click anywhere in it opens the event.
  await page.locator('tbody td').nth(2).click();
  await panel.waitFor();
  await page.keyboard.press('Escape');
  expect(await panel.count()).toBe(0);
  await page.getByRole('searchbox').fill('"');
  await page.getByRole('searchbox').press('Enter');
  await page.getByRole('alert').filter({ hasText: 'character' }).waitFor();
  expect(await alarms()).toEqual([]);
});

it.each(['light', 'dark'] as const)('is accessible in %s, in German, and at 360 px', async (colorScheme) => {
  await page.emulateMedia({ colorScheme });
  await page.setViewportSize({ width: 360, height: 700 });
  plainPage({ lang: 'de' });
  await page.goto(pages.url);
  await page.getByRole('button', { name: 'document.opened' }).first().click();
  await page.getByText('Von Ihrem Browser geprüft').waitFor();
  // The event opens below its row, with its members named in German; hashes are behind a title.
  const panel = page.locator('tbody tr:nth-child(2)').getByRole('complementary');
  expect(await panel.innerText()).toMatch(/Art des Akteurs\s+Benutzer/);
  await panel.getByText('Technische Angaben').click();
  await panel.getByText('Hash des Eintrags').waitFor();
  // The policy of the page refuses a script of the test; a debugger may run it.
  const faults = await page.evaluate(
    `${axe.source}; axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map(({ id, nodes }) => id + ' ' + nodes.map(({ html }) => html).join(' ')))`,
  );
  expect(faults).toEqual([]);
  await page.getByRole('searchbox').fill('"');
  await page.getByRole('searchbox').press('Enter');
  await page.getByRole('alert').filter({ hasText: 'Die Anführungszeichen passen nicht' }).waitFor();
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
});

it('lets no style in but its custom properties, and none out', async () => {
  plainPage({
    script: `const sheet = new CSSStyleSheet();
sheet.replaceSync('* { font-size: 40px !important; letter-spacing: 9px } button { color: rgb(255, 0, 0) !important } tallystick-viewer { --tallystick-text: rgb(1, 2, 3) }');
document.adoptedStyleSheets = [sheet];`,
  });
  await page.goto(pages.url);
  await page.locator('tbody tr').first().waitFor();
  const styles = await page.evaluate(`(() => {
    const of = (element) => { const { color, letterSpacing } = getComputedStyle(element); return [color, letterSpacing]; };
    const root = document.querySelector('tallystick-viewer').shadowRoot;
    return [of(root.querySelector('td')), of(root.querySelector('form button')), getComputedStyle(document.querySelector('h1')).borderBottomWidth];
  })()`);
  expect(styles).toEqual([['rgb(1, 2, 3)', 'normal'], ['rgb(1, 2, 3)', 'normal'], '0px']);
});

it('says that the content is not checked where the token leaves the bytes out', async () => {
  const { token: bare } = await tokenWith({ include_records: false });
  plainPage({ attributes: `token="${bare}"` });
  await page.goto(pages.url);
  await page.getByRole('button', { name: 'document.opened' }).first().click();
  await page.getByText('Content not checked').waitFor();
});

it('asks the page for the next token, and goes on with it', async () => {
  const ended = await tokenWith();
  await createClient({ url: genuine.http.url, apiKey: key }).viewerTokens.revoke(ended.id);
  plainPage({ attributes: `token="${ended.token}"` });
  await page.goto(pages.url);
  await page.getByText('Your access to this list has ended').waitFor();
  expect(await page.evaluate('ended')).toBe(1);
  await page.evaluate(`document.querySelector('tallystick-viewer').token = '${token}'`);
  await page.locator('tbody tr').first().waitFor();
  plainPage({
    attributes: `token="${ended.token}"`,
    script: `document.querySelector('tallystick-viewer').getToken = async () => '${token}';`,
  });
  await page.goto(pages.url);
  await page.locator('tbody tr').first().waitFor();
});

it('raises an alarm when the operator shows a fork, and hands out a report', async () => {
  plainPage();
  await page.goto(pages.url);
  await page.locator('[data-state="first_visit"]').waitFor();
  await submit(genuine, 3);
  await genuine.service.logs.checkpoint('acme');
  await page.reload();
  await page.locator('[data-state="grown"]').waitFor();
  expect(await alarms()).toEqual([]);
  // The same address now leads to another history, signed with the same key.
  await submit(fork, 9, { metadata: { customer: '4711', note: 'rewritten' } });
  await fork.service.logs.checkpoint('acme');
  current = fork;
  for (let visit = 0; visit < 2; visit++) {
    // What is shown now does not replace what the browser knows: the alarm stays.
    await page.reload();
    await page.locator('[data-state="forked"]').waitFor();
    expect(await alarms()).toMatchObject([{ state: 'forked', report: expect.any(String) }]);
  }
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download the report' }).click();
  const report = readForkReport(readFileSync(await (await download).path(), 'utf8'));
  expect(report?.relation).toBe('contradiction');
  expect(report?.server).toBe(`${front.url}/`);
});

it('shows a record that was changed in the database as not intact', async () => {
  const [changed] = await submit(genuine, 1, { event_type: 'invoice.paid' });
  const { database } = genuine.service;
  // biome-ignore lint/suspicious/noExplicitAny: only the embedded store has an owner's session
  await (database as any).asOwner(async (session: { query(sql: string): Promise<unknown> }) => {
    await session.query("set local session_replication_role = 'replica'");
    await session.query(
      `update audit_records set record = replace(record, '"actor_id":"user-0"', '"actor_id":"mallory"') where audit_id = '${changed}'`,
    );
  });
  plainPage();
  await page.goto(pages.url);
  await page.getByRole('button', { name: 'invoice.paid' }).click();
  await page.getByText('This record is not intact').waitFor();
  await until(async () => (await alarms()).length === 1);
  expect(await alarms()).toMatchObject([{ state: 'record', audit_id: changed }]);
});

it('runs as docs/viewer.md puts it into a page in plain HTML', async () => {
  const [html] = guideBlocks('html');
  plainPage();
  files['/'] = html!
    .replace('https://audit.example.com', front.url)
    .replace('{{ token }}', token)
    // A browser asks for an icon by itself, which this test counts as a request that fails.
    .replace('<title>', '<link rel="icon" href="data:,"><title>');
  await page.goto(pages.url);
  await page.locator('tbody tr').first().waitFor();
});

it('is a component of React, on a server and in a page, with the page and the route handler of docs/viewer.md', async () => {
  const { createElement } = await import('react');
  const { renderToString } = await import('react-dom/server');
  const { TallystickViewer } = await import('@tallystick/viewer/react');
  const text = renderToString(
    createElement(TallystickViewer, { server: front.url, token: 'secret', lang: 'de' }),
  );
  expect(text).toBe(`<tallystick-viewer server="${front.url}" lang="de"></tallystick-viewer>`);
  const [clientPage] = guideBlocks('tsx');
  const handler = guideBlocks('ts').find((block) => block.includes('export async function POST'));
  const snippets = join(dir.path, 'snippets');
  mkdirSync(snippets);
  writeFileSync(join(snippets, 'page.tsx'), clientPage!.replace('https://audit.example.com', front.url));
  writeFileSync(
    join(snippets, 'main.ts'),
    `import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import Page from './page.tsx';
createRoot(document.querySelector('main')).render(createElement(Page));`,
  );
  await build({
    configFile: false,
    logLevel: 'error',
    root: snippets,
    define: { 'process.env.NODE_ENV': '"production"' },
    oxc: { jsx: { runtime: 'automatic', development: false } },
    resolve: {
      alias: [
        { find: '@tallystick/viewer/react', replacement: join(dir.path, 'dist/react.js') },
        ...['react', 'react/jsx-runtime', 'react-dom/client'].map((name) => ({
          find: new RegExp(`^${name}$`),
          replacement: fileURLToPath(import.meta.resolve(name)),
        })),
      ],
    },
    build: {
      outDir: `${dir.path}/react-page`,
      rolldownOptions: {
        input: join(snippets, 'main.ts'),
        output: { entryFileNames: 'page.js', codeSplitting: false },
      },
    },
  });
  // The handler runs as it stands, but for the address of the service and the place of the client.
  const route = join(snippets, 'route.ts');
  const source = handler!
    .replace('https://audit.example.com', front.url)
    .replace("'@tallystick/client'", JSON.stringify(import.meta.resolve('@tallystick/client')));
  writeFileSync(route, source);
  vi.stubEnv('TALLYSTICK_API_KEY', key);
  const { POST } = (await import(route)) as { readonly POST: () => Promise<Response> };
  plainPage();
  files['/'] = files['/']!.replace(/<script type="module" src="\/tallystick-viewer.js"><\/script>/, '');
  files['/page.js'] = readFileSync(`${dir.path}/react-page/page.js`, 'utf8');
  files['/api/trail-token'] = await (await POST()).text();
  vi.unstubAllEnvs();
  await page.goto(pages.url);
  await page.locator('tbody tr').first().waitFor();
});

it('shows hostile texts of every field as texts, in the list and in each record', async () => {
  const customer = 'hostile';
  for (const full of hostileStrings) {
    const text = full.slice(0, 200);
    await submit(genuine, 1, {
      ...{ actor_id: text, target_type: text, target_id: text, source_service: text, correlation_id: text },
      ...{ event_category: text.slice(0, 30), event_action: text.slice(0, 60), entity_ids: [text] },
      metadata: { customer, note: text, [text]: { text } },
      context: { [text]: text, before: { [text]: text }, after: { [text]: [text] } },
      decision: { reasoning_summary: text, classification: text },
      outcome: { outcome_status: 'failure', error_code: text, error_message: text },
    });
  }
  const { token: ofHostile } = await tokenWith({ filters: { 'metadata.customer': customer } });
  plainPage({ attributes: `token="${ofHostile}"` });
  await page.goto(pages.url);
  const records = page.getByRole('button', { name: 'document.opened' });
  await records.nth(hostileStrings.length - 1).waitFor();
  for (let at = 0; at < hostileStrings.length; at++) {
    await records.nth(at).click();
    await page.getByText('Verified by your browser').waitFor();
    await page.keyboard.press('Escape');
  }
  expect(await page.evaluate("'injected' in globalThis")).toBe(false);
  const parts = ':is(script, img, iframe, [onerror], [onload], [onmouseover], a[href^="javascript:"])';
  expect(await page.locator(`tallystick-viewer ${parts}`).count()).toBe(0);
});

it('needs at most 60 KB', () => {
  const bytes = brotliCompressSync(viewerFile()).length;
  console.log(`viewer: ${(bytes / 1_000).toFixed(0)} KB`);
  expect(bytes).toBeLessThan(60_000);
});
