import { execFile, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { createClient } from '@tallystick/client';
import { AuditService } from '@tallystick/server';
import { type HttpServer, serveHttp } from '@tallystick/server/http';
import {
  largeRemovalMs,
  prepareEmbeddedStore,
  sharedPostgres,
  sharedTarballs,
  type TempDir,
  tempDir,
} from '@tallystick/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

/**
 * Every TypeScript example of docs/integrations works as it stands for a newcomer: in an empty project outside this repository, with our
 * packages as they would be published and the real libraries. It compiles, runs, and ends in the trail of a real service.
 */

// Each example is a process that loads a large library from files that no process has read before.
vi.setConfig({ testTimeout: 300_000 });
const root = resolve(import.meta.dirname, '../..');
const guides = join(root, 'docs/integrations');
const snippets = readdirSync(guides).flatMap((page) => {
  const markdown = readFileSync(join(guides, page), 'utf8');
  return Array.from(markdown.matchAll(/^```ts\n(.*?)^```$/gms), ({ 1: code = '' }, index) => ({
    name: `${page} ${index + 1}`,
    file: `${basename(page, '.md')}-${index + 1}.ts`,
    code,
  }));
});

let directory: TempDir;
let project: string;
let service: AuditService;
let server: HttpServer;
let key: string;
/** The database of the examples' application. */
let database: string;

interface Manifest {
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}

beforeAll(async () => {
  directory = tempDir();
  project = join(directory.path, 'project');
  mkdirSync(project);
  const { dependencies } = readManifest(import.meta.dirname);
  // They are in the root, where tests of several packages use them.
  const { devDependencies } = readManifest(root);
  for (const name of ['drizzle-orm', 'pg', '@types/pg', 'pino']) dependencies[name] = devDependencies[name]!;
  // Only the tests of stores need it, and it is large.
  delete dependencies['postgres-15'];
  for (const { name, file } of await sharedTarballs()) dependencies[name] = `file:${file}`;
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ type: 'module', private: true, dependencies }),
  );
  const quiet = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await promisify(execFile)('npm', ['install', ...quiet], { cwd: project });
  for (const { file, code } of snippets) writeFileSync(join(project, file), code);
  const compilerOptions = {
    ...{ target: 'es2023', lib: ['es2024', 'dom', 'dom.iterable', 'dom.asynciterable'], strict: true },
    ...{ module: 'nodenext', noEmit: true, skipLibCheck: true, types: ['node'] },
    typeRoots: [join(root, 'node_modules/@types')],
  };
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: snippets.map(({ file }) => file) }),
  );
  const store = join(directory.path, 'store');
  await prepareEmbeddedStore(store);
  database = (await (await sharedPostgres()).createDatabase()).url;
  service = await AuditService.open({
    store: { directory: store },
    logName: 'guides.example',
  });
  ({ key } = await service.keys.create({ name: 'guides', scopes: ['events:write', 'events:read'] }));
  server = await serveHttp(service, { port: 0, logger: false });
}, 300_000);
afterAll(async () => {
  await server.close();
  await service.close();
  await directory.removeLarge();
}, largeRemovalMs);

/** The packages of import statements, without subpaths and without the modules of Node.js. */
function packagesOf(code: string): string[] {
  const specifiers = Array.from(code.matchAll(/ from '([^.'][^']*)';$/gm), ([, specifier]) => specifier!);
  return specifiers
    .filter((specifier) => !specifier.startsWith('node:'))
    .map((specifier) => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)![0]);
}

// The guides did not say what to install, and a plain `npm i ai` gets another major version one day.
test.each([...new Set(snippets.map(({ name }) => name.split(' ')[0]!))])(
  '%s says what to install, with the major version that is tested',
  (page) => {
    const markdown = readFileSync(join(guides, page), 'utf8');
    const lines = Array.from(markdown.matchAll(/^npm i (.*)$/gm), ([, words]) => words!.split(' '));
    const named = new Map(lines.flat().map((word) => [word.replace(/(?<=.)@.*/, ''), word]));
    const code = snippets.filter(({ name }) => name.startsWith(`${page} `)).map((snippet) => snippet.code);
    expect([...named.keys()].sort()).toEqual([...new Set(code.flatMap(packagesOf))].sort());
    const { dependencies } = readManifest(project);
    for (const [name, word] of named) {
      const tested = /^\^?(0\.\d+|\d+)/.exec(dependencies[name]!)?.[1];
      expect(word).toBe(name.startsWith('@tallystick/') ? name : `${name}@${tested}`);
    }
  },
);

test('the examples compile', async () => {
  expect(snippets.length).toBeGreaterThan(3);
  const compile = promisify(execFile)(join(root, 'node_modules/.bin/tsc'), ['-p', project]);
  const { stdout } = await compile.catch((error: { stdout: string }) => error);
  expect(stdout).toBe('');
});

test.each(snippets)('$name runs, and its events are chained', async ({ file }) => {
  const before = await length();
  const child = spawn(process.execPath, [file], {
    cwd: project,
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
