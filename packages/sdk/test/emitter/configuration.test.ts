import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type AuditEmitterConfig, createAuditEmitter, OpenAPIClientAdapter } from '../../src/index.ts';
import { kafkaTransport } from '../../src/kafka.ts';
import { type HttpTransportOptions, httpTransport } from '../../src/transport/http.ts';
import { MemoryTransport, memoryTransport } from '../../src/transport/memory.ts';
import { auditServer } from '../support/audit-server.ts';
import { testEmitter } from '../support/emitter.ts';
import { someEvent } from '../support/events.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

// A JavaScript program could pass all of these. Some lost every event (a promise of a transport, a service that is a number),
// one made every emit() throw (a taxonomy's name), and some left secrets in the events (`path` for `paths`).
describe('an invalid option is refused when the emitter is created', () => {
  const spool = { directory: join(tmpdir(), 'never-made') };
  test.each<[object, string]>([
    [{ servce: 'checkout' }, 'no option servce'],
    [{ service: 42 }, 'service must be'],
    [{ service: 'x'.repeat(513) }, 'service must be'],
    [{ tenantId: 'a b' }, 'tenantId must match'],
    [{ tenantId: '' }, 'tenantId must match'],
    [{ tenantId: 5 }, 'tenantId must match'],
    [{ transport: 'http://127.0.0.1:8040' }, 'transport must have send(), close()'],
    [{ transport: null }, 'transport must have'],
    [{ transport: Promise.resolve(memoryTransport()) }, 'await the promise of a transport'],
    [{ taxonomy: 'soc' }, 'taxonomy must have find()'],
    [{ logger: () => {} }, 'logger must have info(), warn(), error()'],
    [{ onError: 'log' }, 'onError must be a function'],
    [{ activeTrace: {} }, 'activeTrace must be a function'],
    [{ clock: {} }, 'clock must have'],
    [{ retryDelaysMs: 5 }, 'retryDelaysMs must be a list'],
    [{ retryDelaysMs: [] }, 'retryDelaysMs must be a list'],
    [{ spool: './spool' }, 'spool must be an object'],
    [{ spool: {} }, 'spool.directory must be a path'],
    [{ spool: { dir: './spool' } }, 'spool has no option dir'],
    [{ spool: { ...spool, mode: 'alway' } }, 'spool.mode must be'],
    [{ spool: { ...spool, shared: 'yes' } }, 'spool.shared must be'],
    [{ spool: { ...spool, maxBytes: '1GB' } }, 'spool.maxBytes must be'],
    [{ spool: { ...spool, maxBytes: 0 } }, 'spool.maxBytes must be'],
    [{ spool: { ...spool, fsyncIntervalMs: Number.NaN } }, 'spool.fsyncIntervalMs must be'],
    [{ redaction: true }, 'redaction must be an object'],
    [{ redaction: { path: ['context.email'] } }, 'redaction has no option path'],
    [{ redaction: { names: 'pin' } }, 'redaction.names must be'],
    [{ redaction: { patterns: ['x'] } }, 'redaction.patterns must be'],
    [{ redaction: { patterns: [/x/] } }, 'flag g'],
    [{ redaction: { censor: 'hash' } }, 'redaction.censor must be'],
    [{ redaction: { censor: { hmacKey: '' } } }, 'redaction.censor must be'],
  ])('%j', (config, message) => {
    const make = () => createAuditEmitter({ transport: memoryTransport(), ...config });
    expect(make).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(make).toThrow(message);
  });

  test('a configuration that is not an object', () => {
    expect(() => createAuditEmitter(null as never)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });

  // These threw a TypeError or, for numbers, nothing; then no request was ever sent.
  test.each<[object, string]>([
    [{ url: 'localhost:8040' }, 'url must be'],
    [{ url: 'audit.example.com' }, 'url must be'],
    [{ url: '' }, 'url must be'],
    [{}, 'url must be'],
    [{ timeoutMs: 0 }, 'timeoutMs must be'],
    [{ timeoutMs: '5s' }, 'timeoutMs must be'],
    [{ timeoutMs: Number.POSITIVE_INFINITY }, 'timeoutMs must be'],
    [{ timeout: 5_000 }, 'httpTransport has no option timeout'],
    [{ gzipFromBytes: -1 }, 'gzipFromBytes must be'],
    [{ apiKey: 5 }, 'apiKey must be'],
    [{ apiKey: 'k\u20acy' }, 'apiKey must be'],
  ])('httpTransport(%j)', (options, message) => {
    const url = message.startsWith('url') ? {} : { url: 'http://127.0.0.1:9' };
    const make = () => httpTransport({ ...url, ...options } as HttpTransportOptions);
    expect(make).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(make).toThrow(message);
  });

  test('an invalid url is not quoted, since it may contain a password', () => {
    expect(() => httpTransport({ url: 'htp://user:hunter2@audit' })).not.toThrow('hunter2');
    expect(() => httpTransport({ url: 'htp://user:hunter2@audit' })).toThrow('url must be');
  });

  test('kafkaTransport', () => {
    const brokers = '127.0.0.1:9092';
    expect(() => kafkaTransport({ brokers, acks: 1 } as never)).toThrow('kafkaTransport has no option acks');
    expect(() => kafkaTransport({} as never)).toThrow('brokers must be');
  });
});

// A program passed `{ timeoutMs: settings.timeout }` and had no such setting: `undefined` replaced the default, so that every
// request failed before it was sent. A spool of this kind had no size limit.
describe('an option that is undefined counts as missing', () => {
  test('of the HTTP transport', async () => {
    const server = await auditServer();
    cleanups.push(server.close);
    const missing = undefined as never;
    const transport = new OpenAPIClientAdapter(server.url, missing, {
      apiKey: missing,
      gzipFromBytes: missing,
    });
    const { emitter } = testEmitter({ transport });
    expect(await emitter.record(someEvent())).toMatchObject({ state: 'chained' });
    await transport.close();
  });

  test('of the emitter, its redaction and its spool', async () => {
    const transport = new MemoryTransport();
    const missing = undefined as never;
    const config: AuditEmitterConfig = {
      ...{ service: missing, tenantId: missing, taxonomy: missing, logger: missing, bufferSize: missing },
      ...{ spool: missing, onError: missing, clock: missing, flushOnExit: false, transport },
      redaction: { censor: missing, names: missing, allowNames: missing, patterns: missing, paths: missing },
    };
    const emitter = createAuditEmitter(config);
    emitter.emit(someEvent({ context: { password: 'hunter2' } }));
    expect(await emitter.close()).toMatchObject({ delivered: 1 });
    expect(transport.events[0]?.context).toEqual({ password: '[REDACTED]' });
  });

  test('of the Kafka transport', () => {
    const missing = undefined as never;
    const brokers = '127.0.0.1:9092';
    expect(() =>
      kafkaTransport({ brokers, topic: missing, timeoutMs: missing, clientId: missing }),
    ).not.toThrow();
  });
});

// Files of secrets often end with a newline. Node.js refused to send such a key, and every request failed with
// ERR_INVALID_CHAR.
test('a key with a newline at its end works', async () => {
  const server = await auditServer();
  cleanups.push(server.close);
  for (const apiKey of ['key-1\n', async () => 'key-1\r\n']) {
    const transport = httpTransport({ url: server.url, apiKey });
    const { emitter } = testEmitter({ transport });
    await emitter.record(someEvent());
    await transport.close();
  }
  expect(server.received.map(({ headers }) => headers.authorization)).toEqual([
    'Bearer key-1',
    'Bearer key-1',
  ]);
});

// With `exactOptionalPropertyTypes`, which this repository uses, such code did not compile.
test('options and members of an event may be undefined, also for the compiler', async () => {
  const missing = undefined as string | undefined;
  httpTransport({ url: 'http://127.0.0.1:1', apiKey: missing });
  const { emitter, transport } = testEmitter({ service: missing, logger: undefined, spool: undefined });
  emitter.emit({
    ...someEvent(),
    targetId: missing,
    correlationId: missing,
    metadata: { requestId: missing },
  });
  await emitter.close({ deadlineMs: undefined });
  expect(transport.events[0]).not.toHaveProperty('target_id');
});
