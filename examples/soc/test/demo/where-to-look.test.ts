import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Terminal } from 'tallystick/demo/story-parts';
import { expect, test } from 'vitest';
import { whereToLook } from '../../src/demo/where-to-look.ts';

const told = {
  approved: { tenantId: 'acme', sequence: 301, investigationId: 'inv-1' },
  quarantined: undefined,
  attacksCaught: 5,
  victim: { tenantId: 'acme', sequence: 301, logName: 'demo.tallystick' },
};
const link = 'http://127.0.0.1:8040/console/#link=s3cret';
const running = {
  url: 'http://127.0.0.1:8040',
  key: 'tally_k',
  signInLink: (): string | undefined => link,
};

async function printed(service: typeof running | undefined, { json = false } = {}): Promise<string> {
  const stdout = new PassThrough();
  const terminal = new Terminal(
    {
      stdin: process.stdin,
      stdout,
      stderr: process.stderr,
      env: {},
      cwd: '/',
      now: () => 0,
      stopped: new AbortController().signal,
    },
    { json, color: false },
  );
  await whereToLook(terminal, told, { directory: '/tmp/trail', running: service });
  stdout.end();
  return await text(stdout);
}

// The demo printed an address that answers no page and a key, although the documents promise a link that signs in.
test('with --keep it prints a link into the console, and with --json too', async () => {
  expect((await printed(running)).split('\n').map((line) => line.trim())).toContain(link);
  expect(JSON.parse(await printed(running, { json: true }))).toMatchObject({
    step: 'kept',
    url: running.url,
    sign_in_link: link,
    investigations: ['inv-1'],
  });
});

test('without --keep it says which command opens the trail in a browser', async () => {
  const lines = (await printed(undefined)).split('\n').map((line) => line.trim());
  expect(lines).toContain('npx tally --data /tmp/trail dev');
  expect(lines).toContain('npx tally --data /tmp/trail verify --tenant acme');
});

test('without the console there is no link', async () => {
  expect(await printed({ ...running, signInLink: () => undefined })).not.toContain('console');
});
