import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AuditService, serveHttp } from '@tallystick/server';
import { runSnippet, tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient } from '../src/index.ts';

/** The README's program compiles with strict settings and runs against a service. */
const [, code] = /^```ts\n(.*?)^```$/ms.exec(
  readFileSync(join(import.meta.dirname, '../README.md'), 'utf8'),
)!;

const dir = tempDir();
let service: AuditService;
let server: Awaited<ReturnType<typeof serveHttp>>;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
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
});

test('the program compiles and lists the events', { timeout: 120_000 }, async () => {
  const stdout = await runSnippet(code!, { env });
  expect(stdout).toBe('1 content.publish jane\n');
});
