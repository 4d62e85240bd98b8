import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir, until } from '@tallystick/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { auditServer, problem } from '../support/audit-server.ts';
import { runChild } from '../support/run-child.ts';

let server: Awaited<ReturnType<typeof auditServer>>;
beforeEach(async () => {
  server = await auditServer(({ path }, response) =>
    path.startsWith('/refuse') ? problem(response, 422, 'DELIVERY_INVALID') : undefined,
  );
});
afterEach(async () => {
  await server.close();
});

const event = `{ tenantId: 'acme', eventType: 'a.b', actorType: 'system', actorId: 's' }`;
const emitter = (config = '') =>
  `const emitter = sdk.createAuditEmitter({ service: 's', transport: httpTransport({ url: process.env.AUDIT }), ${config} });`;
const run = (script: string) => runChild(script, { AUDIT: server.url });
const delivered = () => server.received.flatMap((request) => request.body.events).length;

describe('a process that ends by itself', () => {
  test('delivers its events, without close()', async () => {
    const { code } = await run(`${emitter()} emitter.emit(${event});`).ended;
    expect(code).toBe(0);
    expect(delivered()).toBe(1);
  });

  test('delivers what a beforeExit listener emits, and ends although the listener emits each time', async () => {
    const once = `process.once('beforeExit', () => emitter.emit(${event}));`;
    expect((await run(`${emitter()} ${once}`).ended).code).toBe(0);
    expect(delivered()).toBe(1);
    const always = `process.on('beforeExit', () => emitter.emit(${event}));`;
    expect((await run(`${emitter()} ${always}`).ended).code).toBe(0);
    expect(delivered()).toBeGreaterThan(1);
  });

  // Only the first beforeExit event was handled: what was emitted after it was lost.
  test('delivers also what is emitted after the first beforeExit event', async () => {
    const { code } = await run(`${emitter()} let ends = 0;
      process.on('beforeExit', () => { if (ends++ === 0) setTimeout(() => emitter.emit(${event}), 20); });`)
      .ended;
    expect(code).toBe(0);
    expect(delivered()).toBe(1);
  });

  test('is not kept alive by an idle emitter, its timers or its connection', async () => {
    const child = run(`${emitter()} await emitter.record(${event}); console.log('recorded');`);
    await child.said('recorded');
    // The server never closes an idle connection: if it kept the process alive, this test would time out.
    expect((await child.ended).code).toBe(0);
  });

  test('ends after the deadline if the service can not be reached', async () => {
    const child = runChild(`${emitter('deadlineMs: 100')} emitter.emit(${event});`, {
      AUDIT: 'http://127.0.0.1:1',
    });
    expect((await child.ended).code).toBe(0);
  });

  test('finishes an awaited close() with nothing else alive', async () => {
    const script = `${emitter()} emitter.emit(${event}); console.log('report', (await emitter.close()).delivered);`;
    const { code, output } = await run(script).ended;
    expect([code, output]).toEqual([0, expect.stringContaining('report 1')]);
  });
});

// A script without close() read as "unclosed", although all of its events had arrived.
describe('the end of a process without close()', () => {
  const finals = () => server.received.flatMap(({ body }) => body.delivery.final as object[]);
  const declared = () => server.received.map(({ body }) => body.delivery);
  const last = (final_seq: number) => [{ tenant_id: 'acme', final_seq }];

  test('is declared when nothing is left to do, once', async () => {
    expect((await run(`${emitter()} emitter.emit(${event}); emitter.emit(${event});`).ended).code).toBe(0);
    expect(finals()).toEqual(last(2));
    expect(declared().some(({ ephemeral }) => ephemeral !== undefined)).toBe(false);
  });

  test('is declared after what a beforeExit listener emits', async () => {
    await run(`${emitter()} emitter.emit(${event});
      process.once('beforeExit', () => emitter.emit(${event}));`).ended;
    expect(finals()).toEqual(last(2));
  });

  test('is not declared a second time after close(), and not for an emitter without events', async () => {
    await run(`${emitter()} emitter.emit(${event}); await emitter.close();
      sdk.createAuditEmitter({ service: 'idle', transport: httpTransport({ url: process.env.AUDIT }) });`)
      .ended;
    expect(finals()).toEqual(last(1));
  });

  test('is not declared by process.exit() without a spool: it stays unknown', async () => {
    await run(`${emitter()} await emitter.record(${event}); process.exit();`).ended;
    expect(finals()).toEqual([]);
  });

  test.each(['overflow', 'always'])(
    'is declared by the next process if process.exit() ended it and it has a spool (%s)',
    async (mode) => {
      using directory = tempDir();
      const spool = `spool: { directory: ${JSON.stringify(directory.path)}, mode: '${mode}' }`;
      const script = `${emitter(`${spool}, flushIntervalMs: 60000`)}
        await emitter.flush(); emitter.emit(${event}); emitter.emit(${event}); console.log(emitter.producerId); process.exit();`;
      const { code, output } = await run(script).ended;
      expect([code, delivered()]).toEqual([0, 0]);
      await run(`${emitter(spool)} await emitter.flush();`).ended;
      expect(delivered()).toBe(2);
      const ended = declared().filter(({ producer_id }) => producer_id === output.trim());
      expect(ended.flatMap(({ final }) => final)).toEqual(last(2));
    },
  );

  test('is kept by the spool if the service is away', async () => {
    using directory = tempDir();
    const spool = `spool: { directory: ${JSON.stringify(directory.path)} }, maxRetries: 0`;
    const away = { AUDIT: 'http://127.0.0.1:1' };
    await runChild(`${emitter(spool)} emitter.emit(${event});`, away).ended;
    await run(`${emitter(spool)} await emitter.flush();`).ended;
    expect(delivered()).toBe(1);
    expect(finals()).toEqual(last(1));
  });

  test('may be unknown for an ephemeral emitter, which says so with every batch', async () => {
    await run(`${emitter('ephemeral: true')} emitter.emit(${event});`).ended;
    expect(declared().length).toBeGreaterThan(0);
    for (const { ephemeral } of declared()) expect(ephemeral).toBe(true);
  });
});

// Adding a listener to the spool's thread undid its unref(): a script with a spool never ended.
describe.each(['overflow', 'always'])('a process with a spool (%s) that ends by itself', (mode) => {
  const spooling = (directory: string) =>
    emitter(`spool: { directory: ${JSON.stringify(directory)}, mode: '${mode}' }, maxRetries: 0`);

  test('is not kept alive by it, and delivers its events', async () => {
    using directory = tempDir();
    const { code } = await run(`${spooling(directory.path)} emitter.emit(${event});`).ended;
    expect(code).toBe(0);
    expect(delivered()).toBe(1);
  });

  test('leaves its events on disk while the service is away', async () => {
    using directory = tempDir();
    const script = `${spooling(directory.path)} emitter.emit(${event});
      process.on('exit', () => console.log('left', emitter.report().spooled));`;
    const { code, output } = await runChild(script, { AUDIT: 'http://127.0.0.1:1' }).ended;
    expect([code, output]).toEqual([0, 'left 1\n']);
    await run(`${spooling(directory.path)} emitter.emit(${event});`).ended;
    expect(delivered()).toBe(2);
  });
});

test('a spool that fails causes a process warning if there is no logger and no onError', async () => {
  using directory = tempDir();
  const file = join(directory.path, 'file');
  writeFileSync(file, '');
  const script = (config = '') => `${emitter(`spool: { directory: ${JSON.stringify(file)} }, ${config}`)}
    emitter.emit(${event}); await emitter.close();`;
  expect((await run(script()).ended).output).toContain(
    '[TALLYSTICK_SPOOL_FAILED] Warning: Audit events are kept in memory only: ',
  );
  expect((await run(script('onError() {}')).ended).output).toBe('');
  expect(delivered()).toBe(2);
});

// A script whose only event was invalid ended with code 0 and said nothing, and the service never learnt of the loss.
describe('an emitter whose only events are invalid, without a logger, onError and close()', () => {
  const invalid = event.replace("actorType: 'system'", "actorType: 'alien'");
  const gaps = () => server.received.flatMap((request) => request.body.delivery.gaps as object[]);

  test('causes one process warning, and the loss is declared before the process ends', async () => {
    const { code, output } = await run(`${emitter()} for (let i = 0; i < 3; i++) emitter.emit(${invalid});`)
      .ended;
    expect(code).toBe(0);
    expect(output.match(/TALLYSTICK_EVENT_REFUSED/g)).toHaveLength(1);
    expect(output).toContain('An audit event is lost: the event was refused: ');
    expect(gaps()).toEqual([{ tenant_id: 'acme', from: 1, to: 3, reason: 'event_invalid' }]);
  });

  test('declares the loss while the process runs on', async () => {
    const child = run(
      `${emitter('flushIntervalMs: 1')} emitter.emit(${invalid}); setInterval(() => {}, 1000);`,
    );
    await until(() => gaps().length === 1);
    child.process.kill();
    await child.ended;
  });

  test('ends although the service refuses the declaration, or can not be reached', async () => {
    const script = `${emitter('deadlineMs: 200')} emitter.emit(${invalid});`;
    for (const AUDIT of [`${server.url}/refuse`, 'http://127.0.0.1:1']) {
      expect((await runChild(script, { AUDIT }).ended).code).toBe(0);
    }
  });

  test('has no warning if onError or a logger is given', async () => {
    const logger = 'logger: { info() {}, warn() {}, error() {} }';
    for (const config of ['onError() {}', logger]) {
      expect((await run(`${emitter(config)} emitter.emit(${invalid});`).ended).output).toBe('');
    }
  });

  test('without a transport ends, too', async () => {
    const script = `const emitter = sdk.createAuditEmitter({ service: 's' }); emitter.emit(${invalid});`;
    const { code, output } = await runChild(script, { TALLYSTICK_URL: '' }).ended;
    expect([code, output]).toEqual([0, expect.stringContaining('TALLYSTICK_EVENT_REFUSED')]);
  });
});

test.each([
  ['REJECTED_BY_SERVICE', 'An audit event is not in the trail'],
  ['CONFLICT', 'An audit event is not in the trail'],
  ['BATCH_REFUSED', 'Audit events are lost'],
])('%s causes a process warning if there is no logger and no onError', async (code, what) => {
  const script = `const send = async ({ events }) => {
      if ('${code}' === 'BATCH_REFUSED' && events.length > 0) throw Object.assign(new Error(), { retryable: false });
      const status = '${code}' === 'CONFLICT' ? 'conflict' : 'rejected';
      return events.map(() => ({ status, error: { code: 'X', message: '' } }));
    };
    const emitter = sdk.createAuditEmitter({ service: 's', transport: { send, async close() {} } });
    emitter.emit(${event}); emitter.emit(${event}); await emitter.flush();`;
  const { output } = await run(script).ended;
  expect(output).toContain(`[TALLYSTICK_${code}] Warning: ${what}: `);
  expect(output.match(/Warning/g)).toHaveLength(1);
});

// Found with Deno, where a thread after unref() does not keep the process alive: the process ended during close().
test('an awaited close() with a spool is finished, with nothing else alive', async () => {
  using directory = tempDir();
  const spool = `spool: { directory: ${JSON.stringify(directory.path)}, mode: 'always' }, maxRetries: 0`;
  const script = `${emitter(spool)} emitter.emit(${event});
    emitter.close({ deadlineMs: 500 }).then((report) => console.log('report', report.spooled));`;
  const { code, output } = await runChild(script, { AUDIT: 'http://127.0.0.1:1' }).ended;
  expect([code, output]).toEqual([0, 'report 1\n']);
});

test('an awaited deadLetters.list() is finished, with nothing else alive', async () => {
  using directory = tempDir();
  const spool = `spool: { directory: ${JSON.stringify(directory.path)} }, flushOnExit: false`;
  const script = `${emitter(spool)}
    const deadLetters = await emitter.deadLetters.list();
    console.log('dead letters', deadLetters.length, await emitter.deadLetters.purge());`;
  const { code, output } = await run(script).ended;
  expect([code, output]).toEqual([0, 'dead letters 0 0\n']);
});

test('closeOnSignals() closes the emitter before SIGTERM ends the process', async () => {
  const child = run(`${emitter('flushIntervalMs: 60000')} sdk.closeOnSignals(emitter);
    emitter.emit(${event}); setInterval(() => {}, 1000); console.log('ready');`);
  await child.said('ready');
  child.process.kill('SIGTERM');
  expect((await child.ended).signal).toBe('SIGTERM');
  expect(delivered()).toBe(1);
  expect(server.received.at(-1)?.body.delivery.final).toEqual([{ tenant_id: 'acme', final_seq: 1 }]);
});

// The first emitter that was closed ended the process, and the others lost their events.
test('closeOnSignals() closes several emitters before SIGTERM ends the process', async () => {
  const child = run(`${emitter('flushIntervalMs: 60000')} sdk.closeOnSignals(emitter);
    const other = sdk.createAuditEmitter({ service: 'other', flushIntervalMs: 60000,
      transport: httpTransport({ url: process.env.AUDIT }) });
    sdk.closeOnSignals(other);
    other.emit(${event}); setInterval(() => {}, 1000); console.log('ready');`);
  await child.said('ready');
  child.process.kill('SIGTERM');
  expect((await child.ended).signal).toBe('SIGTERM');
  expect(delivered()).toBe(1);
});

test('each worker thread has its own producer id', async () => {
  const script = `
    import { Worker, isMainThread } from 'node:worker_threads';
    ${emitter()}
    emitter.emit(${event});
    await emitter.close();`;
  const { code } = await run(`
    import { Worker } from 'node:worker_threads';
    const prelude = ${JSON.stringify(`const sdk = await import(SDK); const { httpTransport } = await import(HTTP);`)};
    ${emitter()}
    emitter.emit(${event});
    const source = prelude.replace('SDK', JSON.stringify(${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)}))
      .replace('HTTP', JSON.stringify(${JSON.stringify(new URL('../../src/transport/http.ts', import.meta.url).href)}))
      + ${JSON.stringify(script.replace(/import .*\n/, ''))};
    const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(source)), { execArgv: ['--conditions=tallystick-source'] });
    await new Promise((resolve, reject) => worker.on('exit', resolve).on('error', reject));
    await emitter.close();`).ended;
  expect(code).toBe(0);
  expect(delivered()).toBe(2);
  expect(new Set(server.received.map((request) => request.body.delivery.producer_id)).size).toBe(2);
});
