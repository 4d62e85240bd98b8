/**
 * The promise: an effect runs after its intent and its decision are in the chain, also where the service has a Kafka topic in front of
 * the chain. Broker, service, desk and database are real. No replica reads the topic, so whatever is in the chain did not come from it.
 */
import { join } from 'node:path';
import { Admin } from '@platformatic/kafka';
import { createClient } from '@tallystick/client';
import { type AuditEmitter, createAuditEmitter, type Transport } from '@tallystick/sdk';
import { createGate, functionPolicy, GateError, type GateOptions } from '@tallystick/sdk/gate';
import { httpTransport } from '@tallystick/sdk/http';
import { kafkaTransport } from '@tallystick/sdk/kafka';
import { AuditService, type HttpServer, serveHttp } from '@tallystick/server';
import { KafkaGateway } from '@tallystick/server/kafka';
import { prepareEmbeddedStore, sharedKafka, tempDir, until } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

// A busy machine may be slow.
vi.setConfig({ testTimeout: 120_000 });

const topic = `gate-${process.pid}`;
const tenantId = 'acme';
const directory = tempDir();
const emitters: AuditEmitter[] = [];
let bootstrap: string[];
let service: AuditService;
let gateway: KafkaGateway;
let server: HttpServer;
let agentKey: string;
let approverKey: string;

beforeAll(async () => {
  ({ bootstrap } = await sharedKafka());
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: bootstrap });
  await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 });
  await admin.close();
  const data = join(directory.path, 'data');
  await prepareEmbeddedStore(data);
  service = await AuditService.open({
    store: { directory: data },
    signerDirectory: join(directory.path, 'signer'),
    logName: 'gate.example.com',
    checkpointIntervalMs: 0,
  });
  gateway = new KafkaGateway(service, { connection: { bootstrapBrokers: bootstrap }, topic, probeMs: 50 });
  server = await serveHttp(service, { port: 0, logger: false, gateway });
  await until(async () => (await fetch(`${server.url}/ready`)).status === 200, { what: 'readiness' });
  const tenants = [tenantId];
  ({ key: agentKey } = await service.keys.create({
    name: 'agent',
    subject: 'service:refunds',
    scopes: ['events:write', 'events:read', 'approvals:request'],
    tenants,
  }));
  ({ key: approverKey } = await service.keys.create({
    name: 'maria',
    subject: 'maria',
    scopes: ['approvals:decide'],
    tenants,
  }));
}, 240_000);
afterAll(async () => {
  await Promise.all(emitters.map((emitter) => emitter.close({ deadlineMs: 1_000 })));
  await server?.close();
  await gateway?.close();
  await service?.close();
  directory.remove();
});

function open(transport: Transport, effect: 'allow' | 'ask' = 'allow', options: Partial<GateOptions> = {}) {
  const audit = createAuditEmitter({ service: 'refunds', transport, flushIntervalMs: 1, flushOnExit: false });
  emitters.push(audit);
  const desk = createClient({ url: server.url, apiKey: agentKey }).approvals;
  const gate = createGate({
    audit,
    policy: functionPolicy({ name: 'p', version: '1', decide: () => ({ effect }) }),
    desk,
    tenantId,
    actor: { actorType: 'agent', actorId: 'refund-bot' },
    // A busy machine is slow, and this test is not about the deadline.
    acknowledgeWithinMs: 20_000,
    ...options,
  });
  return { audit, gate };
}

const http = () => httpTransport({ url: server.url, apiKey: agentKey });
/** The types of the tenant's records with this correlation id, in the order of the chain. */
async function chained(correlation_id: string): Promise<readonly string[]> {
  const { events } = createClient({ url: server.url, apiKey: agentKey });
  const query = { tenant_id: tenantId, filters: { correlation_id }, order: 'asc' } as const;
  return (await events.list(query)).events.map((event) => String(event.event_type));
}

test('intent and decision are in the chain when the effect runs; what comes after it is left to the queue', async () => {
  const { audit, gate } = open(http());
  const action = { action: 'refund', correlationId: 'allowed' };
  const seen = await gate.run(action, async (_, { acknowledged }) => [
    acknowledged,
    ...(await chained('allowed')),
  ]);
  expect(seen).toEqual(['chained', 'agent.action.intended', 'agent.action.decided']);
  expect(await audit.flush()).toMatchObject({ delivered: 3, pending: 0 });
  expect(await chained('allowed')).toEqual(['agent.action.intended', 'agent.action.decided']);
});

test('an approval works: the desk finds the intent that it is asked about', async () => {
  const { gate } = open(http(), 'ask');
  const approvals = createClient({ url: server.url, apiKey: approverKey }).approvals;
  const onPending = vi.fn();
  const running = gate.run({ action: 'refund', correlationId: 'asked', onPending }, () => 'refunded');
  await vi.waitFor(() => expect(onPending).toHaveBeenCalled(), { timeout: 20_000 });
  const { id, document_digest } = onPending.mock.calls[0]![0];
  await approvals.decide(id, { tenant_id: tenantId, verdict: 'grant', document_digest });
  expect(await running).toBe('refunded');
});

test('over a Kafka topic a gate refuses, unless its options say that the acknowledgement of the brokers is enough', async () => {
  const kafka = () => kafkaTransport({ brokers: bootstrap, topic });
  const effect = vi.fn(
    async (_: unknown, { acknowledged }: { readonly acknowledged: string }) => acknowledged,
  );
  const refused = open(kafka()).gate.run({ action: 'refund', correlationId: 'kafka' }, effect);
  await expect(refused).rejects.toThrow(GateError);
  await expect(refused).rejects.toMatchObject({ code: 'NOT_ACKNOWLEDGED' });
  expect(effect).not.toHaveBeenCalled();

  const accepting = open(kafka(), 'allow', { acknowledgement: 'accepted' });
  expect(await accepting.gate.run({ action: 'refund', correlationId: 'kafka' }, effect)).toBe('accepted');
  expect(await chained('kafka')).toEqual([]);
});
