import { Admin, ListOffsetTimestamps } from '@platformatic/kafka';

/** Administers the campaign's topic. Each request uses a new client, because brokers are killed and restarted. */
export class Topic {
  readonly name: string;
  readonly #bootstrapBrokers: string[];
  /** Number of partitions; changed only by {@link create} and {@link addPartition}. */
  partitions = 0;

  constructor(name: string, bootstrapBrokers: string[]) {
    this.name = name;
    this.#bootstrapBrokers = bootstrapBrokers;
  }

  async create(partitions: number): Promise<void> {
    await this.#request((admin) => admin.createTopics({ topics: [this.name], partitions, replicas: -1 }));
    this.partitions = partitions;
  }

  async addPartition(): Promise<void> {
    const count = this.partitions + 1;
    await this.#request((admin) => admin.createPartitions({ topics: [{ name: this.name, count }] }));
    this.partitions = count;
  }

  /** The offset that the next message of each partition will get. */
  async ends(): Promise<number[]> {
    const partitions = Array.from({ length: this.partitions }, (_, partitionIndex) => ({
      partitionIndex,
      timestamp: ListOffsetTimestamps.LATEST,
    }));
    const [listed] = await this.#request((admin) =>
      admin.listOffsets({ topics: [{ name: this.name, partitions }] }),
    );
    const ends: number[] = new Array(this.partitions).fill(0);
    for (const { partitionIndex, offset } of listed!.partitions) ends[partitionIndex] = Number(offset);
    return ends;
  }

  async #request<T>(send: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = new Admin({
      clientId: 'campaign-admin',
      bootstrapBrokers: this.#bootstrapBrokers,
      retries: 20,
      retryDelay: 500,
      timeout: 10_000,
    });
    try {
      return await send(admin);
    } finally {
      await admin.close();
    }
  }
}
