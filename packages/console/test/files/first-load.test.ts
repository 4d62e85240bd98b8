import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { consoleFiles } from '@tallystick/console';
import { beforeAll, expect, it } from 'vitest';

let folder: string;
beforeAll(async () => {
  folder = await consoleFiles();
}, 60_000);

/** Bytes on the wire: text files are sent compressed. */
const sizeOf = (path: string) =>
  readFileSync(join(folder, /\.(js|css|html|svg)$/.test(path) ? `${path}.br` : path)).length;

/** Names of files in a text that are not in another folder. */
const namesIn = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, name]) => name!);

/** The files that a browser loads for the page of events: those that the page names, and what these import at once. */
function filesOfEventsPage(): string[] {
  const read = (name: string) => readFileSync(join(folder, 'assets', name), 'utf8');
  const named = namesIn(readFileSync(join(folder, 'index.html'), 'utf8'), /assets\/([\w.-]+\.(?:js|css))/g);
  const entry = named.find((name) => /^index-.*\.js$/.test(name))!;
  // The entry loads a page's script and styles together. It holds their names in one list, and the places in it for each page.
  const list = namesIn(/m\.f=\[(.*?)\]/.exec(read(entry))![1]!, /"\.\/([^"]+)"/g);
  const [, places] = /import\(`\.\/events-page-[^`]+`\)[^[]*?__vite__mapDeps\(\[([\d,]+)\]\)/.exec(
    read(entry),
  )!;
  const found = new Set([...named, ...places!.split(',').map((at) => list[Number(at)]!)]);
  for (const name of found)
    if (name.endsWith('.js'))
      for (const imported of namesIn(read(name), /\bfrom\s*[`"']\.\/([\w.-]+\.js)[`"']/g))
        found.add(imported);
  return [...found];
}

it('needs at most 150 KB for the first page, its font and its check included', () => {
  const first = filesOfEventsPage();
  const shared = readdirSync(join(folder, 'assets')).filter((name) =>
    /^(check\.worker|inter-latin-wght)-.*(js|woff2)$/.test(name),
  );
  expect(first.some((name) => name.startsWith('events-page-')) && shared.length === 2).toBe(true);
  const bytes = [...first, ...shared].reduce(
    (sum, name) => sum + sizeOf(`assets/${name}`),
    sizeOf('index.html'),
  );
  console.log(`first load: ${(bytes / 1_000).toFixed(0)} KB in ${first.length + shared.length + 1} files`);
  expect(bytes).toBeLessThan(150_000);
});

it('works under a policy without inline scripts, styles and other hosts', () => {
  const page = readFileSync(join(folder, 'index.html'), 'utf8');
  expect(page).not.toMatch(/<style|style=|<script(?![^>]*\ssrc="\.\/assets\/)|\son\w+=/);
  const addresses = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address);
  expect(addresses.length).toBeGreaterThan(2);
  expect(addresses.every((address) => address?.startsWith('./assets/'))).toBe(true);
});

it('builds once for the same sources', async () => {
  expect(await consoleFiles()).toBe(folder);
});
