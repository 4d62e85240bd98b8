import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { eventErrorCodes } from '@tallystick/event';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { auditErrorCodes } from '../src/index.ts';
import { auditServer } from './support/audit-server.ts';
import { isVitest, pages, runVitest, type Snippet, typeCheck, writeSnippets } from './support/snippets.ts';

const { snippets, directory, remove } = writeSnippets();
afterAll(remove);

let server: Awaited<ReturnType<typeof auditServer>>;
beforeAll(async () => {
  server = await auditServer();
});
afterAll(() => server.close());

/** Runs an example by itself, with the environment variables of the guide. */
async function runSnippet(snippet: Snippet) {
  const before = server.received.length;
  const script = snippet.text.replaceAll('http://127.0.0.1:8040', server.url);
  const child = spawn(
    process.execPath,
    ['--conditions=tallystick-source', '--input-type=module-typescript', '--eval', script],
    {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TALLYSTICK_URL: server.url, TALLYSTICK_API_KEY: 'k', NODE_NO_WARNINGS: '1' },
    },
  );
  const ended = new Promise<number | null>((done) => child.on('close', done));
  const [output, complaints] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const code = await ended;
  const requests = server.received.slice(before);
  return { code, output, complaints, events: requests.flatMap((request) => request.body.events) };
}

test('all examples compile', () => {
  expect(snippets.length).toBeGreaterThan(12);
  expect(typeCheck(directory)).toBe('');
}, 120_000);

describe('each example runs without errors', () => {
  // The examples of kafka.md need a broker: kafka/guide.kafka.test.ts runs them.
  for (const snippet of snippets.filter(({ name, text }) => !isVitest(text) && !name.includes('kafka.md'))) {
    test(snippet.name, async () => {
      const { code, output, complaints, events } = await runSnippet(snippet);
      expect([code, complaints], output).toEqual([0, '']);
      // The examples of testing.md use a transport in memory.
      if (!snippet.name.includes('testing.md')) expect(events.length).toBeGreaterThan(0);
    });
  }

  test('the examples that are vitest tests', () => {
    expect(snippets.filter(({ text }) => isVitest(text)).length).toBeGreaterThan(0);
    expect(runVitest(directory)).toBe('');
  }, 60_000);
});

test('the first example of the README delivers an event as it is', async () => {
  const first = snippets.find(({ name }) => name.startsWith('packages/sdk/README.md'))!;
  expect((await runSnippet(first)).events).toMatchObject([
    { tenant_id: 'acme', event_type: 'order.refunded', source_service: 'checkout' },
  ]);
});

test('the guide to errors contains every code', () => {
  const catalogue = readFileSync(pages().find((page) => page.endsWith('/errors.md'))!, 'utf8');
  // A code has its own heading, or a row of a table.
  const rows = catalogue.split('\n').filter((line) => line.startsWith('### `') || line.startsWith('| `'));
  const listed = rows.flatMap((row) =>
    Array.from(row.split(' | ')[0]!.matchAll(/`([A-Z0-9_]+)`/g), ([, code]) => code),
  );
  expect(listed.toSorted()).toEqual([...auditErrorCodes, ...eventErrorCodes].toSorted());
});

test('links between the pages lead to existing pages and headings', () => {
  const anchors = (file: string) =>
    Array.from(readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm), ([, heading]) =>
      heading!
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    );
  for (const page of pages()) {
    for (const [, target] of readFileSync(page, 'utf8').matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
      const [path, anchor] = target!.split('#');
      const file = path === '' ? page : resolve(dirname(page), path!);
      const there = anchor === undefined ? readFileSync(file).length > 0 : anchors(file).includes(anchor);
      expect(there, `${page}: ${target}`).toBe(true);
    }
  }
});
