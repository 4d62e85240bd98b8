import { type Connection, findCoordinatorV4, metadataV12, ResponseError } from '@platformatic/kafka';
import { type Broker, connect, disconnect, type KafkaConnection, parseBroker } from './connection.ts';
import { errorName, KafkaError } from './kafka-error.ts';

/** A topic as the brokers describe it. */
export interface Topic {
  readonly clusterId: string;
  readonly name: string;
  /** A topic that is deleted and created again gets another id under the same name. */
  readonly id: string;
  /** Number of partitions. */
  readonly partitions: number;
}

/** A partition by name and number. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** Identifies a partition in a map. */
export const partitionKey = (topicId: string, partition: number): string => `${topicId}/${partition}`;

/** The last metadata response. */
interface Metadata {
  readonly topics: ReadonlyMap<string, Topic>;
  /** By `topic/partition`; partitions without a leader are absent. */
  readonly leaders: ReadonlyMap<string, Broker>;
}

/** For requests that a broker answers at once, ms. */
const requestTimeoutMs = 10_000;

/**
 * The brokers of a cluster: which topics they have, who leads a partition, who coordinates a group.
 *
 * The request versions are those that Kafka 3.1 and later understand. Kafka 3.0 lacks Metadata 12 and Fetch 13, which
 * identify topics by id.
 */
export class Brokers {
  readonly #options: KafkaConnection;
  /** A connection to any broker, for requests that each broker can answer. */
  #any: Promise<Connection> | undefined;
  #known: readonly Broker[];
  #metadata: Metadata | undefined;
  #closed = false;

  constructor(options: KafkaConnection) {
    this.#options = options;
    this.#known = options.bootstrapBrokers.map(parseBroker);
  }

  /** Opens a connection that belongs to the caller. */
  open(broker: Broker, timeoutMs: number = requestTimeoutMs): Promise<Connection> {
    return connect(this.#options, broker, timeoutMs);
  }

  /**
   * Asks a broker for the current metadata of these topics.
   *
   * @returns the topics that exist, by name
   */
  async describe(names: readonly string[]): Promise<ReadonlyMap<string, Topic>> {
    const response = await this.#request(async (connection) => {
      try {
        return await metadataV12.api.async(connection, [...names], false, false);
      } catch (error) {
        // The library throws for the whole response if one topic is missing or one partition has no leader.
        if (error instanceof ResponseError) return error.response as metadataV12.MetadataResponse;
        throw error;
      }
    });
    this.#metadata = readMetadata(response);
    if (response.brokers.length > 0) this.#known = response.brokers.map(({ host, port }) => ({ host, port }));
    return this.#metadata.topics;
  }

  /**
   * @param refresh asks for new metadata first, because the last known leader refused a request
   * @throws {KafkaError} `LEADER_NOT_AVAILABLE`
   */
  async leaderOf(topic: string, partition: number, refresh: boolean): Promise<Broker> {
    const key = `${topic}/${partition}`;
    if (refresh || this.#metadata?.leaders.has(key) !== true) {
      const names = new Set([...(this.#metadata?.topics.keys() ?? []), topic]);
      await this.describe([...names]);
    }
    const leader = this.#metadata?.leaders.get(key);
    if (leader === undefined) throw new KafkaError('LEADER_NOT_AVAILABLE', `${key} has no leader`);
    return leader;
  }

  /** The broker that coordinates a consumer group. */
  async coordinatorOf(groupId: string): Promise<Broker> {
    const { coordinators } = await this.#request((connection) =>
      findCoordinatorV4.api.async(connection, 0, [groupId]),
    );
    const { host, port, errorCode } = coordinators[0]!;
    if (errorCode !== 0)
      throw new KafkaError(errorName(errorCode), `the group ${groupId} has no coordinator`);
    return { host, port };
  }

  close(): void {
    this.#closed = true;
    this.#drop(this.#any);
  }

  async #request<T>(send: (connection: Connection) => Promise<T>): Promise<T> {
    this.#any ??= this.#openAny();
    const used = this.#any;
    try {
      return await send(await used);
    } catch (error) {
      this.#drop(used);
      throw error;
    }
  }

  #drop(connection: Promise<Connection> | undefined): void {
    if (this.#any === connection) this.#any = undefined;
    connection?.then(disconnect, () => undefined);
  }

  async #openAny(): Promise<Connection> {
    const bootstrap = this.#options.bootstrapBrokers.map(parseBroker);
    const errors: unknown[] = [];
    // Brokers move. If none of the known addresses answers, the configured ones may still do.
    for (const broker of [...shuffle(this.#known), ...bootstrap]) {
      if (this.#closed) break;
      try {
        return await this.open(broker);
      } catch (error) {
        errors.push(error);
      }
    }
    throw new KafkaError('BROKERS_UNREACHABLE', 'no broker could be reached', { cause: errors[0] });
  }
}

function readMetadata({ brokers, clusterId, topics }: metadataV12.MetadataResponse): Metadata {
  const byId = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
  const known = new Map<string, Topic>();
  const leaders = new Map<string, Broker>();
  for (const { name, topicId, partitions, errorCode } of topics) {
    if (name === null || name === undefined || errorName(errorCode) === 'UNKNOWN_TOPIC_OR_PARTITION')
      continue;
    if (errorCode !== 0 && partitions.length === 0) {
      throw new KafkaError(errorName(errorCode), `the brokers don't describe the topic ${name}`);
    }
    known.set(name, { clusterId: clusterId ?? '', name, id: topicId, partitions: partitions.length });
    for (const { partitionIndex, leaderId } of partitions) {
      const leader = byId.get(leaderId);
      if (leader !== undefined) leaders.set(`${name}/${partitionIndex}`, leader);
    }
  }
  return { topics: known, leaders };
}

function shuffle<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
