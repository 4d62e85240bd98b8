/** The acceptance criteria of seed 000, the first specification of the project, and failures of brokers. Uses three brokers. */
import { AuditValidationError, EventTaxonomy, uuidv7Time } from '@tallystick/event';
import { type Kafka, startKafka, until } from '@tallystick/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { AuditError, DeliveryMetadata } from '../../src/index.ts';
import {
  AuditProducer,
  type AuditProducerOptions,
  buildLlmContext,
  createAuditProducer,
} from '../../src/kafka.ts';
import { awaitReplicas, chainable, newTopic, readTopic, type Stored } from './topic.ts';

let kafka: Kafka;
beforeAll(async () => {
  kafka = await startKafka({ nodes: 3 });
  await newTopic(kafka.bootstrap, { name: 'audit.events', replicas: 3 });
}, 180_000);
afterAll(() => kafka?.stop());

/** Retries quickly, so that there are many tries in an outage of seconds. */
const impatient = { flushIntervalMs: 10, retryDelaysMs: [50], probeIntervalMs: 200, flushOnExit: false };

const classified = {
  tenantId: 'tenant-abc',
  actorType: 'agent',
  actorId: 'reasoning_agent',
  investigationId: 'inv-123',
  alertId: 'alert-456',
  entityIds: ['ent-1', 'ent-2'],
  context: buildLlmContext({ provider: 'anthropic', modelId: 'm', inputTokens: 12 }),
  decision: { decision_type: 'classify', confidence: 0.94 },
  outcome: { outcome_status: 'success' },
} as const;

describe('seed 000', () => {
  let stored: Stored[];
  let id: string;
  const start = Date.now();

  test('1: an event is published to audit.events with tenant_id as the message key', async () => {
    const producer = createAuditProducer(kafka.bootstrap.join(','), 'orchestrator', impatient);
    id = producer.emit(EventTaxonomy.ALERT_CLASSIFIED, classified).id;
    expect(await producer.close()).toMatchObject({ emitted: 1, delivered: 1, pending: 0 });
    stored = await readTopic(kafka.bootstrap, 'audit.events');
    expect(stored.map(({ key }) => key)).toEqual(['tenant-abc', 'tenant-abc']);
    const { audit_id, timestamp, ...rest } = JSON.parse(stored[0]!.value);
    expect(rest).toEqual({
      ...{ tenant_id: 'tenant-abc', event_type: 'alert.classified', event_category: 'decision' },
      ...{ actor_type: 'agent', actor_id: 'reasoning_agent', source_service: 'orchestrator' },
      ...{ investigation_id: 'inv-123', alert_id: 'alert-456', entity_ids: ['ent-1', 'ent-2'] },
      context: { llm_provider: 'anthropic', llm_model_id: 'm', llm_input_tokens: 12 },
      decision: { decision_type: 'classify', confidence: 0.94 },
      outcome: { outcome_status: 'success' },
    });
    expect(JSON.parse(stored[1]!.value)).toMatchObject({
      delivery: { service: 'orchestrator', final: [{ tenant_id: 'tenant-abc', final_seq: 1 }] },
    });
  });

  test('2: audit_id is a UUIDv7 and timestamp UTC in ISO 8601, both given by the producer', () => {
    const event = JSON.parse(stored[0]!.value);
    expect(event.audit_id).toBe(id);
    expect(uuidv7Time(event.audit_id)).toBe(Date.parse(event.timestamp));
    expect(event.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(Date.parse(event.timestamp)).toBeGreaterThanOrEqual(start);
  });

  test('3: it assigns no sequence number and computes no hash', () => {
    for (const member of ['sequence_number', 'previous_hash', 'record_hash', 'ingested_at']) {
      expect(JSON.parse(stored[0]!.value)).not.toHaveProperty(member);
    }
  });

  test('an unknown event_type is a programming error: emit() throws', async () => {
    await using producer = new AuditProducer(kafka.bootstrap, 'orchestrator', impatient);
    const misspelt = () => producer.emit('alert.clasified' as 'alert.classified', classified);
    expect(misspelt).toThrow(AuditValidationError);
    // @ts-expect-error: the compiler refuses it too
    expect(() => producer.emit('alert.clasified', classified)).toThrow('not in the taxonomy soc');
  });

  test('flush() says how many were delivered', async () => {
    await using producer = createAuditProducer(kafka.bootstrap, 'orchestrator', impatient);
    for (let n = 0; n < 5; n++) producer.emit('alert.classified', classified);
    expect(await producer.flush()).toMatchObject({ emitted: 5, delivered: 5, pending: 0 });
  });
});

interface Run {
  readonly topic: string;
  readonly producer: AuditProducer;
  readonly errors: AuditError[];
  /** Emits this number of events for each tenant, with a pause after each round. */
  emit(each: number, pauseMs?: number): Promise<void>;
  /** What the service would chain: the numbers in each tenant's events, in their order. */
  chained(): Promise<Map<string, number[]>>;
}

const tenants = Array.from({ length: 8 }, (_, n) => `tenant-${n}`);

async function start(options: AuditProducerOptions = {}): Promise<Run> {
  const topic = await newTopic(kafka.bootstrap, { replicas: 3 });
  const errors: AuditError[] = [];
  const producer = createAuditProducer(kafka.bootstrap, 'orchestrator', {
    ...impatient,
    logger: { info() {}, warn() {}, error() {} },
    onError: (error) => errors.push(error),
    ...options,
    kafka: { topic, timeoutMs: 2_000, ...options.kafka },
  });
  let emitted = 0;
  return {
    topic,
    producer,
    errors,
    async emit(each, pauseMs = 0) {
      for (const last = emitted + each; emitted < last; emitted++) {
        for (const tenantId of tenants) {
          producer.emit('alert.classified', { ...classified, tenantId, context: { n: emitted } });
        }
        if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    },
    async chained() {
      await awaitReplicas(kafka.bootstrap.toReversed(), topic);
      const events = chainable(await readTopic(kafka.bootstrap, topic));
      return new Map(Array.from(events, ([tenant, list]) => [tenant, list.map(({ context }) => context.n)]));
    },
  };
}

const statements = (stored: readonly Stored[]) =>
  stored
    .filter(({ headers }) => headers['tallystick-kind'] === 'statement')
    .map(({ key, value }) => ({ key, delivery: JSON.parse(value).delivery as DeliveryMetadata }));

const inOrder = (each: number) =>
  new Map(tenants.map((tenant) => [tenant, Array.from({ length: each }, (_, n) => n)]));

describe('failing brokers', () => {
  test("one of three is killed while events are sent: nothing is lost, and each tenant's order is kept", async () => {
    const { producer, emit, chained } = await start();
    const flowing = emit(400, 10);
    await until(() => producer.report().delivered > 200, { timeoutMs: 20_000 });
    await kafka.brokers[1]!.kill('SIGKILL');
    await flowing;
    expect(await producer.flush({ deadlineMs: 60_000 })).toMatchObject({ pending: 0, dropped: 0 });
    await kafka.brokers[1]!.start();
    await emit(50);
    expect(await producer.close({ deadlineMs: 60_000 })).toMatchObject({ delivered: 450 * 8, dropped: 0 });
    expect(await chained()).toEqual(inOrder(450));
  }, 180_000);

  // It accepts connections and does not respond. If it were asked first each time, nothing would be delivered.
  test('the first of three is frozen: the others are used', async () => {
    const { producer, emit, chained } = await start();
    await emit(10);
    await producer.flush();
    await kafka.brokers[0]!.kill('SIGSTOP');
    try {
      await emit(10);
      const report = await producer.flush({ deadlineMs: 60_000 });
      expect(report).toMatchObject({ delivered: 20 * 8, pending: 0 });
    } finally {
      await kafka.brokers[0]!.kill('SIGCONT');
    }
    await producer.close({ deadlineMs: 60_000 });
    expect(await chained()).toEqual(inOrder(20));
  }, 180_000);

  test('4: all brokers are killed: a warning and no exception; memory is bounded, and its events arrive later', async () => {
    const warn = vi.fn();
    const { topic, producer, errors, emit, chained } = await start({
      logger: { info() {}, warn, error() {} },
      bufferSize: 400,
    });
    await emit(10);
    await producer.flush();
    await Promise.all(kafka.brokers.map((broker) => broker.kill('SIGKILL')));
    await emit(100);
    expect(producer.report()).toMatchObject({ emitted: 880, delivered: 80, pending: 400, dropped: 400 });
    await until(() => errors.some(({ code }) => code === 'DELIVERY_FAILED'), { timeoutMs: 30_000 });
    expect(warn).toHaveBeenCalledWith(
      expect.objectContaining({ auditFault: 'DELIVERY_FAILED' }),
      expect.stringMatching(/is kept: Kafka can't be reached.*ECONNREFUSED/),
    );
    await Promise.all(kafka.brokers.map((broker) => broker.start()));
    expect(await producer.close({ deadlineMs: 60_000 })).toMatchObject({ delivered: 480, dropped: 400 });
    const [first, ...others] = (await chained()).values();
    expect(first).toEqual(Array.from({ length: 60 }, (_, n) => n));
    for (const other of others) expect(other).toEqual(first);
    // The dropped events are declared as gaps, and with the final number all numbers are accounted for.
    const said = statements(await readTopic(kafka.bootstrap, topic));
    for (const tenant of tenants) {
      const own = said.filter(({ key }) => key === tenant).map(({ delivery }) => delivery);
      // A declaration may be in the topic twice, like an event.
      const lost = new Set<number>();
      for (const { from, to } of own.flatMap(({ gaps }) => gaps)) {
        for (let number = from; number <= to; number++) lost.add(number);
      }
      expect([lost.size, own.at(-1)?.final]).toEqual([50, [{ tenant_id: tenant, final_seq: 110 }]]);
    }
  }, 180_000);
});

test('without a logger the warning goes to the console', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const producer = createAuditProducer('127.0.0.1:1', 'orchestrator', { ...impatient, maxRetries: 0 });
  expect(producer.emit('alert.classified', classified).state).toBe('buffered');
  await until(() => warn.mock.calls.length > 0);
  expect(warn.mock.calls[0]![0]).toMatch(/^Audit: a batch could not be delivered and is kept: Kafka can't/);
  expect(await producer.close({ deadlineMs: 100 })).toMatchObject({ delivered: 0, unconfirmed: 1 });
  warn.mockRestore();
});
