import { AuditValidationError } from '@tallystick/event';
import { expect, test } from 'vitest';
import {
  defaultConfig,
  fromJSON,
  newAuditEvent,
  newBufferedStore,
  newEventData,
  recommendedConfig,
  toJSON,
  withSourcePayload,
} from '../../src/index.ts';
import { MemoryTransport } from '../../src/transport/memory.ts';

function signal() {
  const envelope = withSourcePayload(
    newEventData('gateway', 'signal_received', 'success', { alert_name: 'Oom' }),
    {
      original: true,
    },
  );
  return Object.assign(newAuditEvent(), {
    tenantId: 'acme',
    eventType: 'gateway.signal.received',
    eventCategory: 'signal',
    eventAction: 'received',
    eventOutcome: 'success' as const,
    actorType: 'service' as const,
    actorId: 'gateway',
    resourceType: 'Signal',
    resourceId: 'fp-abc123',
    correlationId: 'remediation-123',
    namespace: 'production',
    eventData: toJSON(envelope),
  });
}

test('an event that is filled in field by field reaches the service', async () => {
  const client = new MemoryTransport();
  const store = newBufferedStore(client, recommendedConfig('gateway'), 'gateway');
  const event = signal();
  expect(store.storeAudit(event).id).toBe(event.eventId);
  expect(await store.close()).toMatchObject({ delivered: 1 });
  expect(client.events).toEqual([
    {
      audit_id: event.eventId,
      tenant_id: 'acme',
      timestamp: event.eventTimestamp.toISOString(),
      event_type: 'gateway.signal.received',
      event_category: 'signal',
      event_action: 'received',
      outcome: { outcome_status: 'success' },
      actor_type: 'service',
      actor_id: 'gateway',
      target_type: 'Signal',
      target_id: 'fp-abc123',
      correlation_id: 'remediation-123',
      namespace: 'production',
      source_service: 'gateway',
      event_data: {
        version: '1.0',
        service: 'gateway',
        operation: 'signal_received',
        status: 'success',
        payload: { alert_name: 'Oom' },
        source_payload: { original: true },
      },
    },
  ]);
});

test('all missing fields are reported together', () => {
  const store = newBufferedStore(new MemoryTransport(), defaultConfig(), 'gateway');
  try {
    store.storeAudit(newAuditEvent());
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(AuditValidationError);
    expect((error as AuditValidationError).violations.map((violation) => violation.pointer)).toEqual([
      '/event_type',
      '/event_category',
      '/event_action',
      '/outcome',
      '/actor_type',
      '/actor_id',
      '/target_type',
      '/target_id',
      '/correlation_id',
      '/event_data',
    ]);
  }
});

test('retention and sensitivity are sent only where they differ from the default; errors go to the outcome', async () => {
  const client = new MemoryTransport();
  const store = newBufferedStore(client, defaultConfig(), 'gateway');
  const more = { retentionDays: 30, isSensitive: true, errorCode: 'E', errorMessage: 'm', durationMs: 5 };
  store.storeAudit(Object.assign(signal(), more));
  await store.flush();
  expect(client.events[0]).toMatchObject({
    retention_days: 30,
    is_sensitive: true,
    outcome: { outcome_status: 'success', error_code: 'E', error_message: 'm' },
    metadata: { duration_ms: 5 },
  });
  await store.close();
});

test('configurations', () => {
  expect(defaultConfig()).toEqual({
    bufferSize: 10_000,
    batchSize: 1_000,
    flushIntervalMs: 1_000,
    maxRetries: 3,
  });
  expect(recommendedConfig('gateway').bufferSize).toBe(20_000);
  expect(recommendedConfig('ai-analysis').bufferSize).toBe(15_000);
  expect(recommendedConfig('toString').bufferSize).toBe(10_000);
});

test('an envelope can be written as JSON and read again; other JSON is refused', () => {
  const envelope = newEventData('s', 'o', 'ok', { a: [1] });
  expect(fromJSON(toJSON(envelope))).toEqual(envelope);
  expect(fromJSON(toJSON(withSourcePayload(envelope, { b: 2 })))).toEqual({
    ...envelope,
    sourcePayload: { b: 2 },
  });
  expect(() => fromJSON('{"version":"1.0"}')).toThrow(AuditValidationError);
  expect(() => fromJSON('{')).toThrow(AuditValidationError);
});
