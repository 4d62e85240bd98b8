import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { AuditService, serveHttp } from '@tallystick/server';
import { tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient } from '../src/index.ts';

/** The README's program is compiled, strictly, and run against a service. */
const root = resolve(import.meta.dirname, '../../..');
const run = promisify(execFile);
const [, code] = /^```ts\n(.*?)^```$/ms.exec(
  readFileSync(join(import.meta.dirname, '../README.md'), 'utf8'),
)!;

// Inside the repository, so that it resolves the packages as a user's project does; git ignores the directory.
const scratch = join(root, 'dist', `client-readme-${process.pid}`);
const dir = tempDir();
let service: AuditService;
let server: Awaited<ReturnType<typeof serveHttp>>;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  mkdirSync(scratch, { recursive: true });
  service = await AuditService.open({ store: { directory: dir.path }, logName: 'readme.test' });
  const { key } = await service.keys.create({ name: 'test', scopes: ['admin'] });
  server = await serveHttp(service, { port: 0, logger: false });
  env = { ...process.env, TALLYSTICK_URL: server.url, TALLYSTICK_API_KEY: key };
  const event = {
    event_type: 'content.publish',
    actor_type: 'user',
    actor_id: 'jane',
    source_service: 'cms',
  };
  const more = { tenant_id: 'acme', audit_id: crypto.randomUUID(), timestamp: new Date().toISOString() };
  await createClient({ url: server.url, apiKey: key }).events.submit([{ ...event, ...more }]);
});
afterAll(async () => {
  await server?.close();
  await service?.close();
  dir.remove();
  rmSync(scratch, { recursive: true, force: true });
});

test('the program compiles and lists the events', { timeout: 120_000 }, async () => {
  writeFileSync(join(scratch, 'snippet.ts'), code!);
  const project = {
    extends: '../../tsconfig.base.json',
    compilerOptions: { noEmit: true, rewriteRelativeImportExtensions: false },
    files: ['snippet.ts'],
  };
  writeFileSync(join(scratch, 'tsconfig.json'), JSON.stringify(project));
  const complaints = await run(join(root, 'node_modules/.bin/tsc'), ['-p', scratch]).then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  );
  expect(complaints).toBe('');
  const program = ['--conditions=tallystick-source', join(scratch, 'snippet.ts')];
  const { stdout } = await run(process.execPath, program, { env });
  expect(stdout).toBe('1 content.publish jane\n');
});
