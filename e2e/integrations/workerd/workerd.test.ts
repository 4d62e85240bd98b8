import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createClient } from '@tallystick/client';
import { createAuditEmitter } from '@tallystick/sdk';
import { memoryTransport } from '@tallystick/sdk/memory';
import { AuditService } from '@tallystick/server';
import { type HttpServer, serveHttp } from '@tallystick/server/http';
import { freePort, prepareEmbeddedStore, type TempDir, tempDir, until } from '@tallystick/testing';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** The emitter for edge runtimes in workerd, the runtime of Cloudflare Workers, without its compatibility with Node.js. */

const entry = resolve(import.meta.dirname, '../../../packages/sdk/src/fetch/index.ts');
let directory: TempDir;
let service: AuditService;
let server: HttpServer;
let worker: ChildProcess;
let address: string;
let key: string;

/** Bundles a module and all that it imports, as a Worker is built. `imports` is what could not be bundled. */
async function bundle(input: string, minify: boolean) {
  const build = await rolldown({
    input,
    resolve: { conditionNames: ['tallystick-source', 'workerd', 'import', 'default'] },
    platform: 'neutral',
    logLevel: 'silent',
  });
  const { output } = await build.generate({ format: 'esm', minify });
  await build.close();
  const [chunk] = output;
  return { code: chunk.code, imports: [...chunk.imports, ...chunk.dynamicImports], modules: chunk.moduleIds };
}

beforeAll(async () => {
  directory = tempDir();
  await prepareEmbeddedStore(directory.path);
  service = await AuditService.open({ store: { directory: directory.path }, logName: 'edge.example' });
  ({ key } = await service.keys.create({ name: 'edge', scopes: ['events:write', 'events:read'] }));
  server = await serveHttp(service, { port: 0, logger: false });
  const { code } = await bundle(join(import.meta.dirname, 'worker.ts'), false);
  const port = await freePort();
  address = `http://127.0.0.1:${port}`;
  writeFileSync(
    join(directory.path, 'worker.js'),
    code.replaceAll("apiKey: 'k'", `apiKey: '${key}'`).replaceAll('apiKey: "k"', `apiKey: '${key}'`),
  );
  writeFileSync(
    join(directory.path, 'config.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
    const config :Workerd.Config = (
      services = [
        (name = "main", worker = (
          modules = [(name = "worker.js", esModule = embed "worker.js")],
          compatibilityDate = "2026-01-01",
          bindings = [(name = "AUDIT_URL", text = "${server.url}")],
        )),
        (name = "internet", network = (allow = ["public", "private"])),
      ],
      sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
    );`,
  );
  const program = resolve(import.meta.dirname, '../node_modules/.bin/workerd');
  worker = spawn(program, ['serve', join(directory.path, 'config.capnp')], { stdio: 'inherit' });
  await until(async () => (await fetch(address)).ok, { timeoutMs: 30_000 });
});
afterAll(async () => {
  worker?.kill();
  await server?.close();
  await service?.close();
  directory?.remove();
});

async function chained(type: string) {
  const client = createClient({ url: server.url, apiKey: key });
  const { events } = await client.events.list({ tenant_id: 'acme', limit: 100 });
  return events
    .filter(({ event_type }) => event_type === type)
    .toSorted((one, other) => Number(one.sequence_number) - Number(other.sequence_number));
}

test('the Worker has no process and no modules of Node.js', async () => {
  expect(await (await fetch(address)).json()).toEqual({ node: 'undefined' });
});

test('nothing that the entry imports is a module of Node.js, and the bundle is as small as the guide says', async () => {
  const { code, imports, modules } = await bundle(entry, true);
  expect(imports).toEqual([]);
  expect(modules.length).toBeGreaterThan(20);
  for (const module of modules.filter((id) => id.endsWith('.ts')))
    expect(readFileSync(module, 'utf8'), module).not.toMatch(/^(?:import|export) (?!type).*from 'node:/m);
  const guide = readFileSync(resolve(import.meta.dirname, '../../../docs/integrations/edge.md'), 'utf8');
  const [, stated] = /less than (\d+) kB compressed/.exec(guide)!;
  expect(gzipSync(code).length / 1000).toBeLessThan(Number(stated));
});

test('events of a request are delivered after its response, complete and in order', async () => {
  expect(await (await fetch(`${address}/emit`)).text()).toBe('sent later');
  await until(async () => (await chained('order.refunded')).length >= 4);
  const events = await chained('order.refunded');
  expect(events.slice(0, 3).map(({ target_id, source_service }) => [target_id, source_service])).toEqual([
    ['1', 'edge'],
    ['2', 'edge'],
    ['3', 'edge'],
  ]);
  // The same values through the SDK of Node.js.
  const transport = memoryTransport();
  const emitter = createAuditEmitter({ service: 'edge', transport, redaction: { censor: { hmacKey: 'k' } } });
  emitter.emit({
    tenantId: 'acme',
    eventType: 'order.refunded',
    actorType: 'user',
    actorId: 'maria',
    context: {
      date: new Date(0),
      map: new Map([['a', 1n]]),
      set: new Set([1, 2]),
      error: new TypeError('t'),
      bytes: new Uint8Array([1, 2, 255]),
      headers: new Headers({ accept: 'x' }),
      pattern: /a+/,
      password: 'hunter2',
    },
  });
  await emitter.close();
  expect(events[3]!.context).toEqual(transport.events[0]!.context);
  expect(JSON.stringify(events[3]!.context)).toContain('"password":"hmac:');
});

test('record() answers with the receipt', async () => {
  const answer = (await (await fetch(`${address}/record`)).json()) as { state: string; sequence: number };
  expect(answer).toEqual({ state: 'chained', sequence: expect.any(Number) });
});

test('withAudit in a Worker, with an emitter per request', async () => {
  expect(await (await fetch(`${address}/audited`)).text()).toBe('done');
  await until(async () => (await chained('page.read')).length === 1);
});

test('every producer has declared its end', async () => {
  const response = await fetch(`${server.url}/v1/audit/producers?tenant_id=acme&all=true`, {
    headers: { authorization: `Bearer ${key}` },
  });
  const { producers } = (await response.json()) as { producers: object[] };
  expect(producers.length).toBeGreaterThan(1);
  for (const producer of producers)
    expect(producer).toMatchObject({ state: 'closed', ephemeral: true, open_numbers: 0 });
});
