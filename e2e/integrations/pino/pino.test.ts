import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createClient } from '@tallystick/client';
import { AuditService } from '@tallystick/server';
import { type HttpServer, serveHttp } from '@tallystick/server/http';
import { prepareEmbeddedStore, type TempDir, tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** Pino with its worker thread, in a process of its own, and a real service. */

let directory: TempDir;
let service: AuditService;
let server: HttpServer;
let key: string;
beforeAll(async () => {
  directory = tempDir();
  await prepareEmbeddedStore(directory.path);
  service = await AuditService.open({ store: { directory: directory.path }, logName: 'pino.example' });
  ({ key } = await service.keys.create({ name: 'pino', scopes: ['events:write', 'events:read'] }));
  server = await serveHttp(service, { port: 0, logger: false });
});
afterAll(async () => {
  await server.close();
  await service.close();
  directory.remove();
});

async function run(...args: string[]) {
  const file = join(import.meta.dirname, 'logging.ts');
  const child = spawn(process.execPath, ['--conditions=tallystick-source', file, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TALLYSTICK_URL: server.url, TALLYSTICK_API_KEY: key },
  });
  const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve(code ?? signal)));
  const [output, complaints, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  const lines = output.split('\n').filter((line) => line !== '');
  return { code, complaints, messages: lines.map((line) => JSON.parse(line).msg as string), output };
}

async function chained(type: string) {
  const client = createClient({ url: server.url, apiKey: key });
  const events = await Array.fromAsync(client.events.listAll({ tenant_id: 'acme' }));
  return events
    .filter(({ event_type }) => event_type === type)
    .toSorted((one, other) => Number(one.sequence_number) - Number(other.sequence_number));
}

const targets = Array.from({ length: 300 }, (_, index) => `ü${index + 1}`);

test.each([
  ['ended', 'targets', 0],
  ['exited', 'targets', 0],
  ['flushed', 'alone', 'SIGKILL'],
])(
  'marked lines are chained, in order and without secrets, when the process has %s',
  async (ending, form, code) => {
    const result = await run(ending, form);
    expect(result.code, result.complaints).toBe(code);
    expect(result.complaints).toMatch(/^Audit \(pino transport\): INVALID: .*actorType/);
    const events = await chained(`order.${ending}`);
    expect(events.map(({ target_id }) => target_id)).toEqual(targets);
    expect(events[0]).toMatchObject({ source_service: 'shop', context: { password: '[REDACTED]' } });
    if (form === 'targets') expect(result.messages).toContain('an ordinary line');
  },
);

test('in a pipeline the other lines go on, and lines with an event do not', async () => {
  const { code, messages, output } = await run('piped', 'pipeline');
  expect(code).toBe(0);
  expect(messages.filter((message) => message === 'an ordinary line')).toHaveLength(300);
  expect(messages).toContain('a line with another meaning');
  expect(output).not.toContain('hunter2');
  expect(await chained('order.piped')).toHaveLength(300);
});
