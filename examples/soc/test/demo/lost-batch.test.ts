import { join } from 'node:path';
import { prepareEmbeddedStore, tempDir } from '@tallystick/testing';
import { startService, Terminal } from 'tallystick/demo/story-parts';
import { expect, test } from 'vitest';
import { loseBatch } from '../../src/demo/lost-batch.ts';

test('a batch that a proxy loses is missing in the trail, by its numbers', async () => {
  using directory = tempDir();
  const trail = join(directory.path, 'trail');
  await prepareEmbeddedStore(trail);
  await using running = await startService({ trail, signer: join(directory.path, 'signer') });
  const terminal = new Terminal({
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: {},
    cwd: '/',
    now: Date.now,
    stopped: new AbortController().signal,
  });
  await loseBatch(terminal, running);
  const { producers } = await running.client.producers.list({ tenant_id: 'acme' });
  expect(producers).toMatchObject([
    { service: 'edge-collector', state: 'open', numbers: 9, open_numbers: 3, open: [[4, 6]] },
  ]);
  const { events } = await running.client.events.list({ tenant_id: 'acme' });
  expect(events.filter(({ source_service }) => source_service === 'edge-collector')).toHaveLength(6);
}, 60_000);
