import { inspect } from 'node:util';
import {
  AclOperations,
  type AclOperationValue,
  AclPermissionTypes,
  Admin,
  ResourcePatternTypes,
  ResourceTypes,
} from '@platformatic/kafka';
import { type Kafka, type SecuredListeners, startKafka, until } from '@tallystick/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type KafkaSasl, type KafkaTransportOptions, kafkaTransport } from '../../src/kafka.ts';
import { runChild } from '../support/run-child.ts';
import { newTopic, readTopic } from './topic.ts';

const sessionMs = 3_000;

let kafka: Kafka;
let secured: SecuredListeners;
let topic: string;
beforeAll(async () => {
  const users = { writer: 'writer-secret', describer: 'describer-secret', neighbour: 'neighbour-secret' };
  kafka = await startKafka({ security: { users, sessionMs } });
  secured = kafka.secured!;
  topic = await newTopic(kafka.bootstrap);
  await allow('User:writer', AclOperations.WRITE);
  await allow('User:CN=client', AclOperations.WRITE);
  await allow('User:describer', AclOperations.DESCRIBE);
  await allow('User:neighbour', AclOperations.WRITE, 'next-door');
}, 120_000);
afterAll(() => kafka?.stop());

/** What `kafka-acls --add --allow-principal … --operation … --topic …` does. */
async function allow(principal: string, operation: AclOperationValue, resourceName = topic): Promise<void> {
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: kafka.bootstrap });
  const resource = { resourceType: ResourceTypes.TOPIC, resourcePatternType: ResourcePatternTypes.LITERAL };
  const permission = { permissionType: AclPermissionTypes.ALLOW, host: '*' };
  await admin.createAcls({
    creations: [{ ...resource, ...permission, resourceName, principal, operation }],
  });
  await admin.close();
}

let sent = 0;
/** Sends one event with a new transport. The result says whether it is in the topic. */
async function send(options: Omit<KafkaTransportOptions, 'topic'>): Promise<boolean> {
  const transport = kafkaTransport({ ...options, topic });
  const audit_id = `id-${++sent}`;
  try {
    await transport.send(oneEvent(audit_id), new AbortController().signal);
  } finally {
    await transport.close();
  }
  return (await readTopic(kafka.bootstrap, topic)).some(({ value }) => value.includes(`"${audit_id}"`));
}

function oneEvent(audit_id: string) {
  const delivery = { producer_id: 'p', service: 's', sequences: [1], gaps: [], final: [] };
  return { events: [JSON.stringify({ tenant_id: 'acme', audit_id })], delivery };
}

describe('TLS', () => {
  test('with the authority that signed the broker', async () => {
    expect(await send({ brokers: secured.tls, tls: { ca: secured.ca } })).toBe(true);
  });

  test('by name', async () => {
    const brokers = secured.tls.map((broker) => broker.replace('127.0.0.1', 'localhost'));
    expect(await send({ brokers, tls: { ca: secured.ca, servername: 'localhost' } })).toBe(true);
  });

  test('refuses a broker whose certificate is not trusted, or is for another name', async () => {
    await expect(send({ brokers: secured.tls, tls: true })).rejects.toMatchObject({
      retryable: true,
      message: expect.stringMatching(/SELF_SIGNED_CERT|UNABLE_TO_VERIFY/),
    });
    await expect(
      send({ brokers: secured.tls, tls: { ca: secured.ca, servername: 'elsewhere.example' } }),
    ).rejects.toMatchObject({
      retryable: true,
      message: expect.stringContaining('ERR_TLS_CERT_ALTNAME_INVALID'),
    });
  });

  test('mutual, as the principal of the certificate', async () => {
    const { ca, client } = secured;
    expect(await send({ brokers: secured.mutualTls, tls: { ca, ...client } })).toBe(true);
    await expect(send({ brokers: secured.mutualTls, tls: { ca } })).rejects.toMatchObject({
      retryable: true,
    });
  });

  test('an unencrypted connection to a TLS listener fails with an error that says so', async () => {
    await expect(send({ brokers: secured.tls })).rejects.toMatchObject({
      retryable: true,
      message: expect.stringContaining('Broker requires TLS'),
    });
  });
});

/** An unsigned token, which only a test's broker accepts (RFC 7519, section 6). */
function token(sub: string, lifetimeS = 3_600): string {
  const now = Math.floor(Date.now() / 1_000);
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ sub, iat: now - 1, exp: now + lifetimeS })}.`;
}

const asWriter = (mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'): KafkaSasl => ({
  ...{ mechanism, username: 'writer', password: 'writer-secret' },
});
const door = (sasl: KafkaSasl) => ({ brokers: secured.sasl, tls: { ca: secured.ca }, sasl });

describe('SASL', () => {
  for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
    test(mechanism, async () => {
      expect(await send(door(asWriter(mechanism)))).toBe(true);
      const wrong = { ...asWriter(mechanism), password: 'wrong' } as KafkaSasl;
      await expect(send(door(wrong))).rejects.toMatchObject({
        retryable: true,
        unauthorized: true,
        message: 'Kafka refuses the credentials',
      });
    });
  }

  test('OAUTHBEARER', async () => {
    expect(await send(door({ mechanism: 'OAUTHBEARER', token: token('writer') }))).toBe(true);
  });

  // Kafka sends "invalid_token" in a response without an error code, which the client library takes as success.
  test('OAUTHBEARER with an expired token', async () => {
    const sasl = { mechanism: 'OAUTHBEARER', token: token('writer', -60) } as const;
    const failure = await send(door(sasl)).catch((error) => error);
    expect(failure).toMatchObject({
      ...{ retryable: true, unauthorized: true, message: 'Kafka refuses the credentials' },
    });
    expect(inspect(failure, { depth: 10 })).toContain('the broker refuses the token');
  });

  test('the credential function is called with refresh after a refusal', async () => {
    const asked: boolean[] = [];
    const transport = kafkaTransport({
      ...door({
        ...{ mechanism: 'PLAIN', username: 'writer' },
        password: async ({ refresh }) => {
          asked.push(refresh);
          return refresh ? 'writer-secret' : 'last-year';
        },
      }),
      topic,
    });
    const { signal } = new AbortController();
    await expect(transport.send(oneEvent('x'), signal)).rejects.toMatchObject({ unauthorized: true });
    await transport.send(oneEvent('x'), signal);
    await transport.close();
    expect([asked[0], asked.at(-1)]).toEqual([false, true]);
  });

  test('if the credential function fails, the send fails and may be retried', async () => {
    const password = () => Promise.reject(new Error('the vault is sealed'));
    await expect(send(door({ mechanism: 'PLAIN', username: 'writer', password }))).rejects.toMatchObject({
      ...{ retryable: true, unauthorized: true },
    });
  });

  test('a session is replaced with a new token before it ends', async () => {
    let tokens = 0;
    const transport = kafkaTransport({
      ...door({ mechanism: 'OAUTHBEARER', token: () => token('writer', 3_600 + tokens++) }),
      topic,
    });
    const start = Date.now();
    const { signal } = new AbortController();
    const failures: unknown[] = [];
    let requests = 0;
    // The broker closes a connection that is used after its session has ended.
    await until(
      async () => {
        await transport
          .send(oneEvent(`session-${requests++}`), signal)
          .catch((error) => failures.push(error));
        return Date.now() - start > 1.5 * sessionMs;
      },
      { timeoutMs: 20_000, intervalMs: 100 },
    );
    await transport.close();
    expect(failures).toEqual([]);
    expect(tokens).toBeGreaterThan(1);
    expect(tokens).toBeLessThan(requests);
  });
});

describe('permissions', () => {
  const failure = (name: string) =>
    send(door({ mechanism: 'PLAIN', username: name, password: `${name}-secret` })).catch((error) => error);

  test('Write on the topic is enough: it includes Describe, and a producer id for the idempotent producer', async () => {
    expect(await send(door(asWriter('PLAIN')))).toBe(true);
  });

  test('fewer permissions are refused, and the message names the missing one', async () => {
    const refused = (code: string) => ({
      ...{ retryable: true, unauthorized: true },
      message: `Kafka does not let this client write to ${topic} (${code})`,
    });
    expect(await failure('describer')).toMatchObject(refused('CLUSTER_AUTHORIZATION_FAILED'));
    expect(await failure('neighbour')).toMatchObject(refused('TOPIC_AUTHORIZATION_FAILED'));
  });
});

test('an emitter with a secured connection does not keep its process alive, and reports why it can not deliver', async () => {
  const run = (bearer: string) =>
    runChild(
      `const { kafkaTransport } = await import(process.env.KAFKA_MODULE);
       const transport = kafkaTransport(JSON.parse(process.env.OPTIONS));
       const logger = { info() {}, error() {}, warn: (fields, message) => console.log(message) };
       const emitter = sdk.createAuditEmitter({ service: 's', transport, logger, maxRetries: 0 });
       const event = { tenantId: 'acme', eventType: 'a.b', actorType: 'system', actorId: 's' };
       await emitter.record(event).then(() => console.log('recorded'), (error) => console.log(error.cause.message));
       console.log('idle');
       if (emitter.report().pending > 0) await emitter.close({ deadlineMs: 100 });`,
      {
        KAFKA_MODULE: new URL('../../src/kafka.ts', import.meta.url).href,
        OPTIONS: JSON.stringify({ ...door({ mechanism: 'OAUTHBEARER', token: bearer }), topic }),
      },
    );
  const child = run(token('writer'));
  await child.said('idle');
  // The broker keeps an idle connection for ten minutes: if it kept the process alive, this test would time out.
  expect(await child.ended).toMatchObject({ code: 0, output: expect.stringContaining('recorded') });
  expect(await run(token('writer', -60)).ended).toMatchObject({
    code: 0,
    output: expect.stringContaining('Kafka refuses the credentials'),
  });
}, 60_000);
