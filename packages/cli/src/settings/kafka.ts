import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import type { KafkaConnection } from '@tallystick/server/kafka';
import { type Command, Option } from 'commander';
import { CliError } from '../errors.ts';

/** How a Kafka cluster is reached: the same options wherever a command talks to one. */
export interface KafkaOptions {
  readonly kafka?: string;
  readonly kafkaClientId?: string;
  readonly kafkaTls?: boolean;
  readonly kafkaCa?: string;
  readonly kafkaCert?: string;
  readonly kafkaCertKey?: string;
  readonly kafkaSasl?: string;
  readonly kafkaUser?: string;
  readonly kafkaPasswordFile?: string;
  readonly kafkaTokenFile?: string;
}

const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const;
type Mechanism = (typeof mechanisms)[number];

/** Adds the options to a command. Secrets have none: other users of the machine see a command line. */
export function addKafkaOptions(command: Command): Command {
  return command
    .option('--kafka <brokers>', 'host:port of some brokers, separated by commas; or TALLYSTICK_KAFKA')
    .option(
      '--kafka-client-id <id>',
      'name in the logs and quotas of the brokers; or TALLYSTICK_KAFKA_CLIENT_ID (default: tallystick)',
    )
    .option('--kafka-tls', 'TLS; also with any of the files below; or TALLYSTICK_KAFKA_TLS=1')
    .option('--kafka-ca <file>', "the brokers' certificate authority, PEM; or TALLYSTICK_KAFKA_CA")
    .option('--kafka-cert <file>', 'own certificate, PEM; or TALLYSTICK_KAFKA_CERT')
    .option('--kafka-cert-key <file>', "the own certificate's key, PEM; or TALLYSTICK_KAFKA_CERT_KEY")
    .addOption(
      new Option('--kafka-sasl <mechanism>', 'how to log in; or TALLYSTICK_KAFKA_SASL').choices(mechanisms),
    )
    .option('--kafka-user <name>', 'user name; or TALLYSTICK_KAFKA_USER')
    .option(
      '--kafka-password-file <file>',
      'the password, read anew at each log-in; or TALLYSTICK_KAFKA_PASSWORD_FILE, or TALLYSTICK_KAFKA_PASSWORD itself',
    )
    .option(
      '--kafka-token-file <file>',
      'the token of OAUTHBEARER, read anew at each log-in; or TALLYSTICK_KAFKA_TOKEN_FILE, or TALLYSTICK_KAFKA_TOKEN itself',
    );
}

interface Surroundings {
  readonly env: { readonly [name: string]: string | undefined };
  readonly cwd: string;
}

/**
 * What the options and the environment say of a cluster; nothing where they name no broker. Never from the
 * configuration file: it is one user's, and would turn a service into another one.
 *
 * @throws {CliError} `USAGE`, `INPUT_UNREADABLE`
 */
export function kafkaConnection(
  options: KafkaOptions,
  { env, cwd }: Surroundings,
): KafkaConnection | undefined {
  const given = (option: string | undefined, name: string) => option || env[name] || undefined;
  const file = (option: string | undefined, name: string) => {
    const path = given(option, name);
    return path === undefined ? undefined : resolve(cwd, path);
  };
  const brokers = given(options.kafka, 'TALLYSTICK_KAFKA');
  if (brokers === undefined) return undefined;
  const bootstrapBrokers = parseBrokers(brokers);
  const hosts = bootstrapBrokers.map((broker) => broker.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1'));

  const ca = file(options.kafkaCa, 'TALLYSTICK_KAFKA_CA');
  const cert = file(options.kafkaCert, 'TALLYSTICK_KAFKA_CERT');
  const key = file(options.kafkaCertKey, 'TALLYSTICK_KAFKA_CERT_KEY');
  if ((cert === undefined) !== (key === undefined)) {
    throw new CliError('USAGE', '--kafka-cert and --kafka-cert-key go together');
  }
  const wantsTls = options.kafkaTls ?? ['1', 'true'].includes(env.TALLYSTICK_KAFKA_TLS ?? '');
  const hasTls = wantsTls || ca !== undefined || cert !== undefined;

  const sasl = saslOf(given(options.kafkaSasl, 'TALLYSTICK_KAFKA_SASL'), {
    username: given(options.kafkaUser, 'TALLYSTICK_KAFKA_USER'),
    password: secret(
      file(options.kafkaPasswordFile, 'TALLYSTICK_KAFKA_PASSWORD_FILE'),
      env.TALLYSTICK_KAFKA_PASSWORD,
    ),
    token: secret(file(options.kafkaTokenFile, 'TALLYSTICK_KAFKA_TOKEN_FILE'), env.TALLYSTICK_KAFKA_TOKEN),
  });
  const isOpen = sasl?.mechanism === 'PLAIN' || sasl?.mechanism === 'OAUTHBEARER';
  if (isOpen && !hasTls && !hosts.every(isLoopback)) {
    throw new CliError('USAGE', `${sasl.mechanism} without TLS shows the secret to the network`, {
      hint: '--kafka-tls, or SCRAM-SHA-512, which does not send the password',
    });
  }
  return {
    bootstrapBrokers,
    clientId: given(options.kafkaClientId, 'TALLYSTICK_KAFKA_CLIENT_ID') ?? 'tallystick',
    ...(hasTls && {
      tls: {
        ...(ca !== undefined && { ca: readPem(ca) }),
        ...(cert !== undefined && { cert: readPem(cert), key: readPem(key!) }),
      },
      // Hosted clusters choose the broker by the name that is asked for; an address is no name (RFC 6066 section 3).
      tlsServerName: hosts.every((host) => isIP(host) === 0),
    }),
    ...(sasl !== undefined && { sasl }),
  };
}

/**
 * As {@link kafkaConnection}, for a command that can't do without.
 *
 * @throws {CliError} `USAGE`, `INPUT_UNREADABLE`
 */
export function requireKafkaConnection(options: KafkaOptions, surroundings: Surroundings): KafkaConnection {
  const connection = kafkaConnection(options, surroundings);
  if (connection !== undefined) return connection;
  throw new CliError('USAGE', 'no Kafka cluster is named', {
    hint: '--kafka HOST:PORT,… or TALLYSTICK_KAFKA',
  });
}

function parseBrokers(text: string): string[] {
  return text.split(',').map((part) => {
    const broker = part.trim();
    const match = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/.exec(broker);
    if (match === null || Number(match[1] ?? 9092) > 65_535 || match[1] === '0') {
      throw new CliError('USAGE', `${JSON.stringify(broker)} is not the address of a broker: host:port`);
    }
    return broker;
  });
}

type Secret = string | (() => Promise<string>);

/** A file wins, and is read at each log-in, so that a secret can be replaced while the service runs. */
function secret(file: string | undefined, value: string | undefined): Secret | undefined {
  if (file === undefined) return value || undefined;
  readText(file);
  return async () => (await readFile(file, 'utf8')).trimEnd();
}

function saslOf(
  named: string | undefined,
  login: {
    readonly username: string | undefined;
    readonly password: Secret | undefined;
    readonly token: Secret | undefined;
  },
): NonNullable<KafkaConnection['sasl']> | undefined {
  const { username, password, token } = login;
  if (named === undefined) {
    if (username === undefined && password === undefined && token === undefined) return undefined;
    throw new CliError('USAGE', '--kafka-sasl must say how to log in', {
      hint: `one of ${mechanisms.join(', ')}`,
    });
  }
  const mechanism = mechanisms.find((each): each is Mechanism => each === named.toUpperCase());
  if (mechanism === undefined) {
    throw new CliError('USAGE', `${JSON.stringify(named)} is no way to log in to Kafka`, {
      hint: `one of ${mechanisms.join(', ')}`,
    });
  }
  if (mechanism === 'OAUTHBEARER') {
    if (token !== undefined) return { mechanism, token };
    throw new CliError('USAGE', 'OAUTHBEARER needs --kafka-token-file or TALLYSTICK_KAFKA_TOKEN');
  }
  if (username !== undefined && password !== undefined) return { mechanism, username, password };
  const hint = '--kafka-user or TALLYSTICK_KAFKA_USER; --kafka-password-file or TALLYSTICK_KAFKA_PASSWORD';
  throw new CliError('USAGE', `${mechanism} needs a user and a password`, { hint });
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function readPem(path: string): string {
  const text = readText(path);
  if (text.includes('-----BEGIN ')) return text;
  throw new CliError('USAGE', `${path} is not PEM`);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CliError('INPUT_UNREADABLE', `can't read ${path}: ${(cause as NodeJS.ErrnoException).code}`, {
      cause,
    });
  }
}
