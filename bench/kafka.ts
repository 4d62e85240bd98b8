import { Admin, Producer } from '@platformatic/kafka';
import { AuditService } from '@tallystick/server';
import { KafkaIngest } from '@tallystick/server/kafka';
import { type Kafka, type Postgres, startKafka, startPostgres, tempDir } from '@tallystick/testing';
import { PostgresDatabase } from '../packages/server/src/store/postgres.ts';
import { consumePlainly } from './plain-consumer.ts';
import { median, type Result } from './result.ts';
import { sampleEvent } from './sample-event.ts';
import { openStore, openUnguardedStore } from './store.ts';

const events = 40_000;
const tenants = 8;
const rounds = 3;
const goal = 0.8;

/**
 * Sustained events/s from a topic into PostgreSQL (fsync on): the service's ingest, compared with a plain consumer that copies
 * the same rows without chaining them. Both read a topic that was filled before, and take turns on one broker and one
 * database server. The clock runs from the first commit to the last, so joining the group does not count.
 */
export async function run(): Promise<Result[]> {
  const kafka = await startKafka();
  const postgres = await startPostgres({
    durable: true,
    settings: { max_wal_size: '4GB', checkpoint_timeout: '30min' },
  });
  try {
    const results: Result[] = [];
    for (const partitions of [1, 2, 4]) {
      const rates: { chain: number; plain: number }[] = [];
      for (let round = 0; round < rounds; round++) {
        const topic = `bench-${partitions}-${round}`;
        await fill(kafka, topic, partitions);
        // The order alternates, because the second one profits from a warm page cache and server.
        const arms = {
          chain: () => chained(kafka, postgres, topic),
          plain: () => plain(kafka, postgres, topic),
        };
        const rate = { chain: 0, plain: 0 };
        for (const arm of round % 2 === 0 ? (['plain', 'chain'] as const) : (['chain', 'plain'] as const)) {
          rate[arm] = await arms[arm]();
        }
        rates.push(rate);
      }
      const ratio = median(rates.map(({ chain, plain }) => chain / plain));
      results.push({
        name: `kafka: topic to Postgres, ${partitions} partition${partitions === 1 ? '' : 's'}`,
        value: Math.round(median(rates.map(({ chain }) => chain))),
        unit: 'events/s',
        baseline: Math.round(median(rates.map(({ plain }) => plain))),
        ratio: Number(ratio.toFixed(3)),
        goal: `ratio >= ${goal}`,
        pass: ratio >= goal,
      });
    }
    return results;
  } finally {
    await kafka.stop();
    await postgres.stop();
  }
}

async function fill(kafka: Kafka, topic: string, partitions: number): Promise<void> {
  const admin = new Admin({ clientId: 'bench', bootstrapBrokers: kafka.bootstrap });
  await admin.createTopics({ topics: [topic], partitions, replicas: 1 });
  await admin.close();
  const producer = new Producer({ clientId: 'bench', bootstrapBrokers: kafka.bootstrap, idempotent: true });
  for (let sent = 0; sent < events; sent += 500) {
    await producer.send({
      messages: Array.from({ length: 500 }, (_, index) => {
        const tenant = (sent + index) % tenants;
        const event = sampleEvent(`tenant-${tenant}`);
        return {
          topic,
          partition: tenant % partitions,
          key: Buffer.from(`tenant-${tenant}`),
          value: Buffer.from(JSON.stringify(event)),
        };
      }),
    });
  }
  await producer.close();
}

/** Measures events per second between the first commit and the last. */
class Meter {
  readonly done: Promise<number>;
  #finish!: (rate: number) => void;
  #first: { at: number; events: number } | undefined;
  #events = 0;

  constructor() {
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  committed(count: number): void {
    const at = performance.now();
    this.#events += count;
    this.#first ??= { at, events: count };
    if (this.#events < events) return;
    this.#finish(((this.#events - this.#first.events) * 1000) / (at - this.#first.at));
  }
}

async function chained(kafka: Kafka, postgres: Postgres, topic: string): Promise<number> {
  using signer = tempDir();
  const service = await AuditService.open({
    store: { databaseUrl: await openStore(postgres) },
    signerDirectory: signer.path,
    logName: 'bench.local',
    checkpointIntervalMs: 0,
  });
  const meter = new Meter();
  const ingest = await KafkaIngest.start(service, {
    connection: { bootstrapBrokers: kafka.bootstrap },
    topics: { events: topic, gateway: undefined },
    groupId: `chained-${topic}`,
    observer: { onBatch: ({ items }) => meter.committed(items) },
  });
  const rate = await meter.done;
  await ingest.close();
  await service.close();
  return rate;
}

async function plain(kafka: Kafka, postgres: Postgres, topic: string): Promise<number> {
  const database = new PostgresDatabase({ url: await openUnguardedStore(postgres) });
  const meter = new Meter();
  await consumePlainly(kafka.bootstrap, topic, database, events, (rows) => meter.committed(rows));
  await database.close();
  return await meter.done;
}
