import { until } from '@tallystick/testing';
import type { Random } from './draw.ts';
import { Writer } from './writer.ts';
import type { ToWriter, WriterOrders } from './writer-messages.ts';

/** Replicas at a time. */
const fewest = 2;
const most = 4;

/** The replicas. */
export class Fleet {
  /** Oldest first. */
  readonly writers: Writer[] = [];
  /** Those that have left; what they said counts to the end. */
  readonly #left: Writer[] = [];
  readonly #dir: string;
  readonly #databasePort: number;
  readonly #orders: (port: number, name: string) => WriterOrders;
  #started = 0;

  constructor(dir: string, databasePort: number, orders: (port: number, name: string) => WriterOrders) {
    this.#dir = dir;
    this.#databasePort = databasePort;
    this.#orders = orders;
  }

  get mayGrow(): boolean {
    return this.writers.length < most;
  }

  get mayShrink(): boolean {
    return this.writers.length > fewest;
  }

  async grow(count = 1): Promise<void> {
    for (let left = count; left > 0; left--) {
      const name = `writer-${++this.#started}`;
      this.writers.push(
        await Writer.start(name, this.#dir, this.#databasePort, (port) => this.#orders(port, name)),
      );
    }
  }

  /** One drains and leaves its group. */
  async shrink(random: Random): Promise<void> {
    const [writer] = this.writers.splice(random(0, this.writers.length - 1), 1);
    this.#left.push(writer!);
    await writer!.stop();
  }

  tell(message: ToWriter): void {
    for (const writer of this.writers) writer.tell(message);
  }

  /** One that reads a partition which grows, once there is one: not every partition has tenants. */
  async pick(random: Random, timeoutMs: number): Promise<Writer> {
    const ends = new Map<string, number>();
    return (await until(
      async () => {
        const statuses = await Promise.all(this.writers.map((writer) => writer.status()));
        const busy = this.writers.filter((_, at) => {
          const grown = (statuses[at]?.ingest.partitions ?? []).filter(({ topic, partition, end }) => {
            const before = ends.get(`${topic}/${partition}`);
            if (end !== undefined) ends.set(`${topic}/${partition}`, end);
            return before !== undefined && end !== undefined && end > before;
          });
          return grown.length > 0;
        });
        return busy.length > 0 && busy[random(0, busy.length - 1)];
      },
      { timeoutMs, intervalMs: 200, what: 'a writer of a partition that grows' },
    )) as Writer;
  }

  /** Waits until every writer runs, is a member of its group, and meets no obstacle; all partitions are read. */
  async healthy(partitions: number, timeoutMs: number): Promise<void> {
    let complaint = '';
    try {
      await until(
        async () => {
          complaint = await this.#complaint(partitions);
          return complaint === '';
        },
        { timeoutMs, intervalMs: 200 },
      );
    } catch {
      throw new Error(`the writers did not recover within ${timeoutMs} ms: ${complaint}`);
    }
  }

  /** Waits until the writers have read every message. */
  async readAll(timeoutMs: number): Promise<void> {
    await until(
      async () => {
        const statuses = await Promise.all(this.writers.map((writer) => writer.status()));
        return statuses.every((status) => status?.ingest.partitions.every(({ lag }) => lag === 0));
      },
      { timeoutMs, intervalMs: 200, what: 'the end of every partition' },
    );
  }

  /** Writers that ended by themselves although they had joined. */
  problems(): string[] {
    return [...this.writers, ...this.#left].flatMap((writer) =>
      writer.deaths
        .filter(({ wasReady }) => wasReady)
        .map(({ code }) => `${writer.name} ended by itself, with ${code}: ${writer.log.slice(-1_500)}`),
    );
  }

  /** All drain and leave. */
  async close(): Promise<void> {
    const writers = this.writers.splice(0);
    this.#left.push(...writers);
    for (const writer of writers) writer.signal('SIGCONT');
    await Promise.all(writers.map((writer) => writer.stop()));
  }

  async #complaint(partitions: number): Promise<string> {
    const read = new Set<number>();
    for (const writer of this.writers) {
      const status = await writer.status();
      if (status === undefined) return `${writer.name} does not answer`;
      const { state, obstacles } = status.ingest;
      if (state !== 'consuming') return `${writer.name} is ${state}: ${obstacles.join('; ')}`;
      if (obstacles.length > 0) return `${writer.name}: ${obstacles.join('; ')}`;
      const [stopped] = Object.entries(status.stoppedChains);
      if (stopped !== undefined) return `${writer.name} has stopped the chain of ${stopped.join(': ')}`;
      for (const { partition } of status.ingest.partitions) read.add(partition);
    }
    return read.size === partitions ? '' : `${read.size} of ${partitions} partitions are read`;
  }
}
