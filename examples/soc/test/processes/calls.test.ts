import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { Unavailable } from '../../src/platform/topics.ts';
import { CallClient } from '../../src/processes/calls/call-client.ts';
import { type Calls, startCallServer } from '../../src/processes/calls/call-server.ts';
import { remoteControls } from '../../src/processes/calls/controls.ts';
import { loopbackPorts } from '../../src/processes/loopback-ports.ts';

const key = 'the key of the platform';
const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

async function serve(calls: Calls, withKey = key): Promise<string> {
  const [port] = (await loopbackPorts(1)) as [number];
  open.push(await startCallServer({ port, key: withKey, calls, isReady: () => true }));
  return `http://127.0.0.1:${port}`;
}

/** Another program of the machine, which took the port while the process was away. */
async function impostor(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const call = (url: string, name: string, argument: unknown = null) =>
  new CallClient({ url, key }).call(name, argument, 5_000);

test('a call gives its result, or the refusal with its code', async () => {
  const url = await serve({
    double: async (value) => Number(value) * 2,
    refuse: async () => {
      throw Object.assign(new Error('no'), { code: 'NOT_ALLOWED' });
    },
    fail: async () => {
      throw new Unavailable('later');
    },
  });
  expect(await call(url, 'double', 21)).toBe(42);
  await expect(call(url, 'refuse')).rejects.toMatchObject({ name: 'CallRefused', code: 'NOT_ALLOWED' });
  await expect(call(url, 'fail')).rejects.toThrow(Unavailable);
  for (const name of ['toString', '__proto__', 'nothing'])
    await expect(call(url, name)).rejects.toThrow('no such call');
});

test('a program that took the port learns no key, and nothing that it answers is believed', async () => {
  const seen: string[] = [];
  const note = async (request: IncomingMessage) => {
    seen.push(JSON.stringify(request.headers) + (await text(request)));
  };
  const url = await impostor(async (request, response) => {
    await note(request);
    response.end('{"result":false}');
  });
  const controls = remoteControls(new CallClient({ url, key }));
  await expect(controls.isKilled('acme', [{ kind: 'tenant', value: 'acme' }])).rejects.toThrow(Unavailable);
  await expect(controls.isShadow('acme')).rejects.toThrow(Unavailable);
  expect(seen).toHaveLength(2);
  expect(seen.join()).not.toContain(key);
});

test('an answer to another call is not believed', async () => {
  const genuine = await serve({ isShadow: async (tenant) => tenant === 'globex' });
  let recorded: { readonly headers: Headers; readonly body: string } | undefined;
  // It passes the first call on to the process, and answers the next one with what it got.
  const url = await impostor(async (request, response) => {
    const body = await text(request);
    if (recorded === undefined) {
      const headers = { ...request.headers } as Record<string, string>;
      delete headers['content-length'];
      delete headers.connection;
      delete headers.host;
      delete headers['transfer-encoding'];
      const answer = await fetch(genuine + request.url, { method: 'POST', headers, body });
      recorded = { headers: answer.headers, body: await answer.text() };
    }
    response.writeHead(200, Object.fromEntries(recorded.headers)).end(recorded.body);
  });
  expect(await call(url, 'isShadow', 'acme')).toBe(false);
  await expect(call(url, 'isShadow', 'globex')).rejects.toThrow(Unavailable);
});

test('a call without the key, or with another argument than was proven, is not made', async () => {
  const made: unknown[] = [];
  const calls = { admit: async (argument: unknown) => made.push(argument) };
  const url = await serve(calls);
  await expect(new CallClient({ url, key: 'another key' }).call('admit', 1, 5_000)).rejects.toThrow(
    Unavailable,
  );
  const changing = await impostor(async (request, response) => {
    await text(request);
    const headers = { ...request.headers } as Record<string, string>;
    for (const name of ['content-length', 'connection', 'host', 'transfer-encoding']) delete headers[name];
    const answer = await fetch(url + request.url, { method: 'POST', headers, body: '"everything"' });
    response.writeHead(answer.status).end(await answer.text());
  });
  await expect(call(changing, 'admit', 'one')).rejects.toThrow(Unavailable);
  const bare = await fetch(`${url}/calls/admit`, { method: 'POST', body: '1' });
  expect([bare.status, bare.headers.get('x-soc-proof'), made]).toEqual([401, null, []]);
});

test('controls take nothing but a decision for one', async () => {
  const url = await serve({
    isKilled: async () => undefined,
    isShadow: async () => 'no',
    admitAutomatic: async () => 1,
  });
  const controls = remoteControls(new CallClient({ url, key }));
  // No answer would count as "not killed".
  await expect(controls.isKilled('acme', [])).rejects.toThrow();
  await expect(controls.isShadow('acme')).rejects.toThrow();
});
