import { AuditValidationError, core, readEvent, soc } from '@tallystick/event';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { type EncoderOptions, EventEncoder } from '../../src/event/encode.ts';
import type { AuditEventInput } from '../../src/index.ts';
import { someEvent } from '../support/events.ts';

const now = Date.UTC(2026, 1, 21, 12, 34, 56, 789);
const encoder = (options: Partial<EncoderOptions> = {}) =>
  new EventEncoder({ service: 'checkout', now: () => now, activeTrace: () => undefined, ...options });
const wire = (event: AuditEventInput, options: Partial<EncoderOptions> = {}) => {
  const encoded = encoder(options).encode(event);
  expect(encoded.violations).toEqual([]);
  return readEvent(encoded.text, { now }).event as Record<string, unknown>;
};
const thrown = (run: () => unknown): AuditValidationError => {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(AuditValidationError);
    return error as AuditValidationError;
  }
  throw new Error('nothing was thrown');
};

describe('the wire form', () => {
  test('every field of the input has its field on the wire', () => {
    const event = wire({
      tenantId: 'acme',
      eventType: 'content.publish',
      auditId: '01903f5b-0000-7000-8000-000000000001',
      timestamp: new Date('2026-02-21T12:00:00Z'),
      eventCategory: 'content',
      eventAction: 'publish',
      severity: 'warning',
      actorType: 'agent',
      actorId: 'publisher',
      actorPermissions: ['post:write'],
      onBehalfOf: [{ actorType: 'user', actorId: 'maria' }],
      targetType: 'post',
      targetId: 'post-456',
      investigationId: 'inv-1',
      alertId: 'alert-1',
      entityIds: ['e-1', 'e-2'],
      correlationId: 'c-1',
      traceId: 't-1',
      spanId: 's-1',
      parentEventId: '01903f5b-0000-7000-8000-000000000000',
      context: { b: 1, a: [true, null, 'ü'] },
      decision: { confidence: 0.5 },
      outcome: { outcome_status: 'success', state_after: 'published' },
      proof: { type: 'screenshot', url: 'https://x/y.png', capturedAt: new Date(now) },
      eventData: { operation: 'publish', status: 'success', payload: { x: 1 }, sourcePayload: { y: 2 } },
      metadata: { lane: 'api', durationMs: 12, requestId: 'r-1', episodeId: 'ep-1', own: 'kept' },
      idempotencyKey: 'publish-456',
      sourceIp: '192.0.2.7',
      userAgent: 'curl/8.5.0',
      namespace: 'prod',
      cluster: 'eu-1',
      retentionDays: 30,
      isSensitive: true,
    });
    expect(event).toEqual({
      audit_id: '01903f5b-0000-7000-8000-000000000001',
      tenant_id: 'acme',
      timestamp: '2026-02-21T12:00:00.000Z',
      event_type: 'content.publish',
      event_category: 'content',
      event_action: 'publish',
      severity: 'warning',
      actor_type: 'agent',
      actor_id: 'publisher',
      actor_permissions: ['post:write'],
      on_behalf_of: [{ actor_type: 'user', actor_id: 'maria' }],
      target_type: 'post',
      target_id: 'post-456',
      investigation_id: 'inv-1',
      alert_id: 'alert-1',
      entity_ids: ['e-1', 'e-2'],
      correlation_id: 'c-1',
      trace_id: 't-1',
      span_id: 's-1',
      parent_id: '01903f5b-0000-7000-8000-000000000000',
      context: { b: 1, a: [true, null, 'ü'] },
      decision: { confidence: 0.5 },
      outcome: { outcome_status: 'success', state_after: 'published' },
      proof: { type: 'screenshot', url: 'https://x/y.png', captured_at: '2026-02-21T12:34:56.789Z' },
      event_data: {
        version: '1.0',
        service: 'checkout',
        operation: 'publish',
        status: 'success',
        payload: { x: 1 },
        source_payload: { y: 2 },
      },
      metadata: { lane: 'api', duration_ms: 12, request_id: 'r-1', episode_id: 'ep-1', own: 'kept' },
      idempotency_key: 'publish-456',
      source_ip: '192.0.2.7',
      user_agent: 'curl/8.5.0',
      namespace: 'prod',
      cluster: 'eu-1',
      retention_days: 30,
      is_sensitive: true,
      source_service: 'checkout',
    });
  });

  test('absent fields stay absent; id and time are added', () => {
    const encoded = encoder().encode({ tenantId: 'acme', eventType: 'a.b', actorType: 'user', actorId: 'u' });
    const event = readEvent(encoded.text, { now }).event;
    expect(Object.keys(event).sort()).toEqual(
      ['actor_id', 'actor_type', 'audit_id', 'event_type', 'source_service', 'tenant_id', 'timestamp'].sort(),
    );
    expect(event.timestamp).toBe('2026-02-21T12:34:56.789Z');
    expect(event.audit_id).toBe(encoded.id);
    expect(event.audit_id[14]).toBe('7');
    expect(encoded.bytes).toBe(encoded.text.length);
  });

  test('the top level is written in canonical order, so that the service need not sort it', () => {
    const text = encoder().encode(
      someEvent({ severity: 'info', correlationId: 'c', metadata: { a: 1 } }),
    ).text;
    const keys = Object.keys(JSON.parse(text) as object);
    expect(keys).toEqual([...keys].sort());
  });

  test('the aliases clientId and actionType, and errors in metadata', () => {
    const event = wire({
      clientId: 'client-123',
      actionType: 'content.publish',
      actorType: 'agent',
      actorId: 'a',
      outcome: 'failure',
      metadata: { errorCode: 'PLATFORM_ERROR', errorMessage: 'Rate limit exceeded', platform: 'ig' },
    });
    expect(event.tenant_id).toBe('client-123');
    expect(event.event_type).toBe('content.publish');
    expect(event.outcome).toEqual({
      outcome_status: 'failure',
      error_code: 'PLATFORM_ERROR',
      error_message: 'Rate limit exceeded',
    });
    expect(event.metadata).toEqual({ platform: 'ig' });
  });

  test('a name and its alias together give one member, never a repeated one', () => {
    const event = wire(
      someEvent({
        metadata: { durationMs: 1, duration_ms: 2 },
        outcome: { outcomeStatus: 'failure', outcome_status: 'partial', errorCode: 'A', error_code: 'B' },
      }),
    );
    expect(event.metadata).toEqual({ duration_ms: 2 });
    expect(event.outcome).toEqual({ outcome_status: 'partial', error_code: 'B' });
  });

  test('a long error message is shortened, so that the event is not refused', () => {
    const event = wire(someEvent({ metadata: { errorMessage: 'x'.repeat(20_000) } }));
    expect((event.outcome as { error_message: string }).error_message).toHaveLength(16_384);
  });

  test('the emitter supplies the tenant, the trace and, from the taxonomy, the category', () => {
    const { tenantId: _, ...event } = someEvent({ eventType: 'data.read' });
    const activeTrace = () => ({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) });
    expect(wire(event as AuditEventInput, { tenantId: 'home', taxonomy: core, activeTrace })).toMatchObject({
      tenant_id: 'home',
      event_category: 'data',
      correlation_id: 'a'.repeat(32),
      trace_id: 'a'.repeat(32),
      span_id: 'b'.repeat(16),
    });
    expect(wire(someEvent({ correlationId: 'own' }), { activeTrace })).toMatchObject({
      correlation_id: 'own',
      trace_id: 'a'.repeat(32),
    });
  });

  test('the input is copied', () => {
    const context = { list: [1] };
    const encoded = encoder().encode(someEvent({ context }));
    context.list.push(2);
    expect(JSON.parse(encoded.text).context).toEqual({ list: [1] });
  });
});

// Any holder of a key that may write could name the service itself as the actor of an event.
test('the service can not be named as the actor, or as a principal that the actor acts for', () => {
  const service = { actorType: 'system', actorId: 'tallystick' } as const;
  const violationsOf = (over: Partial<AuditEventInput>) => encoder().encode(someEvent(over)).violations;
  expect(violationsOf(service)).toMatchObject([{ code: 'ACTOR_RESERVED', pointer: '/actor_id' }]);
  expect(violationsOf({ onBehalfOf: [service] })).toMatchObject([
    { code: 'ACTOR_RESERVED', pointer: '/on_behalf_of/0/actor_id' },
  ]);
  expect(violationsOf({ ...service, actorType: 'service' }) ?? []).toEqual([]);
});

describe('programming errors throw', () => {
  test.each([
    ['no tenant', { tenantId: undefined }, 'FIELD_REQUIRED', '/tenant_id'],
    ['no type', { eventType: undefined }, 'FIELD_REQUIRED', '/event_type'],
    ['no actor type', { actorType: undefined }, 'FIELD_REQUIRED', '/actor_type'],
    ['no actor', { actorId: '' }, 'FIELD_REQUIRED', '/actor_id'],
    ['malformed type', { eventType: 'Order Refunded' }, 'EVENT_TYPE_INVALID', '/event_type'],
    ['reserved type', { eventType: 'delivery.gap' }, 'EVENT_TYPE_RESERVED', '/event_type'],
  ])('%s', (_, over, code, pointer) => {
    expect(thrown(() => encoder().encode(someEvent(over as Partial<AuditEventInput>)))).toMatchObject({
      code,
      pointer,
    });
  });

  test('a type that the taxonomy does not have, each time', () => {
    const checked = encoder({ taxonomy: soc });
    for (let time = 0; time < 2; time++) {
      expect(thrown(() => checked.encode(someEvent({ eventType: 'alert.clasified' }))).code).toBe(
        'EVENT_TYPE_UNKNOWN',
      );
    }
  });

  test('a payload of the wrong shape throws; a value out of range does not, since it depends on data', () => {
    const checked = encoder({ taxonomy: soc });
    const event = (decision: Record<string, unknown>) =>
      someEvent({ eventType: 'alert.classified', decision });
    expect(thrown(() => checked.encode(event({ confidence: 'high' }))).pointer).toBe('/decision/confidence');
    expect(checked.encode(event({ confidence: 1.5 })).violations).toMatchObject([
      { code: 'FIELD_RANGE', pointer: '/decision/confidence' },
    ]);
  });
});

const many = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`k"${index}`, ':"']));

/** Small in memory, but exponentially large as JSON. */
const shared = (leaf: unknown, join: (value: unknown) => unknown): unknown => {
  let value = leaf;
  for (let level = 0; level < 29; level++) value = join(value);
  return value;
};

describe('faults of data never throw', () => {
  const deep = (levels: number): unknown => (levels === 0 ? 1 : { a: deep(levels - 1) });
  test.each<[string, object, string, string]>([
    ['malformed tenant', { tenantId: 'a b' }, 'TENANT_ID_INVALID', '/tenant_id'],
    ['tenant of another kind', { tenantId: { toString: () => 'x' } }, 'TENANT_ID_INVALID', '/tenant_id'],
    ['too long an identifier', { targetId: 'x'.repeat(513) }, 'FIELD_LENGTH', '/target_id'],
    ['an object for an identifier', { targetId: {} }, 'FIELD_TYPE', '/target_id'],
    [
      'an outcome code of another kind',
      { outcome: { outcome_status: 'failure', error_code: {} } },
      'FIELD_TYPE',
      '/outcome/error_code',
    ],
    [
      'an unknown word in an object',
      { outcome: { outcome_status: 'fine' } },
      'FIELD_ENUM',
      '/outcome/outcome_status',
    ],
    [
      'an error code of another kind in metadata',
      { metadata: { errorCode: {} } },
      'FIELD_TYPE',
      '/outcome/error_code',
    ],
    ['an unknown word', { outcome: 'fine' }, 'FIELD_ENUM', '/outcome/outcome_status'],
    ['an unknown actor type', { actorType: 'robot' }, 'FIELD_ENUM', '/actor_type'],
    ['an unknown severity', { severity: 'fatal' }, 'FIELD_ENUM', '/severity'],
    ['a bad time', { timestamp: 'yesterday' }, 'TIMESTAMP_INVALID', '/timestamp'],
    ['a time to come', { timestamp: now + 3_700_000 }, 'TIMESTAMP_AHEAD', '/timestamp'],
    ['a bad identity', { auditId: 'audit-123' }, 'AUDIT_ID_INVALID', '/audit_id'],
    ['a list for an object', { context: [] }, 'FIELD_TYPE', '/context'],
    ['text for an object', { metadata: 'x' }, 'FIELD_TYPE', '/metadata'],
    ['no list', { entityIds: 'e-1' }, 'FIELD_TYPE', '/entity_ids'],
    ['too deep', { context: deep(33) }, 'EVENT_TOO_DEEP', ''],
    ['too large', { context: { a: 'x'.repeat(300_000) } }, 'EVENT_TOO_LARGE', ''],
    [
      'too many members',
      { context: Object.fromEntries(Array.from({ length: 2_001 }, (_, i) => [`k${i}`, 1])) },
      'EVENT_TOO_MANY_KEYS',
      '',
    ],
    [
      'too many members in two parts',
      { context: many(1_200), metadata: many(1_200) },
      'EVENT_TOO_MANY_KEYS',
      '',
    ],
    ['a huge empty list', { context: { a: new Array(4_000_000_000) } }, 'EVENT_TOO_LARGE', ''],
    ['shared lists', { context: { a: shared([], (v) => [v, v]) } }, 'EVENT_TOO_LARGE', ''],
    ['shared objects', { context: { a: shared({}, (v) => ({ l: v, r: v })) } }, 'EVENT_TOO_MANY_KEYS', ''],
    ['a bad proof', { proof: { type: 'oath' } }, 'FIELD_ENUM', '/proof/type'],
    [
      'half an envelope',
      { eventData: { status: 'x', payload: {} } },
      'FIELD_REQUIRED',
      '/event_data/operation',
    ],
    ['a day too many', { retentionDays: 40_000 }, 'FIELD_RANGE', '/retention_days'],
  ])('%s', (_, over, code, pointer) => {
    const encoded = encoder().encode(someEvent(over as Partial<AuditEventInput>));
    expect(encoded.violations[0]).toMatchObject({ code, pointer });
  });
});

test('an event with nested members that throw is kept', () => {
  const bad = () => ({
    fine: 1,
    get bad() {
      throw new Error('secret');
    },
  });
  const word = {
    get outcome_status() {
      throw new Error('secret');
    },
  };
  for (const taxonomy of [undefined, soc]) {
    const parts = {
      context: bad(),
      decision: bad(),
      metadata: bad(),
      proof: { type: 'none', ...{ data: bad() } },
    };
    const event = someEvent({
      eventType: 'alert.classified',
      ...parts,
      outcome: word,
    } as object);
    const encoded = encoder({ taxonomy }).encode(event);
    expect(encoded.text).toContain('"context":{"fine":1,"bad":"[Unreadable]"}');
    expect(encoded.text).not.toContain('secret');
  }
});

test('any event is either refused, or the service can read it', () => {
  const hostile = fc.oneof(
    fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withNullPrototype: true,
      withSparseArray: true,
      withBoxedValues: true,
    }),
    fc.string({ unit: 'binary' }),
    fc.double(),
  );
  const record = fc.dictionary(fc.string({ unit: 'binary' }), hostile);
  const checked = encoder();
  fc.assert(
    fc.property(record, hostile, fc.string({ unit: 'binary' }), record, (context, value, id, metadata) => {
      const event = someEvent({ context: { ...context, value }, targetId: id, metadata, actorId: `a${id}` });
      const encoded = checked.encode(event);
      if (encoded.violations.length === 0) readEvent(encoded.text, { now });
    }),
    { numRuns: 300 },
  );
});

describe('a value that is far too long for an event', () => {
  const long = 'é'.repeat(5_000_000);
  const shared = 'é'.repeat(600_000);
  const values: Record<string, object> = {
    text: { context: { a: long } },
    name: { context: { [long]: 1 } },
    'name in a map': { metadata: { a: new Map([[long, 1]]) } },
    'several texts': { decision: { a: [shared, shared] } },
    outcome: { outcome: long },
    proof: { proof: { evidence_hash: long } },
    envelope: { eventData: { payload: { a: long } } },
    'unknown field': { [long]: 1 },
  };

  // A text of 50 MB blocked the process for a quarter of a second, and a number of eight million bits for more than one.
  test.each(Object.entries(values))('%s: is refused by its length, and never written', (_, more) => {
    const stringify = vi.spyOn(JSON, 'stringify');
    try {
      const { violations } = encoder().encode({ ...someEvent(), ...more } as AuditEventInput);
      expect(violations).not.toEqual([]);
      const written = stringify.mock.results.map(({ value }) => (value as string | undefined)?.length ?? 0);
      expect(Math.max(0, ...written)).toBeLessThan(2_000_000);
    } finally {
      stringify.mockRestore();
    }
  });

  test('a number is refused without computing its digits, which would take hours', () => {
    const huge = 1n << 500_000_000n;
    for (const more of [{ context: { a: huge } }, { actorId: huge }, { metadata: { errorCode: huge } }]) {
      const { violations } = encoder().encode({ ...someEvent(), ...more } as unknown as AuditEventInput);
      expect(violations).not.toEqual([]);
    }
  });
});
