import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Postgres, startPostgres, tempDir } from '@tallystick/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tally } from './run-tally.ts';

/** Follows docs/production.md on its own PostgreSQL server: with an owner who is not a superuser, and the service. */
const text = readFileSync(join(import.meta.dirname, '../../../docs/production.md'), 'utf8');
const dir = tempDir();
let server: Postgres;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(async () => {
  await server?.stop();
  dir.remove();
});

const block = (language: string) => text.split(`\`\`\`${language}\n`)[1]!.split('```')[0]!;

test('the roles, the migration, the first key and the service', async () => {
  const admin = new pg.Client({ connectionString: server.adminUrl });
  await admin.connect();
  try {
    for (const statement of block('sql').replaceAll('…', 'word').split(';\n').filter(Boolean))
      await admin.query(statement);
  } finally {
    await admin.end();
  }
  const { host } = new URL(server.adminUrl);
  const commands = block('sh')
    .replaceAll('\\\n', '')
    .replaceAll(':…@db/', `:word@${host}/`)
    .replaceAll('/var/lib/tallystick', dir.path)
    .replace('--host 0.0.0.0', '--host 127.0.0.1 --port 0')
    .trim()
    .split('\n')
    .map((line) => line.replace(/^tally /, '').split(/ +/));
  expect(commands.map(([name]) => name)).toEqual(['migrate', 'serve', 'serve']);
  const [migrate, makeKey, serve] = commands;
  const migrated = await tally(migrate!);
  expect(migrated).toMatchObject({ exitCode: 0, stderr: '' });
  expect(migrated.stdout).toContain('tally_service has the rights of the service\n');
  const keyless = await tally(serve!, { stopped: AbortSignal.abort() });
  expect([keyless.exitCode, keyless.stderr]).toEqual([3, expect.stringContaining('--create-admin-key')]);
  expect((await tally(makeKey!)).stdout).toMatch(/^tally_\w+\n$/);
  const served = await tally(serve!, { stopped: AbortSignal.abort() });
  expect([served.exitCode, served.stderr]).toEqual([
    0,
    expect.stringContaining('listening on http://127.0.0.1:'),
  ]);
});

test('the other keys', async () => {
  const command = /`tally (api-keys create .*)`/.exec(text)![1]!;
  const words = command.replace('https://audit.example.com', 'http://127.0.0.1:9').replace('…', 'tally_key');
  expect(await tally(words.split(' '))).toMatchObject({
    exitCode: 4,
    stderr: expect.stringContaining('SERVICE_UNREACHABLE'),
  });
});
