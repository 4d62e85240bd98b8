/**
 * Pictures of every page in both themes and three widths, from a real service with the trail of the reference platform:
 * `npm run screenshots -- [--data DIRECTORY] [--out DIRECTORY] [--width PIXELS] [--theme light|dark] [scene …]`.
 * With `--for-docs` it makes the small pictures that the guides show, in `docs/images`.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startBrowser } from '@tallystick/testing';
import { ConsoleService } from './console-service.ts';
import { type Scene, scenesOf } from './scenes.ts';

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
const widths = forDocs ? [1_280] : values.width === undefined ? [360, 768, 1_440] : [Number(values.width)];
const data = values.data ?? mkdtempSync(join(tmpdir(), 'soc-'));
if (!existsSync(join(data, 'postgres'))) runDemo(data);
const docs = join(import.meta.dirname, '../../../../docs/images');
const out = values.out ?? (forDocs ? docs : mkdtempSync(join(tmpdir(), 'screenshots-')));
mkdirSync(out, { recursive: true });

await using service = await ConsoleService.on(data);
const browser = await startBrowser();
const scenes = await scenesOf(service);
// A service that runs signs what it chains. This one only serves pictures.
await service.service.logs.checkpoint('acme');
const names = forDocs ? shownInDocs : positionals;
const wanted = scenes.filter(({ name }) => names.length === 0 || names.includes(name));
const key = await service.key('Maria Keller', ['admin', 'approvals:decide'], { subject: 'maria' });
try {
  for (const theme of themes)
    for (const width of widths) for (const scene of wanted) await picture(scene, theme, width);
  console.log(`${wanted.length * themes.length * widths.length} pictures in ${out}`);
} finally {
  await browser.close();
}

async function picture(scene: Scene, theme: 'light' | 'dark', width: number): Promise<void> {
  const context = await browser.newContext({
    viewport: { width, height: width < 500 ? 740 : forDocs ? 760 : 900 },
    colorScheme: theme,
    timezoneId: 'Europe/Berlin',
    locale: 'en-GB',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on('pageerror', (error) => console.error(`${scene.name}: ${error.message}`));
  if (scene.signedIn)
    await context.request.post(`${service.site}session`, {
      headers: { 'x-tallystick-console': '1' },
      data: { key },
    });
  await page.goto(service.site + scene.path);
  await scene.ready(page).catch((error) => console.error(`${scene.name}, ${width} px: ${error.message}`));
  await page.evaluate(() => document.fonts.ready);
  const png = await page.screenshot();
  if (forDocs) writeFileSync(join(out, `console-${scene.name}.webp`), await webp(png));
  else writeFileSync(join(out, `${scene.name}-${theme}-${width}.png`), png);
  await context.close();
}

/** The picture in a quarter of the bytes. The browser encodes it, so that no further tool is needed. */
async function webp(png: Buffer): Promise<Buffer> {
  const page = await browser.newPage();
  const encoded = await page.evaluate(async (source) => {
    const image = new Image();
    image.src = `data:image/png;base64,${source}`;
    await image.decode();
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width: image.width, height: image.height });
    canvas.getContext('2d')!.drawImage(image, 0, 0);
    return canvas.toDataURL('image/webp', 0.64).split(',')[1]!;
  }, png.toString('base64'));
  await page.close();
  return Buffer.from(encoded, 'base64');
}

/** Runs the reference platform over a few alerts. */
function runDemo(directory: string): void {
  const main = join(import.meta.dirname, '../../../../examples/soc/src/demo/main.ts');
  execFileSync(process.execPath, ['--conditions=tallystick-source', main, '--data', directory, '--json'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
