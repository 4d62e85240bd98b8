import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createAuditEmitter, type Transport } from '@tallystick/sdk';
import { type EmbeddedTransport, embedded } from '@tallystick/server/embedded';
import { tempDir } from '@tallystick/testing';
import type { Result } from './result.ts';
import { sampleInput } from './sample-input.ts';

const logName = 'bench.local';

/**
 * What the embedded store costs the application that it belongs to, in every state of the store. The same calls with a
 * transport in memory come first: they show what the machine's load alone costs.
 */
export async function run(): Promise<Result[]> {
  using dir = tempDir();
  const directory = dir.path;
  // The first start creates the store.
  await (await embedded({ directory, logName })).close();
  const memory = await cost(inMemory);
  const full = { directory, logName, reserveBytes: Number.MAX_SAFE_INTEGER };
  return [
    ...compare('busy', await cost(await embedded({ directory, logName })), memory),
    ...compare('full', await cost(await embedded(full)), memory),
    ...compare('hanging', await cost(await hanging(directory)), memory),
  ];
}

/** Accepts every event at once. */
const inMemory: Transport = {
  async send({ events }) {
    return events.map(() => ({ status: 'accepted', audit_id: '' }));
  },
  async close() {},
};

interface Cost {
  /** The call of `emit` that 99.9 % of the calls are faster than, µs. */
  readonly emit: number;
  /** How late the event loop was, p99, ms. */
  readonly loop: number;
}

function compare(state: string, { emit, loop }: Cost, memory: Cost): Result[] {
  const name = `emit, embedded store ${state}`;
  return [
    {
      name: `${name}, p99.9`,
      value: Math.round(emit),
      unit: 'µs',
      baseline: Math.round(memory.emit),
      ratio: round2(emit / memory.emit),
      goal: '< 100',
      pass: emit < 100,
    },
    {
      name: `${name}, event-loop delay p99`,
      value: round2(loop),
      unit: 'ms',
      baseline: round2(memory.loop),
      ratio: round2(loop / memory.loop),
      goal: null,
      pass: null,
    },
  ];
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}

/** A store that does not answer: it runs a statement without end. */
async function hanging(directory: string): Promise<EmbeddedTransport> {
  const transport = await embedded({ directory, logName });
  const endless = transport.service.database.query({ role: 'writer' }, 'do $$ begin loop end loop; end $$');
  endless.catch(() => undefined);
  return transport;
}

/** Emits while batches are sent. */
async function cost(transport: Transport | EmbeddedTransport): Promise<Cost> {
  const emitter = createAuditEmitter({ service: 'bench', transport, flushIntervalMs: 10, onError: () => {} });
  const event = sampleInput();
  const took: number[] = [];
  const delay = monitorEventLoopDelay({ resolution: 1 });
  for (let turn = 0; turn < 2_000; turn++) {
    if (turn === 200) delay.enable();
    for (let call = 0; call < 10; call++) {
      const start = performance.now();
      emitter.emit(event);
      if (turn >= 200) took.push((performance.now() - start) * 1000);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  delay.disable();
  await emitter.close({ deadlineMs: 1_000 });
  await transport.close();
  took.sort((a, b) => a - b);
  return {
    emit: took[Math.floor(took.length * 0.999)]!,
    // The monitor's result contains its own period.
    loop: delay.percentile(99) / 1e6 - 1,
  };
}
