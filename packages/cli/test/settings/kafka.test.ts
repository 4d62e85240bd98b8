import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TempDir, tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type KafkaOptions, kafkaConnection, requireKafkaConnection } from '../../src/settings/kafka.ts';

const pem = '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n';
let dir: TempDir;
beforeAll(() => {
  dir = tempDir();
  for (const name of ['ca.pem', 'cert.pem', 'key.pem']) writeFileSync(join(dir.path, name), pem);
  writeFileSync(join(dir.path, 'password'), 'secret\n');
  writeFileSync(join(dir.path, 'token'), 'first\n');
});
afterAll(() => dir.remove());

const read = (options: KafkaOptions, env: Record<string, string> = {}) =>
  kafkaConnection(options, { env, cwd: dir.path });

test('brokers from the option before the environment, and nothing where none is named', () => {
  expect(read({})).toBeUndefined();
  expect(read({}, { TALLYSTICK_KAFKA: '' })).toBeUndefined();
  expect(read({ kafka: 'a:1, b' }, { TALLYSTICK_KAFKA: 'c:3' })).toEqual({
    bootstrapBrokers: ['a:1', 'b'],
    clientId: 'tallystick',
  });
  expect(read({}, { TALLYSTICK_KAFKA: '[::1]:9092', TALLYSTICK_KAFKA_CLIENT_ID: 'mine' })).toEqual({
    bootstrapBrokers: ['[::1]:9092'],
    clientId: 'mine',
  });
  expect(() => requireKafkaConnection({}, { env: {}, cwd: '/' })).toThrow(
    'this command needs a Kafka cluster',
  );
});

test.each(['', ' ', 'a:1,', 'http://a:1', 'a:x', 'a:70000', 'a:0', 'a b:1', 'user@a:1', '::1'])(
  'no broker: %j',
  (kafka) => {
    if (kafka === '') return expect(read({ kafka })).toBeUndefined();
    expect(() => read({ kafka })).toThrow('is not the address of a broker');
  },
);

describe('TLS', () => {
  test('is used with --kafka-tls or with any of its files; the server name is sent for host names and not for addresses', () => {
    expect(read({ kafka: 'a:1' })).not.toHaveProperty('tls');
    expect(read({ kafka: 'a:1', kafkaTls: true })).toMatchObject({ tls: {}, tlsServerName: true });
    expect(read({ kafka: 'a:1' }, { TALLYSTICK_KAFKA_TLS: '1' })).toMatchObject({ tls: {} });
    expect(read({ kafka: '10.0.0.1:1', kafkaCa: 'ca.pem' })).toMatchObject({
      tls: { ca: pem },
      tlsServerName: false,
    });
    const files = { TALLYSTICK_KAFKA_CERT: 'cert.pem', TALLYSTICK_KAFKA_CERT_KEY: join(dir.path, 'key.pem') };
    expect(read({ kafka: '[::1]:1' }, files)).toMatchObject({
      tls: { cert: pem, key: pem },
      tlsServerName: false,
    });
  });

  test.each<[KafkaOptions, string]>([
    [{ kafkaCert: 'cert.pem' }, 'need each other'],
    [{ kafkaCa: 'missing.pem' }, 'ENOENT'],
    [{ kafkaCa: 'password' }, 'is not a PEM file'],
  ])('%j', (options, message) => {
    expect(() => read({ kafka: 'a:1', ...options })).toThrow(message);
  });
});

describe('logging in', () => {
  const tls = { kafka: 'a:1', kafkaTls: true };

  test('a secret in a file is read at each log-in', async () => {
    const { sasl } = read({ ...tls, kafkaSasl: 'OAUTHBEARER', kafkaTokenFile: 'token' })!;
    const token = sasl!.token as () => Promise<string>;
    expect(await token()).toBe('first');
    writeFileSync(join(dir.path, 'token'), 'second');
    expect(await token()).toBe('second');
  });

  test('user and password, from options and environment', async () => {
    const env = {
      TALLYSTICK_KAFKA_SASL: 'scram-sha-512',
      TALLYSTICK_KAFKA_USER: 'tally',
      TALLYSTICK_KAFKA_PASSWORD: 'p',
    };
    expect(read({ kafka: 'a:1' }, env)!.sasl).toEqual({
      mechanism: 'SCRAM-SHA-512',
      username: 'tally',
      password: 'p',
    });
    const { sasl } = read({ kafka: 'a:1', kafkaPasswordFile: 'password' }, env)!;
    expect(await (sasl!.password as () => Promise<string>)()).toBe('secret');
  });

  test.each<[string, KafkaOptions, Record<string, string>, string]>([
    ['no mechanism', { ...tls, kafkaUser: 'u' }, {}, 'a user, password or token needs --kafka-sasl'],
    ['an unknown one', { ...tls, kafkaSasl: 'GSSAPI' }, {}, 'is not a SASL mechanism'],
    ['no password', { ...tls, kafkaSasl: 'PLAIN', kafkaUser: 'u' }, {}, 'needs a user name and a password'],
    ['no token', { ...tls, kafkaSasl: 'OAUTHBEARER' }, {}, 'needs --kafka-token-file'],
    ['no such file', { ...tls, kafkaSasl: 'PLAIN', kafkaUser: 'u', kafkaPasswordFile: 'x' }, {}, 'ENOENT'],
    [
      'a password for all to read',
      { kafka: 'a:1', kafkaSasl: 'PLAIN', kafkaUser: 'u' },
      { TALLYSTICK_KAFKA_PASSWORD: 'p' },
      'PLAIN without TLS sends the secret',
    ],
  ])('%s', (_, options, env, message) => {
    expect(() => read(options, env)).toThrow(message);
  });

  test('without TLS on the loopback address, where no other machine can listen', () => {
    const env = { TALLYSTICK_KAFKA_PASSWORD: 'p' };
    const options = { kafka: '127.0.0.1:9092,localhost:9093', kafkaSasl: 'PLAIN', kafkaUser: 'u' };
    expect(read(options, env)!.sasl!.mechanism).toBe('PLAIN');
  });
});
