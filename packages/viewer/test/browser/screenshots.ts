/**
 * Pictures of the viewer in a customer's page, in both themes and two widths. `npm run screenshots` calls this file with the directory:
 * `--out DIRECTORY [--width PIXELS] [--theme light|dark] [--for-docs] [scene …]`.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type PictureTheme, pictureContext, startBrowser, tempDir, webpOf } from '@tallystick/testing';
import { buildViewer } from '../../vite.config.ts';
import { type Files, servePages } from './pages.ts';
import { Portal } from './portal.ts';
import { type ViewerScene, viewerScenes } from './viewer-scenes.ts';

const { values, positionals } = parseArgs({
  options: {
    out: { type: 'string' },
    width: { type: 'string' },
    theme: { type: 'string' },
    'for-docs': { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const forDocs = values['for-docs'];
const { out } = values;
if (out === undefined) throw new Error('--out is missing; `npm run screenshots -- viewer` sets it');
mkdirSync(out, { recursive: true });
const themes = (['light', 'dark'] as const).filter(
  (theme) => (forDocs ? 'light' : (values.theme ?? theme)) === theme,
);
const widths = forDocs ? [900] : values.width === undefined ? [360, 900] : [Number(values.width)];

const dist = tempDir();
await buildViewer(dist.path);
const viewer = readFileSync(join(dist.path, 'viewer/tallystick-viewer.js'), 'utf8');
dist.remove();
let files: Files = {};
await using pages = await servePages(() => files);
await using portal = await Portal.open(pages.url);
const browser = await startBrowser();
const names = forDocs ? ['viewer-record'] : positionals;
const isWanted = ({ name }: ViewerScene) => names.length === 0 || names.includes(name);
const wanted = (await viewerScenes(portal)).filter(isWanted);
try {
  for (const theme of themes)
    for (const width of widths) for (const scene of wanted) await picture(scene, theme, width);
  console.log(`${wanted.length * themes.length * widths.length} pictures of the viewer in ${out}`);
} finally {
  await browser.close();
}

async function picture(scene: ViewerScene, theme: PictureTheme, width: number): Promise<void> {
  const context = await pictureContext(browser, theme, width, forDocs ? 760 : 900);
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on('pageerror', (error) => console.error(`${scene.name}: ${error.message}`));
  files = filesOf(scene);
  await scene.prepare?.(page);
  await page.goto(pages.url);
  await scene.ready(page).catch((error) => console.error(`${scene.name}, ${width} px: ${error.message}`));
  const png = await page.screenshot({ fullPage: !forDocs });
  if (forDocs) writeFileSync(join(out!, `${scene.name}.webp`), await webpOf(browser, png));
  else writeFileSync(join(out!, `${scene.name}-${theme}-${width}.png`), png);
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  await context.close();
}

/** A page of a customer's portal, with the viewer in it. */
function filesOf({ lang = 'en', token, css = '' }: ViewerScene): Files {
  return {
    '/': `<!doctype html>
<html lang="${lang}">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>My trail</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/page.css">
    <script type="module" src="/tallystick-viewer.js"></script>
  </head>
  <body>
    <tallystick-viewer server="${portal.url}" token="${token}"></tallystick-viewer>
  </body>
</html>`,
    '/tallystick-viewer.js': viewer,
    '/page.css': `:root { color-scheme: light dark } body { margin: 0; background: light-dark(#fff, #14171a) } ${css}`,
  };
}
