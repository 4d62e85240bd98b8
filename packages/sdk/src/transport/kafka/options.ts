import type { ConnectionOptions } from 'node:tls';
import { invalidConfig, readOptions, requireInteger } from '../../configuration.ts';
import type { Credential } from '../credential.ts';

/**
 * How the client authenticates. A function for a secret is called for every new connection: with `refresh: true` if the broker
 * refused the last secret. It is also called before a session that the broker limited in time ends.
 */
export type KafkaSasl =
  | {
      readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
      readonly username: string;
      readonly password: Credential;
    }
  | {
      readonly mechanism: 'OAUTHBEARER';
      /** A bearer token of the identity provider. */
      readonly token: Credential;
      /** SASL extensions that the broker requires, such as `logicalCluster`. @defaultValue none */
      readonly extensions?: { readonly [name: string]: string };
    };

/** `zstd` needs Node.js 22.15 or later. */
export type KafkaCompression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** The Kafka cluster and topic, and how to connect to them. */
export interface KafkaTransportOptions {
  /** Addresses of brokers: `'kafka-1:9092,kafka-2:9092'`, or a list. */
  readonly brokers: string | readonly string[];
  /** @defaultValue 'audit.events' */
  readonly topic?: string;
  /** Name of this client in the broker's logs and quotas; without white space. @defaultValue 'tallystick-sdk' */
  readonly clientId?: string;
  /**
   * How the messages of a request are compressed. `gzip` is compressed outside of the event loop, and every consumer can read
   * it. The others take less time in total, but block the event loop for a few milliseconds per megabyte.
   *
   * @defaultValue 'gzip'
   */
  readonly compression?: KafkaCompression;
  /**
   * `true`, or options of `node:tls`: `ca`, `cert` and `key` for mutual authentication, `servername` and others.
   *
   * @defaultValue false: connections are not encrypted
   */
  readonly tls?: boolean | ConnectionOptions;
  /** @defaultValue none: the client does not authenticate with SASL */
  readonly sasl?: KafkaSasl;
  /** How long one request may take in total, including the connection, in milliseconds. @defaultValue 15000 */
  readonly timeoutMs?: number;
  /** How long one broker may take to accept a connection and its credential, in milliseconds. @defaultValue 5000 */
  readonly connectTimeoutMs?: number;
  /**
   * Bytes of messages in one request, before compression. A larger batch is sent in several requests, one after the other.
   * Must be at most 99 % of the topic's `max.message.bytes`.
   *
   * @defaultValue 1000000
   */
  readonly maxRequestBytes?: number;
}

/** The defaults of {@link KafkaTransportOptions}. */
export const kafkaDefaults = Object.freeze({
  topic: 'audit.events',
  clientId: 'tallystick-sdk',
  compression: 'gzip',
  timeoutMs: 15_000,
  connectTimeoutMs: 5_000,
  maxRequestBytes: 1_000_000,
});

export interface KafkaSettings {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly clientId: string;
  readonly compression: KafkaCompression;
  readonly tls: ConnectionOptions | undefined;
  readonly sasl: KafkaSasl | undefined;
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly maxRequestBytes: number;
}

const compressions: ReadonlySet<string> = new Set(['none', 'gzip', 'snappy', 'lz4', 'zstd']);
const mechanisms: ReadonlySet<string> = new Set(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER']);

/** @throws {AuditError} `CONFIG_INVALID` for an invalid option */
export function readKafkaOptions(options: KafkaTransportOptions): KafkaSettings {
  const { brokers, tls, sasl, ...rest } = readOptions('kafkaTransport', options, kafkaDefaults, [
    'brokers',
    'tls',
    'sasl',
  ]);
  const settings = {
    ...rest,
    brokers: readBrokers(brokers),
    tls: tls === true ? {} : tls || undefined,
    sasl,
  };
  for (const name of ['timeoutMs', 'connectTimeoutMs', 'maxRequestBytes'] as const) {
    requireInteger(name, settings[name], 1);
  }
  if (!/^\S+$/.test(settings.clientId)) {
    throw invalidConfig('clientId must not be empty or contain white space');
  }
  if (!/^[\w.-]{1,249}$/.test(settings.topic)) throw invalidConfig('topic must be the name of a Kafka topic');
  if (!compressions.has(settings.compression)) {
    throw invalidConfig(`compression must be one of ${[...compressions].join(', ')}`);
  }
  if (sasl !== undefined && !mechanisms.has(sasl.mechanism)) {
    throw invalidConfig(`sasl.mechanism must be one of ${[...mechanisms].join(', ')}`);
  }
  return settings;
}

function readBrokers(given: string | readonly string[]): readonly string[] {
  const list = (typeof given === 'string' ? given.split(',') : (given ?? []))
    .map((broker) => broker.trim())
    .filter((broker) => broker !== '');
  if (list.length === 0 || list.some((broker) => !/^[^\s/]+:\d{1,5}$/.test(broker))) {
    throw invalidConfig('brokers must be addresses such as kafka-1:9092');
  }
  return list;
}
