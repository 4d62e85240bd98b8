import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import type { Batch } from '@tallystick/sdk';
import { memoryTransport } from '@tallystick/sdk/memory';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** Pino with its worker thread, in a process of its own. */

const service = memoryTransport();
const server = createServer(async (request, response) => {
  const body = await buffer(request);
  const unpacked = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
  const { delivery, events } = JSON.parse(unpacked.toString()) as {
    delivery: Batch['delivery'];
    events: object[];
  };
  const batch = { delivery, events: events.map((event) => JSON.stringify(event)) };
  const results = await service.send(batch, new AbortController().signal);
  response.writeHead(201).end(JSON.stringify({ results }));
});
beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterAll(() => void server.close().closeAllConnections());

async function run(...args: string[]) {
  const file = join(import.meta.dirname, 'logging.ts');
  const child = spawn(process.execPath, ['--conditions=tallystick-source', file, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      TALLYSTICK_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      TALLYSTICK_API_KEY: 'k',
    },
  });
  const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve(code ?? signal)));
  const [output, complaints, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  const lines = output.split('\n').filter((line) => line !== '');
  return { code, complaints, messages: lines.map((line) => JSON.parse(line).msg as string), output };
}

const chained = (type: string) => service.events.filter(({ event_type }) => event_type === type);

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
    const events = chained(`order.${ending}`);
    expect(events.map(({ target_id }) => target_id)).toEqual(targets);
    expect(events[0]).toMatchObject({ source_service: 'shop', context: { password: '[REDACTED]' } });
    // A process that is killed right after the delivery can't declare the end of its producer.
    const final = code === 0 ? [{ tenant_id: 'acme', final_seq: 300 }] : [];
    expect(service.batches.at(-1)!.delivery.final).toEqual(final);
    if (form === 'targets') expect(result.messages).toContain('an ordinary line');
  },
);

test('in a pipeline the other lines go on, and lines with an event do not', async () => {
  const { code, messages, output } = await run('piped', 'pipeline');
  expect(code).toBe(0);
  expect(messages.filter((message) => message === 'an ordinary line')).toHaveLength(300);
  expect(messages).toContain('a line with another meaning');
  expect(output).not.toContain('hunter2');
  expect(chained('order.piped')).toHaveLength(300);
});
