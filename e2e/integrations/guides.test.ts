import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { createClient } from '@tallystick/client';
import { AuditService } from '@tallystick/server';
import { type HttpServer, serveHttp } from '@tallystick/server/http';
import { prepareEmbeddedStore, sharedPostgres, type TempDir, tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** Every TypeScript example of docs/integrations compiles against the real libraries, runs, and ends in the trail of a real service. */

const root = resolve(import.meta.dirname, '../..');
const guides = join(root, 'docs/integrations');
/** In this folder, so that the examples find its libraries. The repository ignores it. */
const folder = join(import.meta.dirname, 'dist', `guides-${process.pid}`);

const snippets = readdirSync(guides).flatMap((page) => {
  const markdown = readFileSync(join(guides, page), 'utf8');
  return Array.from(markdown.matchAll(/^```ts\n(.*?)^```$/gms), ({ 1: code = '' }, index) => ({
    name: `${page} ${index + 1}`,
    file: join(folder, `${basename(page, '.md')}-${index + 1}.ts`),
    code,
  }));
});

let directory: TempDir;
let service: AuditService;
let server: HttpServer;
let key: string;
/** The database of the examples' application. */
let database: string;
beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  for (const { file, code } of snippets) writeFileSync(file, code);
  const compilerOptions = { noEmit: true, rewriteRelativeImportExtensions: false };
  const project = { extends: '../../../../tsconfig.base.json', compilerOptions, include: ['*.ts'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(project));
  directory = tempDir();
  await prepareEmbeddedStore(directory.path);
  database = (await (await sharedPostgres()).createDatabase()).url;
  service = await AuditService.open({ store: { directory: directory.path }, logName: 'guides.example' });
  ({ key } = await service.keys.create({ name: 'guides', scopes: ['events:write', 'events:read'] }));
  server = await serveHttp(service, { port: 0, logger: false });
});
afterAll(async () => {
  await server.close();
  await service.close();
  directory.remove();
  rmSync(folder, { recursive: true, force: true });
});

test('the examples compile', () => {
  expect(snippets.length).toBeGreaterThan(3);
  const { stdout } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' });
  expect(stdout).toBe('');
});

test.each(snippets)('$name runs, and its events are chained', async ({ file }) => {
  const before = await length();
  const child = spawn(process.execPath, ['--conditions=tallystick-source', file], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      TALLYSTICK_URL: server.url,
      TALLYSTICK_API_KEY: key,
      DATABASE_URL: database,
      NODE_NO_WARNINGS: '1',
    },
  });
  const [output, complaints, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((done) => child.on('close', done)),
  ]);
  expect([code, complaints], output).toEqual([0, '']);
  expect(await length()).toBeGreaterThan(before);
});

/** Number of events in the trail of the examples' tenant. */
async function length(): Promise<number> {
  const client = createClient({ url: server.url, apiKey: key });
  return (await Array.fromAsync(client.events.listAll({ tenant_id: 'acme' }))).length;
}
