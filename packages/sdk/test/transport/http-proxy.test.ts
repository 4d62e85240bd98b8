import { type HttpProxy, httpProxy } from '@tallystick/testing';
import { afterEach, expect, test, vi } from 'vitest';
import { createAuditEmitter } from '../../src/index.ts';
import { httpTransport } from '../../src/transport/http.ts';
import { auditServer } from '../support/audit-server.ts';
import { someEvent } from '../support/events.ts';

const cleanups: (() => Promise<unknown>)[] = [];
let proxy: HttpProxy;
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function record(url: (server: string) => string, env: { readonly [name: string]: string } = {}) {
  const server = await auditServer();
  proxy = await httpProxy(new URL(server.url).host);
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'])
    vi.stubEnv(name, env[name]?.replace('PROXY', proxy.url));
  const transport = httpTransport({ url: url(server.url), timeoutMs: 2_000 });
  const emitter = createAuditEmitter({
    service: 'checkout',
    transport,
    retryDelaysMs: [1],
    flushOnExit: false,
  });
  cleanups.push(proxy.close, server.close, () => emitter.close({ deadlineMs: 100 }));
  await emitter.record(someEvent());
}

test('a service behind a proxy is reached through it', async () => {
  await record(() => 'http://audit.internal/base', { HTTP_PROXY: 'PROXY' });
  expect(proxy.requests).toEqual(['POST http://audit.internal/base/v1/audit/events/batch']);
});

test('HTTPS goes through a tunnel, so that the proxy does not see the key', async () => {
  const recording = record(() => 'https://audit.internal', { https_proxy: 'PROXY' });
  // The other end of the tunnel does not speak TLS, so the emitter tries again.
  recording.catch(() => {});
  await expect.poll(() => proxy?.requests[0]).toBe('CONNECT audit.internal:443');
});

test.each([
  ['a loopback address', { HTTP_PROXY: 'PROXY' }],
  ['a host in NO_PROXY', { HTTP_PROXY: 'PROXY', NO_PROXY: '127.0.0.1' }],
  ['no proxy', {}],
])('is reached directly: %s', async (_, env) => {
  await record((server) => server, env);
  expect(proxy.requests).toEqual([]);
});
