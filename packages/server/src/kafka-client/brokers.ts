import { Connection, findCoordinatorV4, metadataV12, ResponseError } from '@platformatic/kafka';
import type { KafkaConnection } from '../ingest/kafka/options.ts';
import { nameOfError, SourceError } from '../ingest/kafka/source-error.ts';

export interface Broker {
  readonly host: string;
  readonly port: number;
}

/** A topic as the brokers describe it. */
export interface Topic {
  readonly clusterId: string;
  readonly name: string;
  /** A topic that is made anew under its name gets another. */
  readonly id: string;
  readonly partitions: number;
}

interface View {
  readonly clusterId: string;
  readonly topics: ReadonlyMap<string, Topic>;
  /** By `topic/partition`; without those that have no leader now. */
  readonly leaders: ReadonlyMap<string, Broker>;
}

/** For requests that are answered at once. */
const requestTimeoutMs = 10_000;
const connectTimeoutMs = 5_000;

/**
 * The brokers of a cluster, on the wire of `@platformatic/kafka`: its requests and connections, without the clients above
 * them, which keep time, retries and membership to themselves.
 *
 * Requests are of versions that Kafka 3.1 and later understand; 3.0 has no Metadata 12 and no Fetch 13, by topic id.
 */
export class Brokers {
  readonly #connection: KafkaConnection;
  /** Any broker, for questions that each can answer. */
  #any: Promise<Connection> | undefined;
  #known: readonly Broker[];
  #view: View | undefined;
  #closed = false;

  constructor(connection: KafkaConnection) {
    this.#connection = connection;
    this.#known = connection.bootstrapBrokers.map(parseBroker);
  }

  /** A connection of the caller's own. */
  async open(broker: Broker, timeoutMs: number = requestTimeoutMs): Promise<Connection> {
    const { tls, tlsServerName, sasl, clientId = 'tallystick' } = this.#connection;
    const connection = new Connection(clientId, {
      connectTimeout: connectTimeoutMs,
      requestTimeout: timeoutMs,
      ...(tls !== undefined && { tls }),
      ...(tlsServerName !== undefined && { tlsServerName }),
      ...(sasl !== undefined && { sasl }),
    });
    // Told to the requests under way as well; without a listener it would end the process.
    connection.on('error', () => undefined);
    try {
      await connection.connect(broker.host, broker.port);
      return connection;
    } catch (error) {
      discard(connection);
      throw error;
    }
  }

  /**
   * Asks anew what these topics are now.
   *
   * @returns those that exist, by name
   */
  async describe(names: readonly string[]): Promise<ReadonlyMap<string, Topic>> {
    const response = await this.#ask(async (connection) => {
      try {
        return await metadataV12.api.async(connection, [...names], false, false);
      } catch (error) {
        // A topic that does not exist, or a partition without a leader, is an error of the whole answer.
        if (error instanceof ResponseError) return error.response as metadataV12.MetadataResponse;
        throw error;
      }
    });
    this.#view = viewOf(response);
    if (response.brokers.length > 0) this.#known = response.brokers.map(({ host, port }) => ({ host, port }));
    return this.#view.topics;
  }

  /**
   * @param fresh asks anew: the leader that was known refused
   * @throws {SourceError} `LEADER_NOT_AVAILABLE`
   */
  async leaderOf(topic: string, partition: number, fresh: boolean): Promise<Broker> {
    const key = `${topic}/${partition}`;
    if (fresh || this.#view?.leaders.has(key) !== true) {
      const names = new Set([...(this.#view?.topics.keys() ?? []), topic]);
      await this.describe([...names]);
    }
    const leader = this.#view?.leaders.get(key);
    if (leader === undefined) throw new SourceError('LEADER_NOT_AVAILABLE', `${key} has no leader`);
    return leader;
  }

  /** The broker that keeps a group. */
  async coordinatorOf(groupId: string): Promise<Broker> {
    const { coordinators } = await this.#ask((connection) =>
      findCoordinatorV4.api.async(connection, 0, [groupId]),
    );
    const { host, port, errorCode } = coordinators[0]!;
    if (errorCode !== 0) throw new SourceError(nameOfError(errorCode), 'the group has no coordinator');
    return { host, port };
  }

  close(): void {
    this.#closed = true;
    this.#drop(this.#any);
  }

  async #ask<T>(question: (connection: Connection) => Promise<T>): Promise<T> {
    this.#any ??= this.#openAny();
    const asked = this.#any;
    try {
      return await question(await asked);
    } catch (error) {
      this.#drop(asked);
      throw error;
    }
  }

  #drop(any: Promise<Connection> | undefined): void {
    if (this.#any === any) this.#any = undefined;
    any?.then(discard, () => undefined);
  }

  async #openAny(): Promise<Connection> {
    const bootstrap = this.#connection.bootstrapBrokers.map(parseBroker);
    const tried: unknown[] = [];
    // Brokers move; those named at the start may be the only ones that are left.
    for (const broker of [...shuffled(this.#known), ...bootstrap]) {
      if (this.#closed) break;
      try {
        return await this.open(broker);
      } catch (error) {
        tried.push(error);
      }
    }
    throw new SourceError('BROKERS_UNREACHABLE', 'no broker could be reached', { cause: tried[0] });
  }
}

/** Ends a connection without waiting for anybody; its requests fail. */
export function discard(connection: Connection): void {
  Promise.resolve(connection.close()).catch(() => undefined);
  (connection.socket as Connection['socket'] | undefined)?.destroy();
}

function viewOf({ brokers, clusterId, topics }: metadataV12.MetadataResponse): View {
  const byId = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
  const known = new Map<string, Topic>();
  const leaders = new Map<string, Broker>();
  for (const { name, topicId, partitions, errorCode } of topics) {
    if (name === null || name === undefined || nameOfError(errorCode) === 'UNKNOWN_TOPIC_OR_PARTITION')
      continue;
    if (errorCode !== 0 && partitions.length === 0) {
      throw new SourceError(nameOfError(errorCode), `the brokers don't describe the topic ${name}`);
    }
    known.set(name, { clusterId: clusterId ?? '', name, id: topicId, partitions: partitions.length });
    for (const { partitionIndex, leaderId } of partitions) {
      const leader = byId.get(leaderId);
      if (leader !== undefined) leaders.set(`${name}/${partitionIndex}`, leader);
    }
  }
  return { clusterId: clusterId ?? '', topics: known, leaders };
}

function parseBroker(text: string): Broker {
  const match = /^\[?(.*?)\]?(?::(\d+))?$/.exec(text)!;
  return { host: match[1]!, port: Number(match[2] ?? 9092) };
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
