import { emptyFrontier, zeroHash } from '@tallystick/log';
import { AuditService } from '@tallystick/server';
import { startPostgres, tempDir } from '@tallystick/testing';
import { appendBatch } from '../packages/server/src/chain/append-batch.ts';
import type { BatchItem } from '../packages/server/src/chain/batch.ts';
import type { Head } from '../packages/server/src/chain/head.ts';
import { BatchSealer } from '../packages/server/src/chain/seal.ts';
import { admit } from '../packages/server/src/ingest/admit/admit.ts';
import { copyStatement } from '../packages/server/src/store/copy-rows.ts';
import { type Database, writer } from '../packages/server/src/store/database.ts';
import { partitionOf } from '../packages/server/src/store/partitions.ts';
import { PostgresDatabase } from '../packages/server/src/store/postgres.ts';
import { median, type Result } from './result.ts';
import { sampleEvent } from './sample-event.ts';
import { copyRows, openStore, openUnguardedStore } from './store.ts';

const batchSize = 1_000;
const batchesPerRound = 20;
const rounds = 7;
const logName = 'bench.local';

/**
 * Compares `appendBatch` on PostgreSQL (fsync on) with COPY of the same rows, rendered before the clock starts. Both use the
 * same server, batch sizes, commits and indexes. They take turns, so that changes in the machine's load affect both.
 */
export async function run(): Promise<Result[]> {
  const postgres = await startPostgres({
    durable: true,
    settings: { max_wal_size: '4GB', checkpoint_timeout: '30min' },
  });
  try {
    using signer = tempDir();
    const serviceUrl = await openStore(postgres);
    const chained = new PostgresDatabase({ url: serviceUrl });
    const plain = new PostgresDatabase({ url: await openUnguardedStore(postgres) });
    const service = await AuditService.open({
      store: { databaseUrl: serviceUrl },
      signerDirectory: signer.path,
      logName,
      checkpointIntervalMs: 0,
    });
    const rates: { chain: number; ingest: number; copy: number }[] = [];
    const plainChain = new PlainChain();
    for (let round = -1; round < rounds; round++) {
      // All input is prepared before the clock starts.
      const events = admitted();
      const rows = plainChain.next();
      const raw = rawBatches();
      const chain = await time(() => appendAdmitted(chained, events));
      const copy = await time(() => copyRendered(plain, rows));
      const ingest = await time(() => ingestRaw(service, raw));
      if (round >= 0) rates.push({ chain, ingest, copy });
    }
    await service.close();
    await chained.close();
    await plain.close();
    const ratio = (of: 'chain' | 'ingest') => median(rates.map((rate) => rate[of] / rate.copy));
    const baseline = median(rates.map((rate) => rate.copy));
    return [
      result(
        'append: appendBatch of admitted events',
        median(rates.map((rate) => rate.chain)),
        baseline,
        ratio('chain'),
        0.7,
      ),
      result(
        'append: AuditService.submit of raw JSON, 2 clients',
        median(rates.map((rate) => rate.ingest)),
        baseline,
        ratio('ingest'),
      ),
    ];
  } finally {
    await postgres.stop();
  }
}

function result(name: string, value: number, baseline: number, ratio: number, least?: number): Result {
  return {
    name,
    value: Math.round(value),
    unit: 'events/s',
    baseline: Math.round(baseline),
    ratio: Number(ratio.toFixed(3)),
    goal: least === undefined ? null : `ratio >= ${least} (project: 0.85)`,
    pass: least === undefined ? null : ratio >= least,
  };
}

async function time(work: () => Promise<void>): Promise<number> {
  globalThis.gc?.();
  const start = performance.now();
  await work();
  return (batchSize * batchesPerRound * 1000) / (performance.now() - start);
}

function rawBatches(): string[][] {
  return Array.from({ length: batchesPerRound }, () =>
    Array.from({ length: batchSize }, (_, index) => JSON.stringify(sampleEvent(`tenant-${index % 4}`))),
  );
}

function admitAll(raw: readonly string[]): BatchItem[] {
  return raw.map((text) => {
    const admission = admit(text, { source: 'http' }, { now: Date.now() });
    if (!('admitted' in admission)) throw new Error('the sample event is not valid');
    return {
      ...admission.admitted,
      ingest: { source: 'http', trust: 'api-key', principal: 'key:0123456789ab' },
    };
  });
}

function admitted(): BatchItem[][] {
  return rawBatches().map(admitAll);
}

async function appendAdmitted(database: Database, batches: readonly BatchItem[][]): Promise<void> {
  for (const items of batches) await appendBatch(database, { items }, { logName });
}

/** Two clients: while the batch of one commits, the batch of the other waits in the queue. */
async function ingestRaw(service: AuditService, batches: readonly string[][]): Promise<void> {
  const waiting = [...batches];
  const client = async () => {
    for (let events = waiting.shift(); events !== undefined; events = waiting.shift()) {
      await service.submit({ events, source: 'bench', trust: 'operator' });
    }
  };
  await Promise.all([client(), client()]);
}

async function copyRendered(database: Database, batches: readonly (readonly string[])[]): Promise<void> {
  for (const chunks of batches) {
    await database.transaction(writer, (session) =>
      copyRows(session, copyStatement(partitionOf(Date.now())), chunks),
    );
  }
}

/** Renders rows for COPY, with the sequence numbers and hashes that `appendBatch` would give them. */
class PlainChain {
  #heads = new Map<string, Head>();

  next(): string[][] {
    return admitted().map((items) => {
      const now = Date.now();
      for (let tenant = 0; tenant < 4; tenant++) {
        const tenantId = `tenant-${tenant}`;
        if (!this.#heads.has(tenantId)) this.#heads.set(tenantId, newHead(tenantId));
      }
      const seal = new BatchSealer(items as never, this.#heads, new Date(now).toISOString(), logName);
      const chunks = [...seal.rows()];
      for (const head of seal.heads()) {
        const size = head.lastSequence + 1;
        this.#heads.set(head.tenantId, { ...newHead(head.tenantId), ...head, frontier: fakeFrontier(size) });
      }
      return chunks;
    });
  }
}

/** Rows do not contain the tree, so any frontier of the right size will do. */
function fakeFrontier(size: number): Head['frontier'] {
  const ones = size.toString(2).split('1').length - 1;
  return { size, roots: Array.from({ length: ones }, () => new Uint8Array(32)) };
}

function newHead(tenantId: string): Head {
  return {
    tenantId,
    epoch: 1,
    lastSequence: -1,
    lastHash: zeroHash,
    lastIngestedAt: 0,
    frontier: emptyFrontier,
  };
}
