import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { sharedKafka } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeSnippets } from '../support/snippets.ts';
import { newTopic, readTopic } from './topic.ts';

const { snippets, directory, remove } = writeSnippets();
afterAll(remove);

let bootstrap: string[];
beforeAll(async () => {
  bootstrap = (await sharedKafka()).bootstrap;
  // The guide names this topic. No other test uses it on this broker.
  await newTopic(bootstrap, { name: 'audit.events' });
}, 120_000);

test("the guide's examples put their events into audit.events", async () => {
  const runnable = snippets.filter(({ text }) => text.includes('127.0.0.1:9092'));
  for (const { text } of runnable) {
    const script = text.replaceAll('127.0.0.1:9092', bootstrap.join());
    const flags = ['--conditions=tallystick-source', '--input-type=module-typescript', '--eval', script];
    const env = { ...process.env, NODE_NO_WARNINGS: '1' };
    expect(await promisify(execFile)(process.execPath, flags, { cwd: directory, env })).toEqual({
      stdout: '',
      stderr: '',
    });
  }
  const stored = await readTopic(bootstrap, 'audit.events');
  const events = stored.filter(({ headers }) => headers['tallystick-kind'] === undefined);
  expect(events.map(({ key, value }) => [key, JSON.parse(value).event_type]).toSorted()).toEqual([
    ['acme', 'order.refunded'],
    ['tenant-abc', 'alert.classified'],
  ]);
}, 60_000);
