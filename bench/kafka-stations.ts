import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createAuditEmitter, type Transport } from '@tallystick/sdk';
import { kafkaTransport } from '@tallystick/sdk/kafka';
import { startKafka, startPostgres, tempDir } from '@tallystick/testing';
import { notePauses, nowMs, type Pause } from './clock.ts';
import { createTopics, emitSteadily, tickMs, watch } from './kafka-load.ts';
import { median, type Result } from './result.ts';
import type { ServiceTimes, StationReport } from './station-service.ts';
import { openStore } from './store.ts';

const warmUpMs = 10_000;
const durationMs = 30_000;
const runs = 5;
const maxLatencyMs = 100;

/** When an event passed each station, ms of the monotonic clock. */
interface Passage extends ServiceTimes {
  readonly emitted: number;
  /** The batch of the event was handed to the transport. */
  readonly sent: number;
  readonly seen: number;
}

/** The ways between the stations, in the order of an event. They add up to the whole time. */
const ways: readonly (readonly [name: string, from: keyof Passage, to: keyof Passage])[] = [
  ['in the SDK, until its batch is sent', 'emitted', 'sent'],
  ['to the broker and from there to the service', 'sent', 'fetched'],
  ['waiting for a transaction', 'fetched', 'begun'],
  ['locking, hashing and writing', 'begun', 'written'],
  ['committing (disk sync)', 'written', 'committed'],
  ['until the polling client sees it', 'committed', 'seen'],
];

/**
 * Where an event spends the time from `emit()` until it can be queried, through Kafka at 1,000 events/s: for the median event,
 * and for the slowest 1% of each of five runs. The slowest ones tell what to improve. Also prints which pauses of the two
 * processes they met.
 */
export async function run(): Promise<Result[]> {
  const results: Result[] = [];
  for (let number = 1; number <= runs; number++) results.push(...(await measure(number)));
  return results;
}

async function measure(number: number): Promise<Result[]> {
  const kafka = await startKafka();
  const postgres = await startPostgres({ durable: true });
  using signer = tempDir();
  await createTopics(kafka);
  const databaseUrl = await openStore(postgres);
  const service = fork(
    join(import.meta.dirname, 'station-service.ts'),
    [databaseUrl, signer.path, ...kafka.bootstrap],
    { execArgv: ['--conditions=tallystick-source', '--max-old-space-size=128', '--max-semi-space-size=8'] },
  );
  const emitted = new Map<string, number>();
  const sent = new Map<string, number>();
  const seen = new Map<string, number>();
  const emitter = createAuditEmitter({
    service: 'bench',
    transport: noting(kafkaTransport({ brokers: kafka.bootstrap }), sent),
    flushIntervalMs: tickMs,
  });
  const pauses = notePauses();
  try {
    await once(service, 'message');
    const waiting = new Set<string>();
    const stop = new AbortController();
    const watching = await watch(databaseUrl, waiting, stop.signal, (id) => seen.set(id, nowMs()));
    const start = nowMs();
    await emitSteadily(emitter, warmUpMs + durationMs, {
      onEmit: (id) => {
        waiting.add(id);
        emitted.set(id, nowMs());
      },
    });
    await emitter.flush();
    await watching.until(() => waiting.size === 0);
    stop.abort();
    service.send('stop');
    const [report] = (await once(service, 'message')) as [StationReport];
    const passages = report.events
      .map(([id, times]): Passage => {
        const at = seen.get(id)!;
        // A client may see the records before the service has read PostgreSQL's answer to its commit.
        const committed = Math.min(times.committed, at);
        return { ...times, committed, emitted: emitted.get(id)!, sent: sent.get(id)!, seen: at };
      })
      .filter((passage) => passage.emitted > start + warmUpMs);
    return describe(number, passages, { service: report.pauses, bench: pauses.pauses });
  } finally {
    pauses.stop();
    await emitter.close();
    service.kill();
    await kafka.stop();
    await postgres.stop();
  }
}

/** The transport, with the time at which it gets each event. */
function noting(transport: Transport, sent: Map<string, number>): Transport {
  const auditId = /"audit_id":"([0-9a-f-]{36})"/;
  return {
    send: (batch, signal) => {
      const now = nowMs();
      // The first attempt counts: a repetition is a part of the way to the broker.
      for (const event of batch.events) {
        const id = auditId.exec(event)![1]!;
        if (!sent.has(id)) sent.set(id, now);
      }
      return transport.send(batch, signal);
    },
    close: () => transport.close(),
  };
}

function describe(
  number: number,
  passages: readonly Passage[],
  pauses: { readonly [process: string]: readonly Pause[] },
): Result[] {
  const total = ({ emitted, seen }: Passage) => seen - emitted;
  const sorted = passages.toSorted((a, b) => total(a) - total(b));
  const p99 = total(sorted[Math.floor(sorted.length * 0.99)]!);
  const slow = sorted.slice(Math.floor(sorted.length * 0.99));
  const figure = (name: string, value: number, baseline: number | null): Result => ({
    name: `stations, run ${number}: ${name}`,
    value: Number(value.toFixed(1)),
    unit: 'ms',
    baseline: baseline === null ? null : Number(baseline.toFixed(1)),
    ratio: baseline === null ? null : Number((value / baseline).toFixed(1)),
    goal: baseline === null ? `<= ${maxLatencyMs} ms` : null,
    pass: baseline === null ? value <= maxLatencyMs : null,
  });
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  for (const [name, list] of Object.entries(pauses)) {
    for (const what of ['garbage collection', 'event loop'] as const) {
      const met = slow.filter((one) =>
        list.some((pause) => pause.what === what && pause.from < one.seen && pause.to > one.emitted),
      );
      const longest = Math.max(
        0,
        ...list.filter((pause) => pause.what === what).map(({ from, to }) => to - from),
      );
      console.log(
        `  run ${number}: ${met.length} of the ${slow.length} slowest met a pause of the ${name} process ` +
          `(${what}; longest of the run ${longest.toFixed(0)} ms)`,
      );
    }
  }
  return [
    figure('emit to queryable p99', p99, null),
    // Beside the mean of the slowest 1%: the median of all events.
    ...ways.map(([name, from, to]) => {
      const way = (one: Passage) => one[to] - one[from];
      return figure(`slowest 1%, ${name}`, mean(slow.map(way)), median(passages.map(way)));
    }),
  ];
}
