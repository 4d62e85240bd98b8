import { Admin, ListOffsetTimestamps } from '@platformatic/kafka';

/** The campaign's topic, as its administrator sees it. A client is made for each question: brokers come and go. */
export class Topic {
  readonly name: string;
  readonly #bootstrapBrokers: string[];
  /** Grown by {@link addPartition} alone. */
  partitions = 0;

  constructor(name: string, bootstrapBrokers: string[]) {
    this.name = name;
    this.#bootstrapBrokers = bootstrapBrokers;
  }

  async create(partitions: number): Promise<void> {
    await this.#ask((admin) => admin.createTopics({ topics: [this.name], partitions, replicas: -1 }));
    this.partitions = partitions;
  }

  async addPartition(): Promise<void> {
    const count = this.partitions + 1;
    await this.#ask((admin) => admin.createPartitions({ topics: [{ name: this.name, count }] }));
    this.partitions = count;
  }

  /** Offset of the next message of each partition. */
  async ends(): Promise<number[]> {
    const partitions = Array.from({ length: this.partitions }, (_, partitionIndex) => ({
      partitionIndex,
      timestamp: ListOffsetTimestamps.LATEST,
    }));
    const [listed] = await this.#ask((admin) =>
      admin.listOffsets({ topics: [{ name: this.name, partitions }] }),
    );
    const ends: number[] = new Array(this.partitions).fill(0);
    for (const { partitionIndex, offset } of listed!.partitions) ends[partitionIndex] = Number(offset);
    return ends;
  }

  async #ask<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = new Admin({
      clientId: 'campaign-admin',
      bootstrapBrokers: this.#bootstrapBrokers,
      retries: 20,
      retryDelay: 500,
      timeout: 10_000,
    });
    try {
      return await question(admin);
    } finally {
      await admin.close();
    }
  }
}
