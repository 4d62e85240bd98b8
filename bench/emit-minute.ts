import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type AuditEventInput, createAuditEmitter, type Transport } from '@tallystick/sdk';
import type { Result } from './result.ts';
import { sampleInput } from './sample-input.ts';

const perMs = 10;
const minuteMs = 60_000;
const bufferSize = 10_000;
const batchSize = 1_000;
/** Heap that one waiting sample event takes: 1.5 kB before its JSON text is made, 2.5 kB after. */
const bytesPerEvent = 2_500;
/** Collects garbage before each measurement, so that only memory in use counts. */
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const lookEveryMs = 2_000;

/** 10,000 events/s for a minute, with and without a spool. The service is frozen for half of the minute. */
export async function run(): Promise<Result[]> {
  return [...(await minute('with a spool', true)), ...(await minute('without a spool', false))];
}

async function minute(what: string, spooled: boolean): Promise<Result[]> {
  const directory = mkdtempSync(join(tmpdir(), 'tallystick-bench-'));
  const service = freezing();
  const emitter = createAuditEmitter({
    service: 'bench',
    transport: service.transport,
    retryDelaysMs: [100],
    probeIntervalMs: 200,
    bufferSize,
    ...(spooled && { spool: { directory, mode: 'overflow' as const } }),
  });
  await emitter.flush();
  const event: AuditEventInput = sampleInput();
  collect();
  const heapBefore = process.memoryUsage().heapUsed;
  let heapMost = 0;
  let rssMost = 0;
  let emitted = 0;
  let nextLook = lookEveryMs;
  const start = performance.now();
  for (let now = 0; now < minuteMs; now = performance.now() - start) {
    service.frozen = Math.floor(now / 10_000) % 2 === 1;
    for (; emitted < now * perMs; emitted++) emitter.emit(event);
    rssMost = Math.max(rssMost, process.memoryUsage.rss());
    if (now > nextLook) {
      nextLook += lookEveryMs;
      collect();
      heapMost = Math.max(heapMost, process.memoryUsage().heapUsed);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  service.frozen = false;
  const report = await emitter.close({ deadlineMs: 120_000 });
  rmSync(directory, { recursive: true, force: true });
  const unaccounted = emitted - report.delivered - service.declaredLost;
  const heapMiB = Math.round((heapMost - heapBefore) / 2 ** 20);
  // The buffer, one batch that is being sent, and one that is being written to disk.
  const bound = Math.ceil(((bufferSize + 2 * batchSize) * bytesPerEvent) / 2 ** 20);
  const none = { baseline: null, ratio: null };
  return [
    {
      name: `events unaccounted for of ${emitted}, ${what}`,
      value: unaccounted,
      unit: 'events',
      ...none,
      goal: '0',
      pass: unaccounted === 0,
    },
    {
      name: `events lost, ${what} (each declared)`,
      value: report.dropped,
      unit: 'events',
      ...none,
      goal: spooled ? '0' : null,
      pass: spooled ? report.dropped === 0 : null,
    },
    {
      name: `held in memory at most, ${what} (rss ${Math.round(rssMost / 2 ** 20)} MiB)`,
      value: heapMiB,
      unit: 'MiB',
      ...none,
      goal: `<= ${bound}`,
      pass: heapMiB <= bound,
    },
  ];
}

/** A service that counts the losses that producers declare. While it is frozen, every request fails. */
function freezing(): { transport: Transport; frozen: boolean; declaredLost: number } {
  const service = {
    frozen: false,
    declaredLost: 0,
    transport: {
      async send({ events, delivery }) {
        if (service.frozen) throw new Error('frozen');
        for (const { from, to } of delivery.gaps) service.declaredLost += to - from + 1;
        return events.map(() => ({ status: 'accepted' as const, audit_id: '' }));
      },
      async close() {},
    } satisfies Transport as Transport,
  };
  return service;
}
