/**
 * Pictures of every page in both themes and four widths, from a real service with the trail of the reference platform, and of the
 * embeddable viewer: `npm run screenshots -- [--data DIRECTORY] [--out DIRECTORY] [--width PIXELS] [--theme light|dark] [scene …]`.
 * With `--for-docs` it makes the small pictures that the guides show, in `docs/images`. Scenes of the viewer begin with `viewer`.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type PictureTheme, pictureContext, startBrowser, webpOf } from '@tallystick/testing';
import { ConsoleService } from './console-service.ts';
import { type Scene, scenesOf } from './scenes.ts';
import { makeTrouble } from './trouble.ts';

const { values, positionals } = parseArgs({
  options: {
    data: { type: 'string' },
    out: { type: 'string' },
    width: { type: 'string' },
    theme: { type: 'string' },
    'for-docs': { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const forDocs = values['for-docs'];
/** What the guides show. */
const shownInDocs = ['overview', 'verified-page', 'timeline', 'record', 'api-operation'];
const themes = (['light', 'dark'] as const).filter(
  (theme) => (forDocs ? 'light' : (values.theme ?? theme)) === theme,
);
const widths = forDocs
  ? [1_280]
  : values.width === undefined
    ? [360, 768, 1_440, 1_920]
    : [Number(values.width)];
const docs = join(import.meta.dirname, '../../../../docs/images');
const out = values.out ?? (forDocs ? docs : mkdtempSync(join(tmpdir(), 'screenshots-')));
mkdirSync(out, { recursive: true });

const names = forDocs ? shownInDocs : positionals;
const isOfViewer = (name: string) => name.startsWith('viewer');
if (names.length === 0 || !names.every(isOfViewer)) await pictures(names.filter((name) => !isOfViewer(name)));
if (forDocs || names.length === 0 || names.some(isOfViewer)) viewerPictures();

/** Makes the pictures of the scenes with these names; without names, of all scenes. */
async function pictures(wantedNames: readonly string[]): Promise<void> {
  const data = values.data ?? mkdtempSync(join(tmpdir(), 'soc-'));
  if (!existsSync(join(data, 'postgres'))) runDemo(data);
  await using service = await ConsoleService.on(data);
  // The guides show the trail as the demo leaves it.
  if (!forDocs) await makeTrouble(service);
  const scenes = await scenesOf(service);
  // A service that runs signs what it chains. This one only serves pictures.
  await service.service.logs.checkpoint('acme');
  const wanted = scenes.filter(({ name }) => wantedNames.length === 0 || wantedNames.includes(name));
  const maria = await service.key('Maria Keller', ['admin', 'approvals:decide'], { subject: 'maria' });
  const browser = await startBrowser();
  try {
    for (const theme of themes)
      for (const width of widths)
        for (const scene of wanted) await picture(service, browser, scene, theme, width, scene.key ?? maria);
    console.log(`${wanted.length * themes.length * widths.length} pictures in ${out}`);
  } finally {
    await browser.close();
  }
}

async function picture(
  service: ConsoleService,
  browser: Awaited<ReturnType<typeof startBrowser>>,
  scene: Scene,
  theme: PictureTheme,
  width: number,
  key: string,
): Promise<void> {
  const context = await pictureContext(browser, theme, width, width < 500 ? 740 : forDocs ? 760 : 900);
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on('pageerror', (error) => console.error(`${scene.name}: ${error.message}`));
  if (scene.signedIn)
    await context.request.post(`${service.site}session`, {
      headers: { 'x-tallystick-console': '1' },
      data: { key },
    });
  await scene.prepare?.(page);
  await page.goto(service.site + scene.path);
  await scene.ready(page).catch((error) => console.error(`${scene.name}, ${width} px: ${error.message}`));
  await page.evaluate(() => document.fonts.ready);
  const png = await page.screenshot();
  if (forDocs) writeFileSync(join(out, `console-${scene.name}.webp`), await webpOf(browser, png));
  else writeFileSync(join(out, `${scene.name}-${theme}-${width}.png`), png);
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  await context.close();
}

/** Runs the reference platform over a few alerts. */
function runDemo(directory: string): void {
  const main = join(import.meta.dirname, '../../../../examples/soc/src/demo/main.ts');
  execFileSync(process.execPath, ['--conditions=tallystick-source', main, '--data', directory, '--json'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** Makes the pictures of the embeddable viewer, which has pages and a service of its own. */
function viewerPictures(): void {
  const main = join(import.meta.dirname, '../../../viewer/test/browser/screenshots.ts');
  const options = [
    ...['--out', out, ...(forDocs ? ['--for-docs'] : [])],
    ...(values.theme === undefined ? [] : ['--theme', values.theme]),
    ...(values.width === undefined ? [] : ['--width', values.width]),
  ];
  // The word alone is all of them.
  const wanted = names.includes('viewer') ? [] : names.filter(isOfViewer);
  execFileSync(process.execPath, ['--conditions=tallystick-source', main, ...options, ...wanted], {
    stdio: 'inherit',
  });
}
