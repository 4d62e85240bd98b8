import { until } from '@tallystick/testing';
import type { Random } from './draw.ts';
import { Writer } from './writer.ts';
import type { WriterConfig, WriterRequest } from './writer-messages.ts';

/** Replicas that run at the same time. */
const minWriters = 2;
const maxWriters = 4;

/** The replicas of the service. */
export class Fleet {
  /** Oldest first. */
  readonly writers: Writer[] = [];
  /** Writers that have left. Their unexpected exits count until the end. */
  readonly #left: Writer[] = [];
  readonly #dir: string;
  readonly #databasePort: number;
  readonly #config: (port: number, name: string) => WriterConfig;
  #started = 0;

  constructor(dir: string, databasePort: number, config: (port: number, name: string) => WriterConfig) {
    this.#dir = dir;
    this.#databasePort = databasePort;
    this.#config = config;
  }

  get mayGrow(): boolean {
    return this.writers.length < maxWriters;
  }

  get mayShrink(): boolean {
    return this.writers.length > minWriters;
  }

  async grow(count = 1): Promise<void> {
    for (let left = count; left > 0; left--) {
      const name = `writer-${++this.#started}`;
      this.writers.push(
        await Writer.start(name, this.#dir, this.#databasePort, (port) => this.#config(port, name)),
      );
    }
  }

  /** Lets one writer drain and leave its group. */
  async shrink(random: Random): Promise<void> {
    const [writer] = this.writers.splice(random(0, this.writers.length - 1), 1);
    this.#left.push(writer!);
    await writer!.stop();
  }

  request(request: WriterRequest): void {
    for (const writer of this.writers) writer.request(request);
  }

  /** A writer that reads a partition with new events: some partitions have no tenants. Waits until there is one. */
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
      { timeoutMs, intervalMs: 200, what: 'a writer of a partition with new events' },
    )) as Writer;
  }

  /** Waits until every writer runs, is a member of its group and reports no obstacle, and all partitions are read. */
  async healthy(partitions: number, timeoutMs: number): Promise<void> {
    let problem = '';
    try {
      await until(
        async () => {
          problem = await this.#findProblem(partitions);
          return problem === '';
        },
        { timeoutMs, intervalMs: 200 },
      );
    } catch {
      throw new Error(`the writers did not recover within ${timeoutMs} ms: ${problem}`);
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

  /** Writers that were ready and ended unexpectedly. */
  problems(): string[] {
    return [...this.writers, ...this.#left].flatMap((writer) =>
      writer.unexpectedExits
        .filter(({ wasReady }) => wasReady)
        .map(
          ({ code }) => `${writer.name} ended unexpectedly, with code ${code}: ${writer.log.slice(-1_500)}`,
        ),
    );
  }

  /** Lets all writers drain and leave. */
  async close(): Promise<void> {
    const writers = this.writers.splice(0);
    this.#left.push(...writers);
    for (const writer of writers) writer.signal('SIGCONT');
    await Promise.all(writers.map((writer) => writer.stop()));
  }

  /** @returns empty if there is none */
  async #findProblem(partitions: number): Promise<string> {
    const read = new Set<number>();
    for (const writer of this.writers) {
      const status = await writer.status();
      if (status === undefined) return `${writer.name} does not answer`;
      const { state, notReadyReasons } = status.ingest;
      if (state !== 'consuming') return `${writer.name} is ${state}: ${notReadyReasons.join('; ')}`;
      if (notReadyReasons.length > 0) return `${writer.name}: ${notReadyReasons.join('; ')}`;
      const [stopped] = Object.entries(status.stoppedChains);
      if (stopped !== undefined) return `${writer.name} has stopped the chain of ${stopped.join(': ')}`;
      for (const { partition } of status.ingest.partitions) read.add(partition);
    }
    return read.size === partitions ? '' : `${read.size} of ${partitions} partitions are read`;
  }
}
