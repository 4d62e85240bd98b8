import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SyncCount, tempDir } from '@tallystick/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAuditEmitter } from '../../src/index.ts';
import { MemoryTransport } from '../../src/transport/memory.ts';
import { runChild } from '../support/run-child.ts';
import { writtenToDisk } from '../support/spool.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'spool-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

// More events than fit in memory are emitted, the process is killed, and another one delivers what it left on disk.
test('after kill -9, delivered and declared lost make up what was emitted, to the event', async () => {
  const child = runChild(
    `${writtenToDisk}
     const emitter = sdk.createAuditEmitter({ service: 's', bufferSize: 50, flushIntervalMs: 5, clock,
       transport: httpTransport({ url: 'http://127.0.0.1:1' }),
       spool: { directory: process.env.SPOOL, mode: 'always', fsyncIntervalMs: 7, maxBytes: 200_000 } });
     await emitter.flush();
     for (let count = 0; count < 3000; count++) {
       emitter.emit({ tenantId: 't' + (count % 3), eventType: 'a.b', actorType: 'system', actorId: 's' });
       // A response of the spool's thread: time for it to write.
       if (count % 30 === 0) await emitter.deadLetters.list();
     }
     // A kill may lose what is not on disk yet.
     await written(emitter);
     console.log(JSON.stringify(emitter.report()));
     setInterval(() => {}, 1000);`,
    { SPOOL: directory },
  );
  await child.said('"pending"');
  child.process.kill('SIGKILL');
  const { output } = await child.ended;
  const before = JSON.parse(output.slice(output.indexOf('{"emitted"'), output.indexOf('}') + 1));
  expect(before).toMatchObject({ emitted: 3_000, delivered: 0 });
  expect(before.dropped).toBeGreaterThan(0);
  expect(before.spooled).toBeGreaterThan(0);

  const transport = new MemoryTransport();
  const emitter = createAuditEmitter({ service: 's', transport, spool: { directory }, flushOnExit: false });
  const report = await emitter.close();
  expect(report).toMatchObject({ emitted: 0, inherited: before.spooled, delivered: before.spooled });
  // Each sequence number of each tenant is there exactly once: as an event or within a gap.
  const numbers = new Map<string, number[]>();
  const add = (tenant: string, number: number) =>
    numbers.set(tenant, [...(numbers.get(tenant) ?? []), number]);
  for (const { events, delivery } of transport.batches) {
    for (const [index, text] of events.entries()) add(JSON.parse(text).tenant_id, delivery.sequences[index]!);
    for (const gap of delivery.gaps) for (let n = gap.from; n <= gap.to; n++) add(gap.tenant_id, n);
  }
  let accounted = 0;
  for (const list of numbers.values()) {
    expect(new Set(list).size).toBe(list.length);
    accounted += list.length;
  }
  expect(accounted).toBe(3_000 - before.pending);
  // The killed process did not declare its end, so it stays unclosed.
  expect(transport.final).toEqual([]);
}, 60_000);

test('a process that is killed during a write leaves a spool that opens and contains complete events', async () => {
  let inherited = 0;
  for (let round = 0; round < 5; round++) {
    const child = runChild(
      `const emitter = sdk.createAuditEmitter({ service: 's', transport: httpTransport({ url: 'http://127.0.0.1:1' }),
         spool: { directory: process.env.SPOOL, mode: 'always', fsyncIntervalMs: 1 } });
       const more = () => { for (let n = 0; n < 20; n++) emitter.emit({ tenantId: 't', eventType: 'a.b', actorType: 'system', actorId: 's' });
         setTimeout(more, 1); const report = emitter.report(); if (report.spooled - report.inherited > 100) console.log('writing'); };
       more();`,
      { SPOOL: directory },
    );
    await child.said('writing');
    child.process.kill('SIGKILL');
    await child.ended;
  }
  const transport = new MemoryTransport();
  const emitter = createAuditEmitter({ service: 's', transport, spool: { directory }, flushOnExit: false });
  ({ inherited } = await emitter.close());
  expect(inherited).toBeGreaterThan(500);
  expect(transport.events).toHaveLength(inherited);
  const producers = new Set(transport.batches.map((batch) => batch.delivery.producer_id));
  expect(producers.size).toBe(5);
  for (const producer of producers) {
    const sequences = transport.batches
      .filter((batch) => batch.delivery.producer_id === producer)
      .flatMap((batch) => batch.delivery.sequences);
    expect(sequences).toEqual(sequences.map((_, index) => index + 1));
  }
}, 60_000);

// `always` promises that a spooled event is durable, so every write must be synced. The syncs can only be counted on Linux.
test('an event counts as spooled only after an fsync', async (context) => {
  using dir = tempDir();
  const syncs = SyncCount.create(dir.path);
  if (syncs === undefined) {
    if (process.env.REQUIRE_ALL === '1') throw new Error('there is no C compiler: cc, gcc, clang or tcc');
    console.warn('*** NOT RUN: fsyncs of the spool are not counted: no C compiler, or no Linux. ***');
    context.skip();
    return;
  }
  const child = runChild(
    `import { statSync } from 'node:fs';
     const emitter = sdk.createAuditEmitter({ service: 's', transport: httpTransport({ url: 'http://127.0.0.1:1' }),
       flushOnExit: false, spool: { directory: process.env.SPOOL, mode: 'always', fsyncIntervalMs: 1 } });
     const counts = [statSync(process.env.SYNC_COUNT).size];
     for (let events = 1; events <= 5; events++) {
       emitter.emit({ tenantId: 't', eventType: 'a.b', actorType: 'system', actorId: 's' });
       while (emitter.report().spooled < events) await new Promise((resolve) => setTimeout(resolve, 1));
       counts.push(statSync(process.env.SYNC_COUNT).size);
     }
     console.log(JSON.stringify({ counts }));
     await emitter.close({ deadlineMs: 10 });`,
    { SPOOL: directory, ...syncs.env },
  );
  const { output } = await child.ended;
  const { counts } = JSON.parse(output.slice(output.indexOf('{"counts"'), output.indexOf('}') + 1)) as {
    counts: number[];
  };
  expect(counts).toHaveLength(6);
  for (let event = 1; event < counts.length; event++) {
    expect(counts[event], String(counts)).toBeGreaterThan(counts[event - 1]!);
  }
});
