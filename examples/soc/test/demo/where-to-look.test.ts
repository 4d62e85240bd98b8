import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type ProcessContext, type RunningService, Terminal } from 'tallystick/demo/story-parts';
import { expect, test } from 'vitest';
import type { Told } from '../../src/demo/story.ts';
import { whereToLook } from '../../src/demo/where-to-look.ts';

/** What the demo prints at its end, where the service runs on. */
async function printed(link: string | undefined, json = false): Promise<string> {
  const stdout = new PassThrough();
  const context = { stdout, stderr: new PassThrough(), env: {}, stopped: new AbortController().signal };
  const running = { url: 'http://127.0.0.1:4000', key: 'tally_key', signInLink: () => link };
  await whereToLook(new Terminal(context as unknown as ProcessContext, { json }), {} as Told, {
    directory: '/trail',
    running: running as RunningService,
  });
  stdout.end();
  return await text(stdout);
}

test('a demo that is kept prints the link that signs in to the console, if the console is installed', async () => {
  const link = 'http://127.0.0.1:4000/console/#link=secret';
  expect(await printed(link)).toContain(`\n    ${link}\n`);
  expect(await printed(undefined)).not.toContain('browser');
  expect(JSON.parse(await printed(link, true))).toMatchObject({ step: 'kept', console: link });
});
