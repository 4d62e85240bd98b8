import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { Admin } from '@platformatic/kafka';
import { type AuditEventInput, createAuditEmitter } from '@tallystick/sdk';
import { kafkaTransport } from '@tallystick/sdk/kafka';
import { freePort, type Kafka, startKafka, startPostgres, tempDir } from '@tallystick/testing';
import pg from 'pg';
import type { Result } from './result.ts';
import { sampleEvent } from './sample-event.ts';
import { openStore } from './store.ts';

const perSecond = 1_000;
const tickMs = 10;
const tenants = 8;
/** With a shorter interval, the polling itself would take most of the time on two cores. */
const pollMs = 10;
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
  await createTopic(kafka);
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
    const watching = await watch(databaseUrl, emitted, stop.signal, (ms) => {
      if (performance.now() - start > warmUpMs) latencies.push(ms);
    });
    let nextSample = start + warmUpMs;
    for (let tick = 0; performance.now() - start < warmUpMs + durationMs; tick++) {
      for (let event = 0; event < (perSecond * tickMs) / 1000; event++) {
        const { tenant_id, audit_id, source_service, timestamp, ...sample } = sampleEvent('');
        const tenantId = `tenant-${event % tenants}`;
        const { id } = emitter.emit({ ...(camelCase(sample) as unknown as AuditEventInput), tenantId });
        emitted.set(id, performance.now());
      }
      if (performance.now() > nextSample) {
        memory.push(residentMiB(service.pid!));
        nextSample += 5_000;
      }
      await delay(Math.max(0, start + (tick + 1) * tickMs - performance.now()));
    }
    await emitter.flush();
    await watching.until(() => emitted.size === 0);
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

/** Turns the field names of the wire format into those of the SDK. */
function camelCase(event: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(event).map(([key, value]) => [
      key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  );
}

async function createTopic(kafka: Kafka): Promise<void> {
  const admin = new Admin({ clientId: 'bench', bootstrapBrokers: kafka.bootstrap });
  await admin.createTopics({ topics: ['audit.events', 'audit.gateway'], partitions: 4, replicas: 1 });
  await admin.close();
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

/**
 * Polls the database for new records, and reports how long each event took.
 *
 * It reads heads first, and then records by the index that has the epoch, as the service's own followers do. Without the
 * epoch, each poll would read all records of each tenant: that took 37 of 61 measured ms.
 */
async function watch(
  url: string,
  emitted: Map<string, number>,
  signal: AbortSignal,
  onSeen: (ms: number) => void,
): Promise<{ until(done: () => boolean): Promise<void> }> {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query<{ writer: string }>('select writer from tally_roles');
  await client.query(`set role ${rows[0]!.writer}`);
  const watched = Array.from({ length: tenants }, (_, index) => `tenant-${index}`);
  const seenTo = new Map<string, number>();
  const poll = async () => {
    while (!signal.aborted) {
      const { rows } = await client.query<{ tenant_id: string; sequence_number: string; audit_id: string }>({
        // A prepared statement, because planning took longer than the query.
        name: 'watch',
        text: `select r.tenant_id, r.sequence_number, r.audit_id
                 from unnest($1::text[], $2::bigint[]) as seen (tenant_id, after)
                 join audit_chain_state head on head.tenant_id = seen.tenant_id and head.last_sequence > seen.after,
                      lateral (select tenant_id, sequence_number, audit_id from audit_records
                                where tenant_id = seen.tenant_id and epoch = head.epoch
                                  and sequence_number > seen.after
                                order by sequence_number limit 1000) r`,
        values: [watched, watched.map((tenantId) => seenTo.get(tenantId) ?? -1)],
      });
      const now = performance.now();
      for (const { tenant_id, sequence_number, audit_id } of rows) {
        seenTo.set(tenant_id, Math.max(seenTo.get(tenant_id) ?? -1, Number(sequence_number)));
        const at = emitted.get(audit_id);
        if (at === undefined) continue;
        emitted.delete(audit_id);
        onSeen(now - at);
      }
      await delay(pollMs);
    }
    await client.end();
  };
  const polling = poll();
  return {
    async until(done) {
      for (const deadline = performance.now() + 30_000; !done(); ) {
        if (performance.now() > deadline) throw new Error(`${emitted.size} events were not found`);
        await Promise.race([polling, delay(20)]);
      }
    },
  };
}

function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
}
