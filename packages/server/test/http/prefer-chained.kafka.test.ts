/**
 * One producer's events take two ways into the same chain: through the gateway's topic, and directly with `Prefer: chained`. Two
 * replicas share a database and a topic, and neither knows what the other has taken.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { uuidv7 } from '@tallystick/event';
import type { ProducerPage } from '@tallystick/protocol';
import { until } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { AuditService } from '../../src/app.ts';
import { type HttpServer, serveHttp } from '../../src/http/serve.ts';
import { KafkaGateway } from '../../src/ingest/gateway/gateway.ts';
import { expectSoundChain } from '../chains.ts';
import { newTenant } from '../events.ts';
import { openSite, type Site, warmUp } from '../ingest/kafka/site.ts';
import { gatewayTopic } from './gateway-topic.ts';
import { event } from './harness.ts';

// Groups rebalance several times, which a busy machine may do slowly.
vi.setConfig({ testTimeout: 120_000 });

interface Replica {
  readonly service: AuditService;
  readonly server: HttpServer;
  readonly gateway: KafkaGateway;
}

let site: Site;
let topic: string;
let key: string;
const replicas: Replica[] = [];

async function openReplica(): Promise<Replica> {
  const service = await site.openService();
  const connection = { bootstrapBrokers: [...site.kafka.bootstrap] };
  const gateway = new KafkaGateway(service, { connection, topic, probeMs: 50 });
  const server = await serveHttp(service, { port: 0, logger: false, auditReads: false, gateway });
  const replica = { service, server, gateway };
  replicas.push(replica);
  const isReady = async () => (await fetch(`${server.url}/ready`)).status === 200;
  await until(isReady, { timeoutMs: 30_000, what: 'readiness' });
  return replica;
}

beforeAll(async () => {
  await warmUp();
  site = await openSite();
  topic = await gatewayTopic([...site.kafka.bootstrap]);
  const { service } = await openReplica();
  await openReplica();
  ({ key } = await service.keys.create({ name: 'agent', scopes: ['events:write', 'events:read'] }));
}, 240_000);
afterAll(async () => {
  for (const { server, gateway } of replicas) {
    await server.close();
    await gateway.close();
  }
  await site?.[Symbol.asyncDispose]();
});

interface Sending {
  readonly replica?: number;
  /** Address instead of the replica's own. */
  readonly url?: string;
  readonly chained?: boolean;
  readonly delivery?: object;
}

async function send(events: readonly object[], { replica = 0, url, chained = false, delivery }: Sending) {
  const response = await fetch(`${url ?? replicas[replica]!.server.url}/v1/audit/events/batch`, {
    method: 'POST',
    body: JSON.stringify({ events, ...(delivery !== undefined && { delivery }) }),
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      ...(chained && { prefer: 'chained' }),
    },
  });
  const { results } = (await response.json()) as { results: { status: string; receipt?: object }[] };
  return { status: response.status, states: results.map(({ status }) => status), results };
}

/** A proxy that passes each request on, waits for the answer, and loses it. */
async function losingAnswers(target: string) {
  const proxy = createServer(async (request, response) => {
    const { authorization, prefer } = request.headers;
    await fetch(target + request.url!, {
      method: 'POST',
      body: await text(request),
      headers: { 'content-type': 'application/json', authorization: authorization!, prefer: String(prefer) },
    });
    response.destroy();
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port } = proxy.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: async () => void proxy.close() };
}

/** The accounts of a tenant that are not complete. */
async function accounts(tenant: string): Promise<ProducerPage['producers']> {
  const url = `${replicas[1]!.server.url}/v1/audit/producers?tenant_id=${tenant}`;
  const response = await fetch(url, { headers: { authorization: `Bearer ${key}` } });
  return ((await response.json()) as ProducerPage).producers;
}

/** Reads the gateway's topic into the chains until the tenant has this many events. */
async function ingestUntil(tenant: string, events: number) {
  const ingest = await site.ingest(replicas[1]!.service, { topics: { gateway: topic } });
  const chained = () =>
    site.query(
      `select 1 from audit_records
        where tenant_id = $1 and sequence_number > 0 and event_type <> 'audit.accounts_changed'
       offset $2::bigint limit 1`,
      [tenant, events - 1],
    );
  await until(async () => (await chained()).length === 1, { timeoutMs: 30_000, what: `${events} events` });
  // Whatever is in the topic is applied, duplicates included. The site's own topic has one partition, the gateway's four.
  const isDrained = () => {
    const { partitions } = ingest.status();
    return partitions.length === 5 && partitions.every(({ lag }) => lag === 0);
  };
  await until(isDrained, { timeoutMs: 30_000, what: 'reading the topic to its end' });
  await ingest.close();
}

/** The events of the chain, without what the service records of the producers' accounts. */
const eventsOf = async (tenant: string) =>
  (await expectSoundChain(site.store.database, tenant))
    .slice(1)
    .map((record) => record.event)
    .filter(({ event_type }) => event_type !== 'audit.accounts_changed');

test('a number that is chained before the earlier ones of its producer is no gap', async () => {
  const tenant = newTenant();
  const producer_id = uuidv7();
  const make = (n: number) => event({ tenant_id: tenant, metadata: { n } });
  const of = (...sequences: number[]) => ({ delivery: { producer_id, service: 'agent', sequences } });
  expect(await send([1, 2, 3, 4].map(make), of(1, 2, 3, 4))).toMatchObject({ status: 202 });
  // Another replica chains number 5, while 1 to 4 are in the topic and no replica reads it.
  const five = await send([make(5)], { ...of(5), chained: true, replica: 1 });
  expect([five.status, five.states]).toEqual([201, ['chained']]);
  expect(await accounts(tenant)).toMatchObject([{ numbers: 5, open: [[1, 4]] }]);
  const last = { ...of(6).delivery, final: [{ tenant_id: tenant, final_seq: 6 }] };
  expect(await send([make(6)], { delivery: last })).toMatchObject({ status: 202, states: ['accepted'] });

  await ingestUntil(tenant, 6);
  expect(await accounts(tenant)).toEqual([]);
  const chained = await eventsOf(tenant);
  // Neither a gap nor a contradiction: only the six events, in the order in which they reached the chain.
  expect(chained.map(({ metadata }) => (metadata as { n?: number } | undefined)?.n)).toEqual([
    5, 1, 2, 3, 4, 6,
  ]);
});

test('the last number may be declared directly while earlier ones are in the topic', async () => {
  const tenant = newTenant();
  const producer_id = uuidv7();
  const delivery = { producer_id, sequences: [1, 2] };
  await send([event({ tenant_id: tenant }), event({ tenant_id: tenant })], { delivery });
  const last = { producer_id, sequences: [3], final: [{ tenant_id: tenant, final_seq: 3 }] };
  await send([event({ tenant_id: tenant })], { delivery: last, chained: true });
  expect(await accounts(tenant)).toMatchObject([{ final_seq: 3, open: [[1, 2]] }]);
  await ingestUntil(tenant, 3);
  expect(await accounts(tenant)).toEqual([]);
  expect(await eventsOf(tenant)).toHaveLength(3);
});

test('an event that takes both ways is chained once, whichever comes first, and its number is settled', async () => {
  const tenant = newTenant();
  const producer_id = uuidv7();
  const [queued, direct] = [event({ tenant_id: tenant }), event({ tenant_id: tenant })];
  const first = { delivery: { producer_id, sequences: [1] } };
  const second = { delivery: { producer_id, sequences: [2] } };
  // The client did not get the answer of the queue, and its caller now wants a receipt: of another replica.
  await send([queued], first);
  expect((await send([queued], { ...first, chained: true, replica: 1 })).states).toEqual(['chained']);
  // The client did not get the receipt, and its caller has given up: the event goes into the queue as well.
  const { results } = await send([direct], { ...second, chained: true });
  expect((await send([direct], { ...second, replica: 1 })).states).toEqual(['accepted']);
  const again = await send([direct], { ...second, chained: true, replica: 1 });
  expect(again.results).toMatchObject([{ status: 'duplicate', receipt: results[0]!.receipt }]);

  await ingestUntil(tenant, 2);
  expect((await eventsOf(tenant)).map(({ audit_id }) => audit_id)).toEqual([
    queued.audit_id,
    direct.audit_id,
  ]);
  expect(await accounts(tenant)).toEqual([]);
});

test('an answer that is lost after the commit is repeated by another replica, and the queue adds nothing', async () => {
  const tenant = newTenant();
  const delivery = { producer_id: uuidv7(), sequences: [1], final: [{ tenant_id: tenant, final_seq: 1 }] };
  const one = event({ tenant_id: tenant });
  await using network = await losingAnswers(replicas[0]!.server.url);
  const lost = send([one], { url: network.url, chained: true, delivery });
  await expect(lost).rejects.toThrow();
  expect((await send([one], { replica: 1, chained: true, delivery })).states).toEqual(['duplicate']);
  expect((await send([one], { replica: 1, delivery })).states).toEqual(['accepted']);
  await ingestUntil(tenant, 1);
  expect(await eventsOf(tenant)).toHaveLength(1);
  expect(await accounts(tenant)).toEqual([]);
});

test('two replicas that chain directly while one of them reads the topic keep one sound chain', async () => {
  const tenant = newTenant();
  const producer_id = uuidv7();
  const total = 60;
  const ingesting = ingestUntil(tenant, total);
  const sendAll = async (replica: number, chained: boolean) => {
    for (let n = 0; n < total / 3; n++) {
      const sequence = 3 * n + replica + (chained ? 1 : 3);
      const delivery = { producer_id, sequences: [sequence] };
      const one = event({ tenant_id: tenant });
      expect((await send([one], { replica, chained, delivery })).status).toBe(chained ? 201 : 202);
      // A queued event is sent again at once, and races with the replica that reads it from the topic.
      if (!chained) expect((await send([one], { replica: 1, chained: true, delivery })).status).toBe(201);
    }
  };
  await Promise.all([sendAll(0, true), sendAll(1, true), sendAll(0, false)]);
  await send([], { delivery: { producer_id, final: [{ tenant_id: tenant, final_seq: total }] } });
  await ingesting;
  await ingestUntil(tenant, total);
  expect(await eventsOf(tenant)).toHaveLength(total);
  expect(await accounts(tenant)).toEqual([]);
});
