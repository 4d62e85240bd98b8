import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Admin, type MessageToProduce, ProduceAcks, Producer } from '@platformatic/kafka';
import type { AuditEvent } from '@tallystick/event';
import {
  type SharedKafka,
  sharedKafka,
  sharedPostgres,
  type TempDir,
  tempDir,
  until,
} from '@tallystick/testing';
import { AuditService } from '../../../src/app.ts';
import { KafkaIngest, type KafkaIngestOptions } from '../../../src/kafka.ts';
import type { AuditServiceOptions } from '../../../src/service-options.ts';
import { logName } from '../../events.ts';
import { openPostgres, type PostgresStore } from '../../stores.ts';

/** A database, a signer's directory and a topic for one test, on the shared broker. */
export interface Site extends AsyncDisposable {
  readonly kafka: SharedKafka;
  readonly store: PostgresStore;
  readonly admin: Admin;
  readonly topic: string;
  readonly groupId: string;
  /** Opens another replica of the service, which is closed with the site. */
  openService(
    options?: Pick<AuditServiceOptions, 'serviceTenant' | 'followers' | 'openIntents'>,
  ): Promise<AuditService>;
  /** Begins to read the site's topic. The ingest is closed with the site. */
  ingest(service: AuditService, options?: Partial<KafkaIngestOptions>): Promise<KafkaIngest>;
  produce(messages: readonly Sent[]): Promise<void>;
  /** Runs SQL as the owner of the database. */
  query<R extends object>(sql: string, parameters?: unknown[]): Promise<R[]>;
}

export interface Sent {
  readonly topic?: string;
  readonly partition?: number;
  readonly key?: string | undefined;
  readonly value: string | Buffer | null;
  readonly headers?: Record<string, string | Buffer>;
}

/** Starts the shared broker and database server if they don't run yet, so that no test's timeout includes it. */
export async function warmUp(): Promise<void> {
  await Promise.all([sharedKafka(), sharedPostgres()]);
}

export function newName(what: string): string {
  return `${what}-${process.pid}-${randomBytes(4).toString('hex')}`;
}

/** An event as its producer writes it. */
export function sent(event: AuditEvent, headers?: Record<string, string | Buffer>): Sent {
  return { key: event.tenant_id, value: JSON.stringify(event), ...(headers !== undefined && { headers }) };
}

export async function openSite(
  options: { readonly partitions?: number; readonly kafka?: SharedKafka } = {},
): Promise<Site> {
  const kafka = options.kafka ?? (await sharedKafka());
  const store = await openPostgres();
  const dir: TempDir = tempDir('tallystick-kafka-site-');
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: kafka.bootstrap });
  const producer = new Producer({
    clientId: 'test',
    bootstrapBrokers: kafka.bootstrap,
    idempotent: true,
    acks: ProduceAcks.ALL,
    // Tests add partitions, and write to them at once.
    metadataMaxAge: 100,
  });
  const topic = newName('events');
  const groupId = newName('group');
  await admin.createTopics({ topics: [topic], partitions: options.partitions ?? 1 });
  const ingests: KafkaIngest[] = [];
  const services: AuditService[] = [];
  return {
    kafka,
    store,
    admin,
    topic,
    groupId,
    async openService(options) {
      const service = await AuditService.open({
        store: { databaseUrl: store.serviceUrl },
        signerDirectory: join(dir.path, 'signer'),
        logName,
        checkpointIntervalMs: 0,
        ...options,
      });
      services.push(service);
      return service;
    },
    async ingest(service, more = {}) {
      const ingest = await KafkaIngest.start(service, {
        connection: { bootstrapBrokers: [...kafka.bootstrap] },
        groupId,
        sessionTimeoutMs: 4_000,
        heartbeatIntervalMs: 200,
        rebalanceTimeoutMs: 6_000,
        offsetIntervalMs: 100,
        topicIntervalMs: 500,
        ...more,
        topics: { events: topic, ...more.topics },
      });
      ingests.push(ingest);
      return ingest;
    },
    async produce(messages) {
      const all = messages.map(({ key, value, headers, partition, topic: named }): MessageToProduce => {
        const entries = Object.entries(headers ?? {}).map(([name, each]): [Buffer, Buffer] => [
          Buffer.from(name),
          Buffer.from(each as string),
        ]);
        return {
          topic: named ?? topic,
          ...(key !== undefined && { key: Buffer.from(key) }),
          // Kafka allows null, a tombstone. The library's type does not.
          value: (value === null ? null : Buffer.from(value as string)) as Buffer,
          ...(partition !== undefined && { partition }),
          headers: new Map(entries),
        };
      });
      await producer.send({ messages: all });
    },
    query: (sql, parameters) => store.asOwner(sql, parameters),
    async [Symbol.asyncDispose]() {
      await Promise.all(ingests.map((ingest) => ingest.close()));
      await Promise.all(services.map((service) => service.close()));
      await producer.close();
      await admin.deleteTopics({ topics: [topic] }).catch(() => undefined);
      await admin.close();
      await store.close();
      dir.remove();
    },
  };
}

/** Waits until the partitions are stored up to these offsets. */
export async function caughtUp(ingest: KafkaIngest, ends: Record<number, number>): Promise<void> {
  await until(
    () => {
      const positions = new Map(
        ingest.status().partitions.map(({ partition, position }) => [partition, position]),
      );
      return Object.entries(ends).every(
        ([partition, end]) => (positions.get(Number(partition)) ?? -1) >= end,
      );
    },
    { timeoutMs: 20_000, what: `reading up to ${JSON.stringify(ends)}` },
  );
}
