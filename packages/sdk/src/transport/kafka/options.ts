import type { ConnectionOptions } from 'node:tls';
import { readOptions, refusal, requireWhole } from '../../configuration.ts';
import type { Credential } from '../http.ts';

/**
 * How the client says who it is. A secret may be a function: it is asked for every new connection, with `refresh: true`
 * after the broker refused the last one, and anew before the session that the broker granted is over.
 */
export type KafkaSasl =
  | {
      readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
      readonly username: string;
      readonly password: Credential;
    }
  | {
      readonly mechanism: 'OAUTHBEARER';
      /** A bearer token, as the identity provider gave it. */
      readonly token: Credential;
      /** SASL extensions that the broker asks for, such as `logicalCluster`. @defaultValue none */
      readonly extensions?: { readonly [name: string]: string };
    };

/** `zstd` needs a Node.js that has it (22.15 or later). */
export type KafkaCompression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** Which cluster and topic, and how to speak to them. */
export interface KafkaTransportOptions {
  /** Where to find the cluster: `'kafka-1:9092,kafka-2:9092'`, or a list of such addresses. */
  readonly brokers: string | readonly string[];
  /** @defaultValue 'audit.events' */
  readonly topic?: string;
  /** What the broker's logs and quotas call this client; no white space. @defaultValue 'tallystick-sdk' */
  readonly clientId?: string;
  /**
   * How messages are packed on the way and in the topic. `gzip` works off the event loop, and every consumer reads it;
   * the others are quicker in all and hold the loop for a few milliseconds a megabyte.
   *
   * @defaultValue 'gzip'
   */
  readonly compression?: KafkaCompression;
  /**
   * `true`, or what `node:tls` takes: `ca`, `cert` and `key` for mutual authentication, `servername`, ….
   *
   * @defaultValue false: in the clear
   */
  readonly tls?: boolean | ConnectionOptions;
  /** @defaultValue none */
  readonly sasl?: KafkaSasl;
  /** How long one request may take in all, connecting included, in ms. @defaultValue 15000 */
  readonly timeoutMs?: number;
  /** How long one broker gets to accept a connection and its credential, in ms. @defaultValue 5000 */
  readonly connectTimeoutMs?: number;
  /**
   * Bytes of messages in one request, before compression; a larger batch goes in several, one after the other. At most
   * the topic's `max.message.bytes`, less 1 %.
   *
   * @defaultValue 1000000
   */
  readonly maxRequestBytes?: number;
}

/** What {@link KafkaTransportOptions} leaves out, in its units. */
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

/** With one name for the brokers and numbers that make sense. */
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
    requireWhole(name, settings[name], 1);
  }
  if (!/^\S+$/.test(settings.clientId)) throw refusal('clientId must not be empty or hold white space');
  if (!/^[\w.-]{1,249}$/.test(settings.topic)) throw refusal('topic must be the name of a Kafka topic');
  if (!compressions.has(settings.compression)) {
    throw refusal(`compression must be one of ${[...compressions].join(', ')}`);
  }
  if (sasl !== undefined && !mechanisms.has(sasl.mechanism)) {
    throw refusal(`sasl.mechanism must be one of ${[...mechanisms].join(', ')}`);
  }
  return settings;
}

const compressions: ReadonlySet<string> = new Set(['none', 'gzip', 'snappy', 'lz4', 'zstd']);
const mechanisms: ReadonlySet<string> = new Set(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER']);

function readBrokers(given: string | readonly string[]): readonly string[] {
  const list = (typeof given === 'string' ? given.split(',') : (given ?? []))
    .map((broker) => broker.trim())
    .filter((broker) => broker !== '');
  if (list.length === 0 || list.some((broker) => !/^[^\s/]+:\d{1,5}$/.test(broker))) {
    throw refusal('brokers must be addresses such as kafka-1:9092');
  }
  return list;
}
