import { Admin, ListOffsetTimestamps } from '@platformatic/kafka';
import type { ServiceName } from '../soc.ts';
import type { CallClient } from './calls/call-client.ts';
import type { ProcessStatus } from './process-status.ts';
import { serviceNames } from './service-names.ts';

const statusTimeoutMs = 5_000;

/** Tells whether anything moves in a platform of separate processes. */
export class Stillness {
  readonly #clientOf: (service: ServiceName) => CallClient;
  readonly #admin: Admin;

  constructor(brokers: readonly string[], clientOf: (service: ServiceName) => CallClient) {
    this.#clientOf = clientOf;
    this.#admin = new Admin({ clientId: 'soc-stillness', bootstrapBrokers: [...brokers], retries: 3 });
  }

  async close(): Promise<void> {
    await this.#admin.close();
  }

  /** What each process says. @throws {Unavailable} if one does not answer */
  async statuses(): Promise<ReadonlyMap<ServiceName, ProcessStatus>> {
    const all = serviceNames.map(
      async (name) =>
        [name, (await this.#clientOf(name).call('status', null, statusTimeoutMs)) as ProcessStatus] as const,
    );
    return new Map(await Promise.all(all));
  }

  /**
   * Whether every message is handled, every record is at the audit service, and what is left waits for people. Between two equal
   * statuses of all processes no message came in and none went out; if Kafka has no message in that time that is not handled, nothing moves.
   *
   * @throws {Unavailable} if a process does not answer
   */
  async isStill(): Promise<boolean> {
    const before = await this.statuses();
    if ([...before.values()].some(isWorking)) return false;
    const groups = [...before.values()].flatMap((status) => status.groups);
    if (groups.length === 0 || (await this.#lag(groups)) > 0n) return false;
    const after = await this.statuses();
    return serviceNames.every((name) => {
      const [first, second] = [before.get(name)!, after.get(name)!];
      return !isWorking(second) && first.startedAs === second.startedAs && first.moved === second.moved;
    });
  }

  /** Messages that the groups have not yet handled. */
  async #lag(groups: ProcessStatus['groups']): Promise<bigint> {
    const topics = [...new Set(groups.map(({ topic }) => topic))];
    const { topics: known } = await this.#admin.metadata({ topics });
    const ends = await this.#admin.listOffsets({
      topics: topics.map((name) => ({
        name,
        partitions: Array.from({ length: known.get(name)?.partitionsCount ?? 0 }, (_, partitionIndex) => ({
          partitionIndex,
          timestamp: ListOffsetTimestamps.LATEST,
        })),
      })),
    });
    const committed = await this.#admin.listConsumerGroupOffsets({ groups: groups.map(({ id }) => id) });
    let lag = 0n;
    for (const { id, topic } of groups) {
      const offsets = committed
        .find(({ groupId }) => groupId === id)
        ?.topics.find(({ name }) => name === topic);
      for (const { partitionIndex, offset } of ends.find(({ name }) => name === topic)?.partitions ?? []) {
        const at = offsets?.partitions.find((one) => one.partitionIndex === partitionIndex)?.committedOffset;
        // A group that has handled nothing of a partition has no offset.
        lag += offset - (at === undefined || at < 0n ? 0n : at);
      }
    }
    return lag;
  }
}

function isWorking({ busy, outgoing, records }: ProcessStatus): boolean {
  return busy + outgoing + records > 0;
}
