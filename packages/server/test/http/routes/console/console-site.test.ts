import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Harness } from '../../harness.ts';

const folder = tempDir();
let http: Harness;
/** What the package of the console does at the next call. */
let files: () => Promise<string> = async () => folder.path;

beforeAll(async () => {
  mkdirSync(join(folder.path, 'assets'));
  writeFileSync(join(folder.path, 'index.html'), '<!doctype html><title>Console</title>');
  writeFileSync(join(folder.path, 'assets/main-abc123.js'), 'export {};');
  writeFileSync(join(folder.path, 'assets/main-abc123.js.br'), brotliCompressSync('export {};'));
  writeFileSync(join(folder.path, 'favicon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  http = await Harness.open({ consoleSite: { files: () => files() } });
});
afterAll(async () => {
  await http?.[Symbol.asyncDispose]();
  folder.remove();
});

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(http.url + path, { redirect: 'manual', headers });

test('a build that fails is answered with an error, and tried again', async () => {
  files = () => Promise.reject(new Error('no disk'));
  expect((await get('/console/')).status).toBe(500);
  files = async () => folder.path;
  expect((await get('/console/')).status).toBe(200);
});

test('every page is the same document, with a policy that allows no inline script and no other host', async () => {
  for (const path of ['/console/', '/console/events', '/console/events?q=a.b']) {
    const answer = await get(path);
    expect([path, answer.status, answer.headers.get('content-type')]).toEqual([
      path,
      200,
      'text/html; charset=utf-8',
    ]);
    expect(answer.headers.get('cache-control')).toBe('no-cache');
    const policy = answer.headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
  }
});

test('files with a digest in their name are kept by browsers, and sent compressed where that is accepted', async () => {
  const packed = await get('/console/assets/main-abc123.js', { 'accept-encoding': 'gzip, br' });
  expect(packed.headers.get('content-encoding')).toBe('br');
  expect(packed.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  expect(await packed.text()).toBe('export {};');
  for (const refused of ['identity', 'br;q=0', 'brotli']) {
    const plain = await get('/console/assets/main-abc123.js', { 'accept-encoding': refused });
    expect([refused, plain.headers.get('content-encoding'), await plain.text()]).toEqual([
      refused,
      null,
      'export {};',
    ]);
  }
  expect((await get('/console/favicon.svg')).headers.get('content-type')).toBe('image/svg+xml');
});

test('no other file is served, and no path leads out of the folder', async () => {
  for (const path of [
    '/console/assets/other.js',
    '/console/assets/..%2f..%2fpackage.json',
    '/console/assets/%2e%2e%2findex.html',
    '/console/..%2fsecret.txt',
    '/console/assets/main-abc123.js.br',
    '/console/a/b',
  ]) {
    expect([path, (await get(path)).status]).toEqual([path, 404]);
  }
});

test('the address of the service and /console lead to the console', async () => {
  expect((await get('/')).headers.get('location')).toBe('console/');
  const answer = await get('/console');
  expect([answer.status, answer.headers.get('location')]).toEqual([308, 'console/']);
});

test('/docs has the viewer where the console brings it, under the same policy', async () => {
  const before = await get('/docs');
  expect([before.status, (await before.text()).includes('@tallystick/console')]).toEqual([200, true]);
  const site = tempDir();
  mkdirSync(join(site.path, 'docs/assets'), { recursive: true });
  writeFileSync(join(site.path, 'index.html'), '<!doctype html><title>Console</title>');
  writeFileSync(join(site.path, 'docs/index.html'), '<!doctype html><title>Viewer</title>');
  writeFileSync(join(site.path, 'docs/assets/index-abc123.js'), 'export {};');
  await using other = await Harness.open({ consoleSite: { files: async () => site.path } });
  const page = await other.get('/docs?url=https://example.com/openapi.json', '');
  expect([page.status, page.text]).toEqual([200, '<!doctype html><title>Viewer</title>']);
  expect(page.headers.get('content-security-policy')).not.toMatch(/unsafe|https?:|\*/);
  expect(page.headers.get('content-security-policy')).toContain("require-trusted-types-for 'script'");
  const script = await other.get('/docs/assets/index-abc123.js', '');
  expect([script.status, script.headers.get('cache-control')]).toEqual([
    200,
    'public, max-age=31536000, immutable',
  ]);
  for (const path of ['/docs/assets/other.js', '/docs/assets/..%2findex.html', '/docs/index.html'])
    expect([path, (await other.get(path, '')).status]).toEqual([path, 404]);
  site.remove();
});

test('a service without the console says how to add it', async () => {
  await using bare = await Harness.open();
  const answer = await bare.get('/console/');
  expect([answer.status, answer.json.detail]).toEqual([404, expect.stringContaining('@tallystick/console')]);
  expect((await bare.get('/docs', '')).text).toContain('@tallystick/console');
  expect((await bare.get('/docs/assets/index-abc123.js', '')).status).toBe(404);
});
