import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type AuditEmitterConfig,
  type AuditError,
  createAuditEmitter,
  type SpoolOptions,
} from '../../src/index.ts';
import { MemoryTransport } from '../../src/transport/memory.ts';
import { someEvent } from '../support/events.ts';
import { runChild } from '../support/run-child.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'spool-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** A service that can be switched off, and an emitter that spools for it. */
function setUp(spool: Partial<SpoolOptions> = {}, config: AuditEmitterConfig = {}) {
  const service = { up: true };
  const errors: AuditError[] = [];
  const transport = new MemoryTransport({
    intercept: () => {
      if (!service.up) throw new Error('down');
      return undefined;
    },
  });
  const emitter = createAuditEmitter({
    service: 's',
    transport,
    flushIntervalMs: 5,
    maxRetries: 1,
    retryDelaysMs: [1],
    probeIntervalMs: 5,
    flushOnExit: false,
    onError: (error) => errors.push(error),
    spool: { directory, fsyncIntervalMs: 1, ...spool },
    ...config,
  });
  return { emitter, transport, errors, service };
}

const ids = (transport: MemoryTransport) => transport.events.map((event) => event.audit_id);

describe.each(['overflow', 'always'] as const)('mode %s', (mode) => {
  test('events survive a process whose service is away, and the next process delivers them with their producer id', async () => {
    const first = setUp({ mode }, { bufferSize: 200 });
    await first.emitter.flush();
    first.service.up = false;
    const emitted: string[] = [];
    for (let count = 0; count < 1_000; count++) {
      const result = first.emitter.emit(someEvent({ tenantId: count % 3 === 0 ? 'a' : 'b' }));
      expect(result.state).toBe('buffered');
      emitted.push(result.id);
      // On a slow disk, memory would become full and events would be dropped.
      if (count % 50 === 49) {
        do await first.emitter.flush({ deadlineMs: 20 });
        while (first.emitter.report().pending > 100);
      }
    }
    expect(await first.emitter.close({ deadlineMs: 5_000 })).toMatchObject({
      emitted: 1_000,
      delivered: 0,
      spooled: 1_000,
      pending: 0,
      dropped: 0,
    });

    const second = setUp({ mode });
    const own = second.emitter.emit(someEvent({ tenantId: 'a' })).id;
    expect(await second.emitter.close()).toMatchObject({
      emitted: 1,
      inherited: 1_000,
      delivered: 1_001,
      spooled: 0,
      pending: 0,
    });
    expect(ids(second.transport)).toEqual([...emitted, own]);
    const old = second.transport.batches.filter(
      (batch) => batch.delivery.producer_id === first.emitter.producerId,
    );
    expect(old.flatMap((batch) => batch.delivery.sequences)).toHaveLength(1_000);
    expect(old.flatMap((batch) => batch.delivery.final)).toEqual([
      { tenant_id: 'a', final_seq: 334 },
      { tenant_id: 'b', final_seq: 666 },
    ]);
    expect(new Set(old.map((batch) => batch.delivery.service))).toEqual(new Set(['s']));

    const third = setUp({ mode });
    expect(await third.emitter.close()).toMatchObject({ inherited: 0 });
    expect(third.transport.batches).toEqual([]);
  });

  test('the order of events never changes, whatever the service does in between', async () => {
    const { emitter, transport, service } = setUp({ mode }, { bufferSize: 120, batchSize: 40 });
    const emitted: string[] = [];
    for (let round = 0; round < 30; round++) {
      service.up = round % 5 < 2;
      for (let count = 0; count < 30; count++) {
        const { id, state } = emitter.emit(someEvent());
        if (state === 'buffered') emitted.push(id);
      }
      // A response of the spool's thread: time for it to write.
      await emitter.deadLetters.list();
    }
    service.up = true;
    const report = await emitter.close();
    expect(report).toMatchObject({ emitted: 900, pending: 0, spooled: 0 });
    expect(report.delivered + report.dropped).toBe(900);
    expect(ids(transport)).toEqual(emitted);
    const lost = transport.gaps.reduce((sum, gap) => sum + gap.to - gap.from + 1, 0);
    expect(lost).toBe(report.dropped);
    expect(transport.final).toEqual([{ tenant_id: 'acme', final_seq: 900 }]);
  });

  test('a full spool drops the newest and declares them', async () => {
    const { emitter, transport, errors, service } = setUp({ mode, maxBytes: 40_000 }, { bufferSize: 50 });
    await emitter.flush();
    service.up = false;
    let emitted = 0;
    while (!errors.some(({ code }) => code === 'SPOOL_FULL')) {
      for (let count = 0; count < 20; count++) emitter.emit(someEvent());
      emitted += 20;
      await emitter.flush({ deadlineMs: 15 });
    }
    const before = emitter.report();
    expect(before.dropped).toBeGreaterThan(0);
    expect(before.spooled).toBeGreaterThan(50);
    service.up = true;
    const report = await emitter.close();
    expect(report.delivered + report.dropped).toBe(emitted);
    expect(transport.gaps.map((gap) => gap.reason)).toContain('spool_full');
    expect(transport.gaps.reduce((sum, gap) => sum + gap.to - gap.from + 1, 0)).toBe(report.dropped);
  });

  test('record() gets its receipt', async () => {
    const { emitter } = setUp({ mode });
    const receipts = await Promise.all([1, 2, 3].map(() => emitter.record(someEvent())));
    expect(receipts.map((receipt) => receipt.state)).toEqual(['chained', 'chained', 'chained']);
    expect(await emitter.close()).toMatchObject({ delivered: 3 });
  });
});

test('close() does not wait for a service that is away when everything is on disk', async () => {
  const { emitter, service } = setUp();
  service.up = false;
  const record = emitter.record(someEvent()).catch((error: AuditError) => error);
  expect(await emitter.close({ deadlineMs: 60_000 })).toMatchObject({ spooled: 1 });
  expect(await record).toMatchObject({ outcome: 'unknown' });
});

// It gave up at once because the last try had failed, and left events that it could have delivered for the next start.
test('close() tries once more before it leaves events on disk', async () => {
  const { emitter, transport, service } = setUp(
    { mode: 'always' },
    { maxRetries: 0, probeIntervalMs: 60_000 },
  );
  service.up = false;
  for (let count = 0; count < 100; count++) emitter.emit(someEvent());
  expect(await emitter.flush()).toMatchObject({ spooled: 100 });
  service.up = true;
  expect(await emitter.close()).toMatchObject({ delivered: 100, spooled: 0 });
  expect(transport.final).toEqual([{ tenant_id: 'acme', final_seq: 100 }]);
});

test('a second emitter with the same directory can not use the spool, reports it, and sends from memory', async () => {
  const first = setUp();
  await first.emitter.flush();
  const second = setUp();
  second.emitter.emit(someEvent());
  expect(await second.emitter.close()).toMatchObject({ delivered: 1 });
  expect(second.errors).toMatchObject([{ code: 'SPOOL_LOCKED' }]);
  first.emitter.emit(someEvent());
  expect(await first.emitter.close()).toMatchObject({ delivered: 1 });
  expect(first.errors).toEqual([]);
});

test('no secret reaches the disk', async () => {
  const { emitter, service } = setUp({ mode: 'always' });
  service.up = false;
  for (let count = 0; count < 50; count++)
    emitter.emit(someEvent({ context: { password: `hunter2-${count}` } }));
  await emitter.flush({ deadlineMs: 5_000 });
  expect(emitter.report().spooled).toBe(50);
  const bytes = readdirSync(directory).map((name) => readFileSync(join(directory, name)).toString('latin1'));
  expect(bytes.join()).toContain('[REDACTED]');
  expect(bytes.join()).not.toContain('hunter2');
  await emitter.close();
});

test('where the disk can not be written, events are sent from memory and the fault is reported', async () => {
  writeFileSync(join(directory, 'file'), '');
  const { emitter, transport, errors } = setUp({
    mode: 'always',
    directory: join(directory, 'file', 'spool'),
  });
  for (let count = 0; count < 20; count++) emitter.emit(someEvent());
  expect(await emitter.close()).toMatchObject({ delivered: 20, spooled: 0 });
  expect(transport.events).toHaveLength(20);
  expect(errors).toMatchObject([{ code: 'SPOOL_FAILED' }]);
});

test('a batch that is refused permanently becomes dead letters, and the next one is sent', async () => {
  const { emitter, transport } = setUp({ mode: 'always' });
  let calls = 0;
  const send = transport.send.bind(transport);
  transport.send = (batch, signal) => {
    if (++calls === 1) throw Object.assign(new Error('no'), { retryable: false, status: 400 });
    return send(batch, signal);
  };
  emitter.emit(someEvent());
  await emitter.flush();
  emitter.emit(someEvent());
  expect(await emitter.close()).toMatchObject({ delivered: 1, rejected: 1 });
  expect(transport.gaps).toEqual([{ tenant_id: 'acme', from: 1, to: 1, reason: 'batch_refused' }]);
});

test('where threads are forbidden, the spool is abandoned, which is reported, and events are sent from memory', async () => {
  const script = `
    const codes = [];
    const transport = { send: async (batch) => batch.events.map(() => ({ status: 'accepted', audit_id: '' })), close: async () => {} };
    const emitter = sdk.createAuditEmitter({ service: 's', transport, spool: { directory: ${JSON.stringify(directory)} },
      onError: ({ code }) => codes.push(code) });
    emitter.emit({ tenantId: 'acme', eventType: 'a.b', actorType: 'system', actorId: 's' });
    const { delivered } = await emitter.close();
    console.log(JSON.stringify({ codes, delivered }));`;
  const { code, output } = await runChild(script, {
    NODE_OPTIONS: '--permission --allow-fs-read=* --allow-fs-write=*',
    NODE_NO_WARNINGS: '1',
  }).ended;
  expect([code, output]).toEqual([0, `${JSON.stringify({ codes: ['SPOOL_FAILED'], delivered: 1 })}\n`]);
});
