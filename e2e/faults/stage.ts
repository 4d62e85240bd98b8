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
import { type Query, type SignedTree, TrailCheck } from './trail-check.ts';

export const logName = 'audit.faults';
const tenants = Array.from({ length: 12 }, (_, index) => `tenant-${index}`);

/** Room for the trail of so many rounds, and for the other files of PostgreSQL. */
const diskBytes = (rounds: number) => (1_024 + 8 * rounds) * 2 ** 20;

/** All running parts of a campaign: brokers, database, replicas and producers; and how to disturb them. */
export class Stage {
  readonly settings: Settings;
  /** Directory of the logs, which is kept if the campaign fails. */
  readonly dir: string;
  readonly kafka: Kafka;
  readonly postgres: Postgres;
  /** The database's clock; undefined if this machine can't shift it. */
  readonly clock: ShiftedClock | undefined;
  /** The database's disk; undefined if this machine can't mount one. */
  readonly disk: SmallDisk | undefined;
  readonly topic: Topic;
  readonly fleet: Fleet;
  readonly traffic: Traffic;
  readonly check: TrailCheck;
  /** The consumer group of writers that are started from now on. */
  groupId = 'tallystick.audit-service';
  readonly signerDirectory: string;
  readonly serviceUrl: string;
  readonly publisher: Publisher;
  readonly #ownerUrl: string;
  /** How far the clocks of all parts are ahead of the machine's, ms. Grows when time is skipped. */
  #skippedMs = 0;

  private constructor(
    parts: Pick<
      Stage,
      'settings' | 'dir' | 'kafka' | 'postgres' | 'clock' | 'disk' | 'topic' | 'serviceUrl'
    > & { readonly ownerUrl: string },
  ) {
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
          // Little WAL: a full disk is noticed soon, and recovery after a kill is short.
          settings: {
            max_wal_size: '128MB',
            min_wal_size: '32MB',
            wal_recycle: 'off',
            log_line_prefix: '%m [%p] %a ',
          },
        }),
      ]);
      const { url: ownerUrl } = await postgres.createDatabase();
      const serviceUrl = await migrate(ownerUrl);
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

  /** The time by the clock of all parts, ms since the epoch. */
  now(): number {
    return Date.now() + this.#skippedMs;
  }

  /** Whether the first `count` acknowledged events are stored. */
  async storedUpTo(count: number): Promise<boolean> {
    await this.withStore((query) => this.check.read(query));
    return this.check.missing(count).length === 0;
  }

  /** Moves the clocks of all parts ahead, the database's first: no event may be ahead of the database's clock. */
  skip(ms: number): void {
    this.clock!.set(this.#skippedMs + ms);
    this.#skippedMs += ms;
    this.fleet.request({ clockOffsetMs: this.#skippedMs });
  }

  /** Moves only the database's clock, relative to the others; 0 corrects it. */
  shiftDatabaseClock(ms: number): void {
    this.clock!.set(this.#skippedMs + ms);
  }

  /** Runs queries in one snapshot, as the owner of the database, without the writers' proxies. */
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

  /** Runs a statement as the owner of the database. */
  async asOwner(sql: string): Promise<void> {
    const client = await this.#connect();
    try {
      await client.query(sql);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /** Waits until the database accepts connections. Restarts it if it has ended. */
  async databaseAnswers(): Promise<void> {
    await until(
      async () => {
        if (!this.postgres.running) await this.postgres.restart();
        await (await this.#connect()).end();
        return true;
      },
      { timeoutMs: 60_000, intervalMs: 100, what: 'PostgreSQL' },
    );
  }

  /** All signed trees, from the signer's own store. */
  signedTrees(): SignedTree[] {
    const store = new DatabaseSync(join(this.signerDirectory, 'signer.sqlite'));
    try {
      store.exec('pragma busy_timeout = 10000');
      return store
        .prepare('select origin, size, lower(hex(root)) as root from signed_head')
        .all() as unknown as SignedTree[];
    } finally {
      store.close();
    }
  }

  /** Sends no more events, and closes every producer, which declares its last number. */
  async endTraffic(): Promise<void> {
    await this.traffic.stop();
    await this.publisher.close();
  }

  /** Ends all parts. Keeps the logs of servers and writers if asked to. */
  async close(keepLogs: boolean): Promise<void> {
    if (keepLogs) this.#keepServerLogs();
    // A producer without brokers retries without end, until its emitter is closed.
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

/** Lets the database's user enter the directory. */
function openDirectory(dir: string): string {
  chmodSync(dir, 0o711);
  return dir;
}

async function migrate(ownerUrl: string): Promise<string> {
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
