import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type AuditEmitterConfig, createAuditEmitter } from '../../src/index.ts';
import { httpTransport } from '../../src/transport/http.ts';
import { auditServer, problem, type Script } from '../support/audit-server.ts';
import { someEvent } from '../support/events.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const nothingListens = 'http://127.0.0.1:1';

async function replica(script?: Script) {
  const server = await auditServer(script);
  cleanups.push(server.close);
  return server;
}

/** The address of a server that accepts connections and never answers. */
async function frozen(): Promise<string> {
  const server = createServer((socket) => socket.on('error', () => {}).resume());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(async () => server.close());
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

function emitterTo(url: string[], timeoutMs = 15_000, config: AuditEmitterConfig = {}) {
  const transport = httpTransport({ url, timeoutMs });
  const emitter = createAuditEmitter({
    service: 's',
    transport,
    maxRetries: 0,
    flushOnExit: false,
    ...config,
  });
  cleanups.push(() => emitter.close({ deadlineMs: 100 }));
  return emitter;
}

describe('several addresses', () => {
  test('an event goes to the replica that works, and the next ones go there at once', async () => {
    const second = await replica();
    const emitter = emitterTo([nothingListens, second.url]);
    expect(await emitter.record(someEvent())).toMatchObject({ state: 'chained' });
    expect(await emitter.record(someEvent())).toMatchObject({ state: 'chained' });
    expect(second.received).toHaveLength(2);
  });

  test.each<[string, Script]>([
    ['503', (_, response) => problem(response, 503, 'CLOSING')],
    ['the 404 of an ingress', (_, response) => response.writeHead(404).end() !== undefined],
    ['a broken connection', (_, response) => response.destroy() !== undefined],
  ])('after %s the other replica gets the same batch', async (_, script) => {
    const [first, second] = [await replica(script), await replica()];
    const emitter = emitterTo([first.url, second.url]);
    await emitter.record(someEvent());
    expect(second.received[0]?.body).toEqual(first.received[0]?.body);
  });

  test.each([401, 413, 422, 429])(
    '%i is the answer of the service, and no other replica is asked',
    async (status) => {
      const [first, second] = [
        await replica((_, response) => problem(response, status, 'X')),
        await replica(),
      ];
      await expect(emitterTo([first.url, second.url]).record(someEvent())).rejects.toThrow();
      expect(second.received).toEqual([]);
    },
  );

  test('if all fail, the event is kept, and all are tried again', async () => {
    let away = true;
    const script: Script = (_, response) => (away ? problem(response, 503, 'CLOSING') : undefined);
    const [first, second] = [await replica(script), await replica(script)];
    const emitter = emitterTo([first.url, second.url], 15_000, { probeIntervalMs: 1 });
    await expect(emitter.record(someEvent())).rejects.toMatchObject({ code: 'DELIVERY_FAILED' });
    expect([first.received.length > 0, second.received.length > 0]).toEqual([true, true]);
    away = false;
    expect(await emitter.close()).toMatchObject({ delivered: 1, dropped: 0, unconfirmed: 0 });
  });
});

// The emitter waited for the one replica that had just stopped, until the deadline of close(), and lost its events.
test.each([
  ['that is gone', async () => nothingListens],
  ['that is frozen', frozen],
])('close() tries another replica than the one %s before it gives up', async (_, broken) => {
  const second = await replica();
  const emitter = emitterTo([await broken(), second.url], 400, { flushIntervalMs: 60_000 });
  emitter.emit(someEvent());
  expect(await emitter.close({ deadlineMs: 5_000 })).toMatchObject({
    delivered: 1,
    dropped: 0,
    unconfirmed: 0,
  });
  expect(second.received.at(-1)?.body.delivery.final).toEqual([{ tenant_id: 'acme', final_seq: 1 }]);
});

test('an empty list of addresses is an error', () => {
  expect(() => httpTransport({ url: [] })).toThrow('url must not be an empty list');
});
