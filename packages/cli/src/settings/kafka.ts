import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import type { KafkaConnection } from '@tallystick/server/kafka';
import { type Command, Option } from 'commander';
import { CliError } from '../errors.ts';
import type { ProcessContext } from '../process-context.ts';

/** How to reach a Kafka cluster: the same options for every command that talks to one. */
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

/** Adds the options to a command. Secrets have no options: other users of the machine can see a command line. */
export function addKafkaOptions(command: Command): Command {
  return command
    .option(
      '--kafka <brokers>',
      'addresses of some brokers, host:port, separated by commas; or TALLYSTICK_KAFKA',
    )
    .option(
      '--kafka-client-id <id>',
      'client id, which the brokers use in logs and quotas; or TALLYSTICK_KAFKA_CLIENT_ID (default: tallystick)',
    )
    .option('--kafka-tls', 'use TLS; implied by --kafka-ca and --kafka-cert; or TALLYSTICK_KAFKA_TLS=1')
    .option(
      '--kafka-ca <file>',
      'PEM file with the certificate authority of the brokers; or TALLYSTICK_KAFKA_CA',
    )
    .option('--kafka-cert <file>', 'PEM file with the client certificate; or TALLYSTICK_KAFKA_CERT')
    .option(
      '--kafka-cert-key <file>',
      'PEM file with the key of the client certificate; or TALLYSTICK_KAFKA_CERT_KEY',
    )
    .addOption(
      new Option(
        '--kafka-sasl <mechanism>',
        'SASL mechanism for the login; or TALLYSTICK_KAFKA_SASL',
      ).choices(mechanisms),
    )
    .option('--kafka-user <name>', 'user name for the login; or TALLYSTICK_KAFKA_USER')
    .option(
      '--kafka-password-file <file>',
      'file with the password, read at each login; or TALLYSTICK_KAFKA_PASSWORD_FILE; or the password itself in TALLYSTICK_KAFKA_PASSWORD',
    )
    .option(
      '--kafka-token-file <file>',
      'file with the token for OAUTHBEARER, read at each login; or TALLYSTICK_KAFKA_TOKEN_FILE; or the token itself in TALLYSTICK_KAFKA_TOKEN',
    );
}

/**
 * Reads the connection to a cluster from the options and the environment. Undefined if they name no broker. The
 * configuration file is never read: it belongs to one user, and a service must not depend on which user starts it.
 *
 * @throws {CliError} `USAGE`, `INPUT_UNREADABLE`
 */
export function kafkaConnection(
  options: KafkaOptions,
  { env, cwd }: Pick<ProcessContext, 'env' | 'cwd'>,
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
    throw new CliError('USAGE', '--kafka-cert and --kafka-cert-key need each other');
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
  const sendsSecret = sasl?.mechanism === 'PLAIN' || sasl?.mechanism === 'OAUTHBEARER';
  if (sendsSecret && !hasTls && !hosts.every(isLoopback)) {
    throw new CliError('USAGE', `${sasl.mechanism} without TLS sends the secret unencrypted`, {
      hint: 'add --kafka-tls, or use SCRAM-SHA-512, which does not send the password',
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
      // Hosted clusters choose the broker by the server name of the TLS handshake. An IP address is not allowed there
      // (RFC 6066 section 3).
      tlsServerName: hosts.every((host) => isIP(host) === 0),
    }),
    ...(sasl !== undefined && { sasl }),
  };
}

/**
 * {@link kafkaConnection} for a command that needs a cluster.
 *
 * @throws {CliError} `USAGE`, `INPUT_UNREADABLE`
 */
export function requireKafkaConnection(
  options: KafkaOptions,
  processContext: Pick<ProcessContext, 'env' | 'cwd'>,
): KafkaConnection {
  const connection = kafkaConnection(options, processContext);
  if (connection !== undefined) return connection;
  throw new CliError('USAGE', 'this command needs a Kafka cluster', {
    hint: 'name its brokers with --kafka HOST:PORT,… or TALLYSTICK_KAFKA',
  });
}

function parseBrokers(text: string): string[] {
  return text.split(',').map((part) => {
    const broker = part.trim();
    const match = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/.exec(broker);
    if (match === null || Number(match[1] ?? 9092) > 65_535 || match[1] === '0') {
      throw new CliError(
        'USAGE',
        `${JSON.stringify(broker)} is not the address of a broker; write host:port`,
      );
    }
    return broker;
  });
}

type Secret = string | (() => Promise<string>);

/** A file comes before the value. It is read at each login, so that a secret can be replaced while the service runs. */
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
    throw new CliError('USAGE', 'a user, password or token needs --kafka-sasl', {
      hint: `one of ${mechanisms.join(', ')}`,
    });
  }
  const mechanism = mechanisms.find((each): each is Mechanism => each === named.toUpperCase());
  if (mechanism === undefined) {
    throw new CliError('USAGE', `${JSON.stringify(named)} is not a SASL mechanism that tally supports`, {
      hint: `one of ${mechanisms.join(', ')}`,
    });
  }
  if (mechanism === 'OAUTHBEARER') {
    if (token !== undefined) return { mechanism, token };
    throw new CliError('USAGE', 'OAUTHBEARER needs --kafka-token-file or TALLYSTICK_KAFKA_TOKEN');
  }
  if (username !== undefined && password !== undefined) return { mechanism, username, password };
  const hint =
    'set --kafka-user or TALLYSTICK_KAFKA_USER, and --kafka-password-file or TALLYSTICK_KAFKA_PASSWORD';
  throw new CliError('USAGE', `${mechanism} needs a user name and a password`, { hint });
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function readPem(path: string): string {
  const text = readText(path);
  if (text.includes('-----BEGIN ')) return text;
  throw new CliError('USAGE', `${path} is not a PEM file`);
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
