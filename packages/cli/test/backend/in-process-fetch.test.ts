import { createServer, type RequestListener, type Server } from 'node:http';
import { createClient } from '@tallystick/client';
import { afterEach, describe, expect, test } from 'vitest';
import { type InProcess, inProcess } from '../../src/backend/in-process-fetch.ts';

let server: Server;
let connection: InProcess;
afterEach(() => connection.close());

/** A client of a server that does not listen. */
function clientOf(listener: RequestListener) {
  server = createServer(listener);
  connection = inProcess(server);
  return createClient({
    url: 'http://embedded.invalid',
    apiKey: 'k',
    fetch: connection.fetch,
    retry: { delaysMs: [] },
  });
}

test('method, path, headers and body arrive, and the answer comes back', async () => {
  const seen: unknown[] = [];
  const client = clientOf(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    seen.push([request.method, request.url, request.headers.authorization, Buffer.concat(chunks).toString()]);
    response.writeHead(201, { 'content-type': 'application/json' }).end('{"id":"1","key":"ü"}');
  });
  expect(await client.apiKeys.create({ name: 'é', scopes: ['admin'] })).toEqual({ id: '1', key: 'ü' });
  expect(seen).toEqual([['POST', '/v1/api-keys', 'Bearer k', '{"name":"é","scopes":["admin"]}']]);
  expect(server.listening).toBe(false);
});

test('an answer without a body', async () => {
  const client = clientOf((_, response) => void response.writeHead(204).end());
  expect(await client.apiKeys.revoke('1')).toBeUndefined();
});

test('a refusal is one', async () => {
  const client = clientOf((_, response) => {
    response.writeHead(404).end('{"code":"NOT_FOUND","title":"Not found","detail":"no such tenant"}');
  });
  await expect(client.logs.keys('acme')).rejects.toMatchObject({ code: 'NOT_FOUND', status: 404 });
});

describe('a long answer', () => {
  const chunk = Buffer.alloc(64 << 10);
  const total = 4_000;
  /** Writes chunks as fast as the reader takes them, and counts them. */
  const endless = (written: { chunks: number; closed: boolean }) =>
    clientOf((_, response) => {
      response.once('close', () => {
        written.closed = true;
      });
      const write = () => {
        while (written.chunks < total && !response.destroyed) {
          written.chunks++;
          if (!response.write(chunk)) return void response.once('drain', write);
        }
        response.end();
      };
      write();
    });

  test('is written no faster than it is read, so that it needs no memory', async () => {
    const written = { chunks: 0, closed: false };
    let bytes = 0;
    let ahead = 0;
    for await (const part of endless(written).logs.bundle('acme')) {
      bytes += part.length;
      ahead = Math.max(ahead, written.chunks * chunk.length - bytes);
    }
    expect(bytes).toBe(total * chunk.length);
    expect(ahead).toBeLessThan(1 << 20);
  });

  test('ends when its reader stops', async () => {
    const written = { chunks: 0, closed: false };
    for await (const _ of endless(written).logs.bundle('acme')) break;
    await expect.poll(() => written.closed).toBe(true);
    expect(written.chunks).toBeLessThan(total);
  });

  test('that the server breaks off is not complete', async () => {
    const client = clientOf((_, response) => {
      response.write('a part', () => response.destroy());
    });
    const read = async () => {
      for await (const _ of client.logs.bundle('acme'));
    };
    await expect(read()).rejects.toThrow();
  });
});

test('an abort ends a request, and a live stream ends quietly', async () => {
  const started: (() => void)[] = [];
  const client = clientOf((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('id: 1-1\ndata: {"n":1}\n\n', () => started.shift()?.());
  });
  const stop = new AbortController();
  const seen: unknown[] = [];
  for await (const { event } of client.events.follow({}, { signal: stop.signal })) {
    seen.push(event.n);
    stop.abort();
  }
  expect(seen).toEqual([1]);

  const silent = clientOf(() => {});
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(silent.tenants.list({}, { signal })).rejects.toThrow('enough');
  const later = new AbortController();
  const call = silent.tenants.list({}, { signal: later.signal });
  later.abort(new Error('enough'));
  await expect(call).rejects.toThrow('enough');
});
