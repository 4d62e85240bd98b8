import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@tallystick/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AuditEmitterConfig, createAuditEmitter } from '../../src/index.ts';
import { MemoryTransport } from '../../src/transport/memory.ts';
import { someEvent } from '../support/events.ts';
import { runChild } from '../support/run-child.ts';

let directory: ReturnType<typeof tempDir>;
beforeEach(() => {
  directory = tempDir();
});
afterEach(() => directory.remove());

function setUp(config: AuditEmitterConfig = {}) {
  const transport = new MemoryTransport();
  const codes: string[] = [];
  const emitter = createAuditEmitter({
    ...{ service: 's', transport, flushIntervalMs: 5, flushOnExit: false },
    spool: { directory: directory.path, shared: true, mode: 'always', fsyncIntervalMs: 1 },
    onError: ({ code }) => codes.push(code),
    ...config,
  });
  return { emitter, transport, codes };
}

const away = { url: 'http://127.0.0.1:1' };
const worker = `
  const emitter = sdk.createAuditEmitter({ service: 's', flushIntervalMs: 5, maxRetries: 0,
    transport: httpTransport(${JSON.stringify(away)}), spool: { directory: process.env.SPOOL, shared: true, mode: 'always' } });
  for (let count = 0; count < 100; count++) emitter.emit({ tenantId: 'acme', eventType: 'a.b', actorType: 'system', actorId: process.env.NAME });
  while (emitter.report().spooled < 100) await new Promise((resolve) => setTimeout(resolve, 5));
  console.log('spooled');
  setInterval(() => {}, 1000);`;

// Each cluster worker needed a directory with a stable name; otherwise the events that it left were never delivered.
test('workers share a directory; the next one delivers the events of killed ones with their producer ids', async () => {
  const children = ['one', 'two', 'three'].map((NAME) => runChild(worker, { NAME, SPOOL: directory.path }));
  await Promise.all(children.map((child) => child.said('spooled')));
  expect(readdirSync(directory.path).sort()).toEqual(['0', '1', '2']);
  const [one, two, three] = children;
  for (const child of [one!, two!]) {
    child.process.kill('SIGKILL');
    await child.ended;
  }
  const successor = setUp();
  expect(await successor.emitter.close()).toMatchObject({ inherited: 200, delivered: 200 });
  expect(successor.codes).toEqual([]);
  // The third process runs, and keeps its events.
  three!.process.kill('SIGKILL');
  await three!.ended;
  const last = setUp();
  expect(await last.emitter.close()).toMatchObject({ inherited: 100, delivered: 100 });

  const batches = [...successor.transport.batches, ...last.transport.batches];
  const producers = new Map<string, number[]>();
  for (const { delivery } of batches) {
    producers.set(delivery.producer_id, [
      ...(producers.get(delivery.producer_id) ?? []),
      ...delivery.sequences,
    ]);
  }
  expect(producers.size).toBe(3);
  for (const numbers of producers.values()) {
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  }
}, 60_000);

test('the end of a closed emitter is declared after its events, and its dead letters are taken over', async () => {
  const down = new MemoryTransport({
    intercept: ({ events }) => {
      const final = events.some((text) => text.includes('refuse me'));
      throw Object.assign(new Error('no'), final ? { retryable: false, status: 400 } : {});
    },
  });
  const blocker = setUp();
  await blocker.emitter.flush();
  const first = setUp({ transport: down, maxRetries: 0, probeIntervalMs: 5 });
  first.emitter.emit(someEvent({ context: { text: 'refuse me' } }));
  await first.emitter.flush();
  first.emitter.emit(someEvent());
  first.emitter.emit(someEvent());
  expect(await first.emitter.close()).toMatchObject({ rejected: 1, spooled: 2 });
  await blocker.emitter.close();

  const { emitter, transport } = setUp();
  expect(await emitter.deadLetters.list()).toHaveLength(1);
  expect(await emitter.close()).toMatchObject({ inherited: 2, delivered: 2 });
  expect(transport.gaps).toEqual([{ tenant_id: 'acme', from: 1, to: 1, reason: 'batch_refused' }]);
  expect(transport.final).toEqual([{ tenant_id: 'acme', final_seq: 3 }]);
  expect(transport.batches.findIndex(({ delivery }) => delivery.final.length > 0)).toBeGreaterThan(
    transport.batches.findIndex(({ events }) => events.length > 0),
  );
});

test('a subdirectory that can not be read is left unchanged and reported', async () => {
  const first = setUp();
  await first.emitter.flush();
  const second = setUp();
  await second.emitter.flush();
  await Promise.all([first.emitter.close(), second.emitter.close()]);
  const [, name] = readdirSync(directory.path).sort();
  for (const file of readdirSync(join(directory.path, name!))) rmSync(join(directory.path, name!, file));
  writeFileSync(
    join(directory.path, name!, 'spool.sqlite'),
    'this is no database, whatever its name says'.repeat(100),
  );
  const { emitter, codes } = setUp();
  emitter.emit(someEvent());
  expect(await emitter.close()).toMatchObject({ delivered: 1 });
  expect(codes).toEqual(['SPOOL_FAILED']);
});
