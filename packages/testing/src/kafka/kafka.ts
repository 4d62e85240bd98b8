import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { tempDir } from '../temp-dir.ts';
import { Broker } from './broker.ts';
import { kafkaClassPath } from './jars.ts';
import { type KafkaSecurity, type SecuredListeners, secure, securedNames } from './security.ts';

export interface KafkaOptions {
  /** @defaultValue 1 */
  readonly nodes?: number;
  /** Broker settings, as in server.properties. They replace the defaults. */
  readonly settings?: Record<string, string>;
  /**
   * Adds listeners with TLS and SASL, and an authorizer that refuses what no ACL allows. Needs OpenSSL, and Kafka 3.5 or later: older
   * versions have no SCRAM without ZooKeeper.
   *
   * @defaultValue none
   */
  readonly security?: KafkaSecurity;
}

/** A real Apache Kafka that belongs to this process and ends with it. */
export interface Kafka extends AsyncDisposable {
  /** `host:port` of every broker. */
  readonly bootstrap: string[];
  readonly clusterId: string;
  readonly brokers: readonly Broker[];
  /** Only with the option `security`. */
  readonly secured?: SecuredListeners;
  /** Stops all brokers and removes their data. A second call does nothing. */
  stop(): Promise<void>;
}

/**
 * 16 random bytes in base64url, as Kafka writes a UUID. One in 64 would begin with '-', and the storage tool would read it as an option.
 * These are avoided, as in Kafka's own `Uuid.randomUuid`.
 */
export function randomClusterId(): string {
  const bytes = randomBytes(16);
  bytes[0]! &= 0x7f;
  return bytes.toString('base64url');
}

/**
 * Starts a KRaft cluster on loopback. Topics are not created automatically. The replication factor is min(3, nodes) by default.
 * Session time-outs of consumer groups may be one second, so that tests of dead members do not wait for a minute.
 */
export async function startKafka(options: KafkaOptions = {}): Promise<Kafka> {
  const { nodes = 1, settings = {} } = options;
  const classPath = await kafkaClassPath();
  const dir = tempDir('tallystick-kafka-');
  const ids = Array.from({ length: nodes }, (_, index) => index + 1);
  const security = options.security && secure(options.security, dir.path);
  const ports = new Map<number, { broker: number; controller: number }>();
  for (const id of ids) ports.set(id, { broker: await freePort(), controller: await freePort() });
  const securedPorts: Record<(typeof securedNames)[number], number[]> = { TLS: [], MUTUAL: [], SASL: [] };
  if (security !== undefined) {
    for (const name of securedNames) for (const _ of ids) securedPorts[name].push(await freePort());
  }
  const voters = ids.map((id) => `${id}@127.0.0.1:${ports.get(id)!.controller}`).join(',');
  const clusterId = randomClusterId();
  const replicas = String(Math.min(3, nodes));
  const brokers = ids.map((id) => {
    const { broker, controller } = ports.get(id)!;
    const secured = securedNames.flatMap((name) =>
      securedPorts[name].slice(id - 1, id).map((port) => `${name}://127.0.0.1:${port}`),
    );
    const listeners = [`PLAINTEXT://127.0.0.1:${broker}`, ...secured].join(',');
    mkdirSync(join(dir.path, String(id)));
    return new Broker(id, join(dir.path, String(id)), classPath, {
      'process.roles': 'broker,controller',
      'controller.quorum.voters': voters,
      'controller.listener.names': 'CONTROLLER',
      listeners: `${listeners},CONTROLLER://127.0.0.1:${controller}`,
      'advertised.listeners': listeners,
      'listener.security.protocol.map': ['CONTROLLER:PLAINTEXT', 'PLAINTEXT:PLAINTEXT', security?.protocols]
        .filter((protocol) => protocol !== undefined)
        .join(','),
      'auto.create.topics.enable': 'false',
      'default.replication.factor': replicas,
      'min.insync.replicas': String(Math.min(2, nodes)),
      'offsets.topic.replication.factor': replicas,
      'offsets.topic.num.partitions': '4',
      'transaction.state.log.replication.factor': replicas,
      'transaction.state.log.min.isr': String(Math.min(2, nodes)),
      'transaction.state.log.num.partitions': '4',
      'group.initial.rebalance.delay.ms': '0',
      'group.min.session.timeout.ms': '1000',
      'group.consumer.min.session.timeout.ms': '1000',
      'group.consumer.session.timeout.ms': '6000',
      'group.consumer.min.heartbeat.interval.ms': '200',
      'group.consumer.heartbeat.interval.ms': '500',
      // A killed node must be able to join again before a test times out.
      'broker.session.timeout.ms': '3000',
      'broker.heartbeat.interval.ms': '500',
      'controlled.shutdown.enable': nodes > 1 ? 'true' : 'false',
      ...security?.settings,
      ...settings,
    });
  });
  const stop = async () => {
    await Promise.all(brokers.map((broker) => broker.stop()));
    for (const broker of brokers) broker.release();
    dir.remove();
  };
  try {
    await Promise.all(brokers.map((broker) => broker.format(clusterId, security?.formatOptions ?? [])));
    await Promise.all(brokers.map((broker) => broker.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  const addresses = (list: number[]) => list.map((port) => `127.0.0.1:${port}`);
  return {
    bootstrap: ids.map((id) => `127.0.0.1:${ports.get(id)!.broker}`),
    clusterId,
    brokers,
    ...(security !== undefined && {
      secured: {
        tls: addresses(securedPorts.TLS),
        mutualTls: addresses(securedPorts.MUTUAL),
        sasl: addresses(securedPorts.SASL),
        ca: security.ca,
        client: security.client,
      },
    }),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
