import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createAuditEmitter } from '@tallystick/sdk';
import { kafkaTransport } from '@tallystick/sdk/kafka';
import { freePort, type Kafka, startKafka, startPostgres, tempDir } from '@tallystick/testing';
import { createTopics, emitSteadily, perSecond, tickMs, watch } from './kafka-load.ts';
import type { Result } from './result.ts';
import { openStore } from './store.ts';

/** Time for joining the group, filling caches and compiling, which is not measured. */
const warmUpMs = 10_000;
const maxLatencyMs = 100;
const maxMemoryMiB = 256;

/** {@link soak} for half a minute. */
export const run = (): Promise<Result[]> => soak(30_000);

/** {@link soak} for ten minutes, long enough to see whether memory grows. */
export const long = { run: (): Promise<Result[]> => soak(600_000) };

/**
 * Runs `tally serve --kafka` in its own process and sends 1,000 events/s of 1 KB with the SDK. Measures the memory of the
 * service, and the time until an event can be queried. A client polls the database for it, so the time is up to 10 ms too long.
 */
async function soak(durationMs: number): Promise<Result[]> {
  const kafka = await startKafka();
  const postgres = await startPostgres({ durable: true });
  using signer = tempDir();
  const databaseUrl = await openStore(postgres);
  await createTopics(kafka);
  const service = await serve(databaseUrl, signer.path, kafka);
  const emitter = createAuditEmitter({
    service: 'bench',
    transport: kafkaTransport({ brokers: kafka.bootstrap }),
    flushIntervalMs: tickMs,
  });
  const emitted = new Map<string, number>();
  const latencies: number[] = [];
  const memory: number[] = [];
  try {
    const start = performance.now();
    const stop = new AbortController();
    const waiting = new Set<string>();
    const watching = await watch(databaseUrl, waiting, stop.signal, (id) => {
      const now = performance.now();
      if (now - start > warmUpMs) latencies.push(now - emitted.get(id)!);
      emitted.delete(id);
    });
    let nextSample = warmUpMs;
    await emitSteadily(emitter, warmUpMs + durationMs, {
      onEmit: (id) => {
        waiting.add(id);
        emitted.set(id, performance.now());
      },
      onTick: (ms) => {
        if (ms <= nextSample) return;
        memory.push(residentMiB(service.pid!));
        nextSample += 5_000;
      },
    });
    await emitter.flush();
    await watching.until(() => waiting.size === 0);
    stop.abort();
    latencies.sort((a, b) => a - b);
    const at = (share: number) => Number(latencies[Math.floor(latencies.length * share)]!.toFixed(1));
    const quarter = Math.max(1, Math.floor(memory.length / 4));
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const growth = mean(memory.slice(-quarter)) / mean(memory.slice(0, quarter));
    const name = `kafka, ${perSecond}/s for ${durationMs / 1000} s:`;
    return [
      plain(`${name} emit to queryable p50`, at(0.5), 'ms'),
      plain(
        `${name} emit to queryable p99`,
        at(0.99),
        'ms',
        at(0.99) <= maxLatencyMs,
        `<= ${maxLatencyMs} ms`,
      ),
      plain(
        `${name} service memory, most`,
        Math.round(Math.max(...memory)),
        'MiB',
        Math.max(...memory) <= maxMemoryMiB,
        `<= ${maxMemoryMiB} MiB`,
      ),
      plain(`${name} memory, last quarter / first`, Number(growth.toFixed(3)), '×', growth < 1.1, '< 1.1'),
    ];
  } finally {
    await emitter.close();
    service.kill('SIGTERM');
    await kafka.stop();
    await postgres.stop();
  }
}

function plain(
  name: string,
  value: number,
  unit: string,
  pass: boolean | null = null,
  goal: string | null = null,
): Result {
  return { name, value, unit, baseline: null, ratio: null, goal, pass };
}

async function serve(databaseUrl: string, signerDirectory: string, kafka: Kafka): Promise<ChildProcess> {
  const tally = join(import.meta.dirname, '../packages/cli/bin/tally.js');
  const settings = ['--log-name', 'bench.local', '--signer-dir', signerDirectory];
  // The setting of the Dockerfile. Without it, V8 lets the heap grow to more than 200 MiB before it collects garbage, although
  // only 40 MiB are in use: 360 MiB were resident in the same run.
  const NODE_OPTIONS = '--max-old-space-size=128 --max-semi-space-size=8';
  const env = { ...process.env, TALLYSTICK_DATABASE_URL: databaseUrl, NODE_OPTIONS };
  const start = (...args: string[]) =>
    spawn(process.execPath, [tally, 'serve', ...settings, ...args], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const key = start('--create-admin-key');
  await new Promise((resolve) => key.once('exit', resolve));
  const service = start('--port', String(await freePort()), '--kafka', kafka.bootstrap.join(','));
  service.stdout!.resume();
  let output = '';
  for await (const line of createInterface(service.stderr!)) {
    output += `${line}\n`;
    if (line.includes('listening on')) {
      service.stderr!.resume();
      return service;
    }
  }
  throw new Error(`the service ended at its start:\n${output}`);
}

function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
}
