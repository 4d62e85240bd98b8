/**
 * Pictures of every page in both themes and three widths, with the data of the reference platform:
 * `npm run screenshots -- [--data DIRECTORY] [--out DIRECTORY] [page …]`.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createClient } from '@tallystick/client';
import { consoleFiles } from '@tallystick/console';
import { scopes } from '@tallystick/protocol';
import { AuditService } from '@tallystick/server';
import { serveHttp } from '@tallystick/server/http';
import { startBrowser } from '@tallystick/testing';
import { ConsoleServer, type Reader } from './console-server.ts';
import { type Scene, scenesOf } from './scenes.ts';

const { values, positionals } = parseArgs({
  options: { data: { type: 'string' }, out: { type: 'string' } },
  allowPositionals: true,
});
const data = values.data ?? platformData();
const out = values.out ?? mkdtempSync(join(tmpdir(), 'screenshots-'));
mkdirSync(out, { recursive: true });

const service = await AuditService.open({
  store: { directory: data },
  signerDirectory: join(data, 'signer'),
  checkpointIntervalMs: 0,
});
const http = await serveHttp(service, { port: 0, logger: false });
const { key } = await service.keys.create({ name: 'Maria Keller', subject: 'maria', scopes: [...scopes] });
const reader: Reader = { name: 'Maria Keller', subject: 'maria', key, scopes };
const server = await ConsoleServer.start(await consoleFiles(), http.url, [reader]);
const browser = await startBrowser();
try {
  const scenes = await scenesOf(createClient({ url: http.url, apiKey: key }));
  const wanted = scenes.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  for (const theme of ['light', 'dark'] as const)
    for (const width of [360, 1_024, 1_600]) for (const scene of wanted) await picture(scene, theme, width);
  console.log(`${wanted.length * 6} pictures in ${out}`);
} finally {
  await browser.close();
  await server[Symbol.asyncDispose]();
  await http.close();
  await service.close();
}

async function picture(scene: Scene, theme: 'light' | 'dark', width: number): Promise<void> {
  const context = await browser.newContext({
    viewport: { width, height: width < 500 ? 740 : 900 },
    colorScheme: theme,
    timezoneId: 'Europe/Berlin',
    locale: 'en-GB',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  page.on('pageerror', (error) => console.error(`${scene.name}: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') console.error(`${scene.name}: ${message.text()}`);
  });
  await page.goto(scene.signedIn ? server.linkFor(reader, scene.path) : server.url + scene.path);
  await scene.ready(page).catch((error) => console.error(`${scene.name}, ${width} px: ${error.message}`));
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: join(out, `${scene.name}-${theme}-${width}.png`) });
  await context.close();
}

/** Runs the reference platform over a few alerts. */
function platformData(): string {
  const directory = mkdtempSync(join(tmpdir(), 'soc-'));
  const main = join(import.meta.dirname, '../../../../examples/soc/src/run/main.ts');
  execFileSync(
    process.execPath,
    ['--conditions=tallystick-source', main, '--data', directory, '--alerts', '30'],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  return directory;
}
