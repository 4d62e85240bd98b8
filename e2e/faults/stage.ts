import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { migratePostgres } from '@tallystick/server/store';
import {
  type Kafka,
  type Postgres,
  ShiftedClock,
  type SmallDisk,
  smallDisk,
  startKafka,
  startPostgres,
  until,
} from '@tallystick/testing';
import pg from 'pg';
import { roundRandom } from './draw.ts';
import { Fleet } from './fleet.ts';
import { Publisher } from './publisher.ts';
import type { Settings } from './settings.ts';
import { Topic } from './topic.ts';
import { Traffic } from './traffic.ts';
import { type Query, type SignedHead, TrailCheck } from './trail-check.ts';

export const logName = 'audit.faults';
const tenants = Array.from({ length: 12 }, (_, index) => `tenant-${index}`);

/** A disk that the trail of so many rounds fits on, with room for what PostgreSQL keeps beside it. */
const diskBytes = (rounds: number) => (1_024 + 8 * rounds) * 2 ** 20;

/** Everything that runs: brokers, database, replicas, producers, and what can be done to them. */
export class Stage {
  readonly settings: Settings;
  /** Logs, kept where the campaign fails. */
  readonly dir: string;
  readonly kafka: Kafka;
  readonly postgres: Postgres;
  /** The database's clock; undefined where this machine can't shift one. */
  readonly clock: ShiftedClock | undefined;
  /** The database's disk; undefined where this machine can't mount one. */
  readonly disk: SmallDisk | undefined;
  readonly topic: Topic;
  readonly fleet: Fleet;
  readonly traffic: Traffic;
  readonly check: TrailCheck;
  /** The consumer group of writers that start from now on. */
  groupId = 'tallystick.audit-service';
  readonly signerDirectory: string;
  readonly serviceUrl: string;
  readonly publisher: Publisher;
  readonly #ownerUrl: string;
  /** How far everybody's idea of the time is ahead of the machine's, ms; grows when a month is skipped. */
  #skippedMs = 0;

  private constructor(parts: {
    readonly settings: Settings;
    readonly dir: string;
    readonly kafka: Kafka;
    readonly postgres: Postgres;
    readonly clock: ShiftedClock | undefined;
    readonly disk: SmallDisk | undefined;
    readonly topic: Topic;
    readonly ownerUrl: string;
    readonly serviceUrl: string;
  }) {
    this.settings = parts.settings;
    this.dir = parts.dir;
    this.kafka = parts.kafka;
    this.postgres = parts.postgres;
    this.clock = parts.clock;
    this.disk = parts.disk;
    this.topic = parts.topic;
    this.#ownerUrl = parts.ownerUrl;
    this.serviceUrl = parts.serviceUrl;
    this.signerDirectory = join(parts.dir, 'signer');
    this.fleet = new Fleet(parts.dir, this.postgres.port, (port, name) => ({
      databaseUrl: withPort(this.serviceUrl, port),
      signerDirectory: this.signerDirectory,
      logName,
      bootstrapBrokers: this.kafka.bootstrap,
      topic: this.topic.name,
      groupId: this.groupId,
      clientId: name,
      sessionTimeoutMs: this.settings.sessionTimeoutMs,
      offsetsFirst: this.settings.mutant,
      clockOffsetMs: this.#skippedMs,
    }));
    this.publisher = new Publisher(3, this.kafka.bootstrap, this.topic.name, () => this.now());
    this.traffic = new Traffic({
      publisher: this.publisher,
      tenants,
      rate: this.settings.rate,
      now: () => this.now(),
      random: roundRandom(this.settings.seed, -1),
    });
    this.check = new TrailCheck(logName, this.traffic);
  }

  static async open(settings: Settings): Promise<Stage> {
    const dir = mkdtempSync(join(tmpdir(), 'tallystick-faults-'));
    const clock = ShiftedClock.create(openDirectory(dir));
    const disk = smallDisk(diskBytes(settings.rounds));
    let kafka: Kafka | undefined;
    let postgres: Postgres | undefined;
    try {
      [kafka, postgres] = await Promise.all([
        startKafka({ nodes: settings.brokers }),
        startPostgres({
          ...(disk !== undefined && { dataDir: join(disk.path, 'postgres') }),
          ...(clock !== undefined && { env: clock.env }),
          // Small, so that a full disk is soon felt, and so that a kill leaves little to recover.
          settings: {
            max_wal_size: '128MB',
            min_wal_size: '32MB',
            wal_recycle: 'off',
            log_line_prefix: '%m [%p] %a ',
          },
        }),
      ]);
      const { url: ownerUrl } = await postgres.createDatabase();
      const serviceUrl = await makeService(ownerUrl);
      const topic = new Topic('audit.events', kafka.bootstrap);
      await topic.create(4);
      const stage = new Stage({ settings, dir, kafka, postgres, clock, disk, topic, ownerUrl, serviceUrl });
      await stage.fleet.grow(settings.writers);
      return stage;
    } catch (error) {
      await Promise.all([kafka?.stop(), postgres?.stop()]);
      disk?.remove();
      throw error;
    }
  }

  /** The time by everybody's clock, ms since the epoch. */
  now(): number {
    return Date.now() + this.#skippedMs;
  }

  /** Whether the first `count` acknowledged events are stored. */
  async storedUpTo(count: number): Promise<boolean> {
    await this.withStore((query) => this.check.read(query));
    return this.check.missing(count).length === 0;
  }

  /** Moves everybody's clock ahead, the database's first: an event must not come from its future. */
  skip(ms: number): void {
    this.clock!.set(this.#skippedMs + ms);
    this.#skippedMs += ms;
    this.fleet.tell({ clockOffsetMs: this.#skippedMs });
  }

  /** Moves the database's clock alone, away from everybody else's; 0 sets it right. */
  shiftDatabaseClock(ms: number): void {
    this.clock!.set(this.#skippedMs + ms);
  }

  /** Runs reads of the whole store in one snapshot, as its owner, past the writers' network. */
  async withStore<T>(work: (query: Query) => Promise<T>): Promise<T> {
    const client = await this.#connect();
    try {
      await client.query('begin isolation level repeatable read read only');
      const result = await work(async (sql, parameters) => (await client.query(sql, parameters)).rows);
      await client.query('commit');
      return result;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /** Runs a statement as the owner. */
  async asOwner(sql: string): Promise<void> {
    const client = await this.#connect();
    try {
      await client.query(sql);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /** Waits until the database takes connections, and starts it where it has given up. */
  async databaseAnswers(): Promise<void> {
    await until(
      async () => {
        if (!this.postgres.running) await this.postgres.restart();
        await (await this.#connect()).end();
        return true;
      },
      { timeoutMs: 60_000, intervalMs: 100, what: 'an answer of PostgreSQL' },
    );
  }

  /** What was ever signed, by the signer's own store. */
  signedHeads(): SignedHead[] {
    const store = new DatabaseSync(join(this.signerDirectory, 'signer.sqlite'));
    try {
      store.exec('pragma busy_timeout = 10000');
      return store
        .prepare('select origin, size, lower(hex(root)) as root from signed_head')
        .all() as unknown as SignedHead[];
    } finally {
      store.close();
    }
  }

  /** Emits nothing more, and has every producer declare its end. */
  async endTraffic(): Promise<void> {
    await this.traffic.stop();
    await this.publisher.close();
  }

  /** Ends everything. What the servers logged is kept beside the writers' logs if asked. */
  async close(keepLogs: boolean): Promise<void> {
    if (keepLogs) this.#keepServerLogs();
    // Where brokers are away a producer waits for ever: closing its emitter ends that.
    await Promise.all([this.publisher.close(), this.traffic.stop()]);
    await this.fleet.close();
    await Promise.all([this.postgres.stop(), this.kafka.stop()]);
    this.disk?.remove();
    if (!keepLogs) rmSync(this.dir, { recursive: true, force: true });
  }

  #keepServerLogs(): void {
    for (const broker of this.kafka.brokers)
      writeFileSync(join(this.dir, `kafka-${broker.id}.log`), broker.log);
    writeFileSync(join(this.dir, 'postgres.log'), this.postgres.log);
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.#ownerUrl, connectionTimeoutMillis: 10_000 });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }
}

/** A directory that the database's user can enter. */
function openDirectory(dir: string): string {
  chmodSync(dir, 0o711);
  return dir;
}

async function makeService(ownerUrl: string): Promise<string> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  await client.query("create role svc login password 'svc'");
  await client.end();
  await migratePostgres(ownerUrl, 'svc');
  const url = new URL(ownerUrl);
  url.username = url.password = 'svc';
  return url.href;
}

function withPort(href: string, port: number): string {
  const url = new URL(href);
  url.port = String(port);
  return url.href;
}
