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

it('needs at most 150 KB for the first page, its font and its check included', () => {
  const assets = readdirSync(join(folder, 'assets')).filter((name) => !name.endsWith('.br'));
  const first = assets.filter((name) => /^(index|events-page|check\.worker|inter-latin-wght)-/.test(name));
  expect(first.length).toBe(6);
  const bytes = first.reduce((sum, name) => sum + sizeOf(`assets/${name}`), sizeOf('index.html'));
  console.log(`first load: ${(bytes / 1_000).toFixed(0)} KB`);
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
