import { expect, test } from 'vitest';
import { type AuditEmitter, type AuditEmitterConfig, createAuditEmitter } from '../../src/index.ts';
import { createAuditProducer } from '../../src/kafka.ts';
import { MemoryTransport } from '../../src/transport/memory.ts';

const event = { eventType: 'order.shipped', actorType: 'system', actorId: 'warehouse' } as const;
const { eventType, ...body } = event;

// A missing tenant was only found when the code ran.
test('an event without a tenant is an error at compile time and at run time', async () => {
  const emitter = createAuditEmitter({ service: 's', transport: new MemoryTransport(), flushOnExit: false });
  // @ts-expect-error the tenant is missing
  expect(() => emitter.emit(event)).toThrow('tenantId is required');
  // @ts-expect-error the tenant is missing
  expect(() => emitter.emit(eventType, body)).toThrow('is required');
  // @ts-expect-error the tenant is missing
  await expect(emitter.record(event)).rejects.toThrow('is required');
  emitter.emit({ ...event, tenantId: 'a' });
  emitter.emit({ ...event, clientId: 'b' });
  emitter.emit(eventType, { ...body, clientId: 'c' });
  expect(await emitter.close()).toMatchObject({ delivered: 3 });
});

test('if the emitter has a tenant, events need none, and the emitter can be used where an emitter without one is expected', async () => {
  const transport = new MemoryTransport();
  const emitter = createAuditEmitter({ service: 's', transport, tenantId: 'home', flushOnExit: false });
  emitter.emit(event);
  emitter.emit(eventType, body);
  await emitter.record(event);
  const ship = (audit: AuditEmitter) => audit.emit({ ...event, tenantId: 'other' });
  ship(emitter);
  await emitter.close();
  expect(transport.events.map(({ tenant_id }) => tenant_id)).toEqual(['home', 'home', 'home', 'other']);
});

test("if the emitter's tenant may be undefined, events must name one", async () => {
  const config: AuditEmitterConfig = { service: 's', transport: new MemoryTransport(), flushOnExit: false };
  const emitter = createAuditEmitter(config);
  // @ts-expect-error the tenant may be missing
  expect(() => emitter.emit(event)).toThrow('is required');
  await emitter.close();
});

test('an AuditProducer may have a tenant too', async () => {
  const options = { flushOnExit: false, logger: { info() {}, warn() {}, error() {} } };
  const nowhere = '127.0.0.1:1';
  const home = createAuditProducer(nowhere, 's', { ...options, tenantId: 'home' });
  expect(home.emit('alert.classified', body).state).toBe('buffered');
  const homeless = createAuditProducer(nowhere, 's', options);
  // @ts-expect-error the tenant is missing
  expect(() => homeless.emit('alert.classified', body)).toThrow('is required');
  expect((await home.close({ deadlineMs: 10 })).delivered).toBe(0);
  await homeless.close({ deadlineMs: 10 });
});
