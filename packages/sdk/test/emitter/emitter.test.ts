import { AuditValidationError } from '@tallystick/event';
import { describe, expect, test } from 'vitest';
import { type AuditEventInput, createAuditEmitter } from '../../src/index.ts';
import { RateLimitedLog } from '../../src/observe/logger.ts';
import { MemoryTransport } from '../../src/transport/memory.ts';
import { turns } from '../support/clock.ts';
import { testEmitter } from '../support/emitter.ts';
import { someEvent } from '../support/events.ts';

describe('emit', () => {
  test("returns immediately with the event's id; the event is sent after the flush interval", async () => {
    const { emitter, transport, clock } = testEmitter();
    const result = emitter.emit(someEvent());
    expect(result.state).toBe('buffered');
    expect(result.createdAt).toEqual(new Date(clock.now()));
    expect(transport.batches).toHaveLength(0);
    await clock.advance(999);
    expect(transport.batches).toHaveLength(0);
    await clock.advance(1);
    expect(transport.events).toMatchObject([
      { audit_id: result.id, source_service: 'checkout', tenant_id: 'acme' },
    ]);
    expect(clock.pending).toBe(0);
  });

  test('its result may be awaited', async () => {
    const { emitter } = testEmitter();
    expect((await emitter.emit(someEvent())).id).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('accepts the type as a separate argument', async () => {
    const { emitter, transport } = testEmitter();
    emitter.emit('order.shipped', { tenantId: 'acme', actorType: 'user', actorId: 'u' });
    await flushed(emitter);
    expect(transport.events[0]?.event_type).toBe('order.shipped');
  });

  // An emitter that keeps a reference would send what the caller changed afterwards.
  test('copies the event: later changes of the object have no effect', async () => {
    const { emitter, transport } = testEmitter();
    const event = someEvent({ context: { amount: 1 } });
    emitter.emit(event);
    (event.context as { amount: number }).amount = 2;
    event.actorId = 'mallory';
    await flushed(emitter);
    expect(transport.events[0]).toMatchObject({ actor_id: 'u-17', context: { amount: 1 } });
  });

  test('a complete batch does not wait for the interval, and is not assembled within emit()', async () => {
    const { emitter, transport } = testEmitter({ batchSize: 3 });
    for (let count = 0; count < 3; count++) emitter.emit(someEvent());
    expect(transport.batches).toHaveLength(0);
    await turns();
    expect(transport.events).toHaveLength(3);
  });

  test('throws for programming errors and counts nothing', () => {
    const { emitter } = testEmitter();
    expect(() => emitter.emit({} as AuditEventInput)).toThrow(AuditValidationError);
    expect(() => emitter.emit(undefined as unknown as AuditEventInput)).toThrow(AuditValidationError);
    expect(() => emitter.emit('order.shipped', undefined as never)).toThrow(AuditValidationError);
    expect(emitter.report().emitted).toBe(0);
  });

  test('refuses an event because of its data without throwing, reports it, and declares the loss', async () => {
    const { emitter, transport, errors } = testEmitter();
    emitter.emit(someEvent());
    const refused = emitter.emit(someEvent({ context: { big: 'x'.repeat(300_000) } }));
    expect(refused.state).toBe('refused');
    expect(errors).toMatchObject([
      { code: 'EVENT_REFUSED', id: refused.id, violations: [{ code: 'EVENT_TOO_LARGE' }] },
    ]);
    expect(errors[0]?.message).not.toContain('xxx');
    const report = await emitter.close();
    expect(report).toMatchObject({ emitted: 2, delivered: 1, rejected: 1 });
    expect(transport.gaps).toEqual([{ tenant_id: 'acme', from: 2, to: 2, reason: 'event_invalid' }]);
    expect(transport.final).toEqual([{ tenant_id: 'acme', final_seq: 2 }]);
  });

  test('errors of handlers and loggers are ignored', async () => {
    const bad = () => {
      throw new Error('handler');
    };
    const { emitter, transport } = testEmitter({
      onError: bad,
      logger: { info: bad, warn: bad, error: bad },
    });
    emitter.emit(someEvent());
    emitter.emit(someEvent({ tenantId: 'a b' }));
    await flushed(emitter);
    expect(transport.events).toHaveLength(1);
  });
});

// `emit()` threw the getter's error: only nested members were read within a try block.
describe('an event with a member that can not be read', () => {
  const boom = (member: string, event = someEvent()) =>
    Object.defineProperty(event, member, {
      enumerable: true,
      get: () => {
        throw new Error('detached');
      },
    });

  test('is kept if the member is an identifier', async () => {
    const { emitter, transport } = testEmitter();
    expect(emitter.emit(boom('targetId')).state).toBe('buffered');
    await flushed(emitter);
    expect(transport.events[0]).toMatchObject({ target_id: '[Unreadable]', actor_id: 'u-17' });
  });

  test.each([
    ...[
      'tenantId',
      'actorType',
      'timestamp',
      'context',
      'decision',
      'outcome',
      'proof',
      'eventData',
      'metadata',
    ],
    ...['auditId', 'severity', 'actorPermissions', 'entityIds', 'retentionDays'],
  ])('is refused without throwing if the member is %s', async (member) => {
    const { emitter, errors } = testEmitter();
    expect(emitter.emit(boom(member)).state).toBe('refused');
    await expect(emitter.record(boom(member))).rejects.toMatchObject({ code: 'EVENT_REFUSED' });
    expect(errors).toHaveLength(2);
    expect(errors[0]?.violations).not.toEqual([]);
    expect(await emitter.close()).toMatchObject({ emitted: 2, rejected: 2 });
  });

  test('lists, dates and proofs that throw when they are read', () => {
    const { emitter } = testEmitter();
    const hostile = <T extends object>(target: T): T => {
      const { proxy, revoke } = Proxy.revocable(target, {});
      revoke();
      return proxy;
    };
    expect(emitter.emit(someEvent({ entityIds: hostile([]) })).state).toBe('refused');
    expect(emitter.emit(someEvent({ timestamp: hostile(new Date()) })).state).toBe('refused');
    expect(emitter.emit(someEvent({ proof: hostile({ type: 'none' as const }) })).state).toBe('refused');
    expect(() => emitter.emit(hostile(someEvent()))).toThrow(AuditValidationError);
  });
});

describe('logging', () => {
  // An unhandled rejection ends the process.
  test('the rejection of an async logger is handled, for events and for faults', async () => {
    const rejections: unknown[] = [];
    const note = (reason: unknown) => rejections.push(reason);
    process.on('unhandledRejection', note);
    const reject = async () => {
      throw new Error('no');
    };
    const { emitter } = testEmitter({ logger: { info: reject, warn: reject, error: reject } });
    emitter.emit(someEvent());
    emitter.emit(someEvent({ context: { large: 'x'.repeat(300_000) } }));
    await turns();
    process.off('unhandledRejection', note);
    expect(rejections).toEqual([]);
  });

  // With a logger, `outcome: null` threw a TypeError to the caller.
  test.each([null, undefined])('an outcome that is %s counts as absent', (nothing) => {
    const lines: object[] = [];
    const logger = { info: (fields: object) => lines.push(fields), warn() {}, error() {} };
    const { emitter } = testEmitter({ logger });
    expect(emitter.emit(someEvent({ outcome: nothing as never })).state).toBe('buffered');
    expect(lines).toMatchObject([{ auditEvent: true, outcome: undefined }]);
  });

  // If the clock was set back by years, no fault was logged for years.
  test('a clock that is set back does not silence the log', () => {
    let now = Date.UTC(2040, 0, 1);
    let lines = 0;
    const log = new RateLimitedLog({ info() {}, warn: () => lines++, error() {} }, () => now, 10_000);
    log.warn('BUFFER_FULL', {}, '');
    now = Date.UTC(2026, 0, 1);
    log.warn('BUFFER_FULL', {}, '');
    log.warn('BUFFER_FULL', {}, '');
    expect(lines).toBe(2);
  });

  test('writes one line for each event, and never its body', async () => {
    const lines: unknown[] = [];
    const logger = {
      info: (fields: object, message: string) => lines.push([fields, message]),
      warn() {},
      error() {},
    };
    const { emitter } = testEmitter({ logger });
    emitter.emit(someEvent({ context: { secret: 'hunter2' } }));
    expect(lines).toEqual([
      [
        {
          auditEvent: true,
          actionType: 'order.refunded',
          targetType: 'order',
          targetId: 'o-1',
          outcome: 'success',
          clientId: 'acme',
        },
        'Audit: order.refunded on order/o-1',
      ],
    ]);
    testEmitter({ logger, logEvents: false }).emitter.emit(someEvent());
    expect(lines).toHaveLength(1);
  });

  test('a fault of every event is logged once in ten seconds', async () => {
    const lines: { suppressed: number }[] = [];
    const logger = {
      info() {},
      warn: (fields: object) => lines.push(fields as { suppressed: number }),
      error() {},
    };
    const { emitter, clock } = testEmitter({ logger, logEvents: false });
    for (let count = 0; count < 50; count++) emitter.emit(someEvent({ tenantId: 'a b' }));
    expect(lines).toHaveLength(1);
    await clock.advance(10_000);
    emitter.emit(someEvent({ tenantId: 'a b' }));
    expect(lines.map((line) => line.suppressed)).toEqual([0, 49]);
  });
});

describe('record', () => {
  test('resolves with the receipt, without waiting for the interval', async () => {
    const { emitter } = testEmitter();
    const receipt = await emitter.record(someEvent());
    expect(receipt).toMatchObject({
      state: 'chained',
      receipt: { audit_id: receipt.id, sequence_number: 1 },
    });
  });

  test('rejects when the service rejects: the event is not in the trail', async () => {
    const { emitter } = testEmitter({}, () => [
      { status: 'rejected', error: { code: 'EVENT_TYPE_UNKNOWN', message: 'is unknown' } },
    ]);
    await expect(emitter.record(someEvent())).rejects.toMatchObject({
      code: 'REJECTED_BY_SERVICE',
      outcome: 'rejected',
    });
    expect(emitter.report()).toMatchObject({ rejected: 1, delivered: 0 });
  });

  test('rejects with "unknown" when there is no response in time; the event may still be delivered', async () => {
    const { emitter, clock } = testEmitter({ recordTimeoutMs: 500 }, () => new Promise(() => {}));
    const record = emitter.record(someEvent());
    const rejected = expect(record).rejects.toMatchObject({ code: 'DELIVERY_TIMED_OUT', outcome: 'unknown' });
    await clock.advance(500);
    await rejected;
    expect(emitter.report()).toMatchObject({ pending: 1 });
  });

  test('rejects with "unknown" when all tries have failed, and with "rejected" when there was no room', async () => {
    const { emitter, clock } = testEmitter({ bufferSize: 1, recordTimeoutMs: 60_000 }, () => {
      throw new Error('down');
    });
    const waiting = expect(emitter.record(someEvent())).rejects.toMatchObject({
      code: 'DELIVERY_FAILED',
      outcome: 'unknown',
    });
    await expect(emitter.record(someEvent())).rejects.toMatchObject({
      code: 'BUFFER_FULL',
      outcome: 'rejected',
    });
    await clock.advance(30_000);
    await waiting;
  });

  test('rejects for invalid data and for programming errors', async () => {
    const { emitter } = testEmitter();
    await expect(emitter.record(someEvent({ tenantId: 'a b' }))).rejects.toMatchObject({
      code: 'EVENT_REFUSED',
    });
    await expect(emitter.record({} as AuditEventInput)).rejects.toBeInstanceOf(AuditValidationError);
  });
});

describe('configuration', () => {
  test.each([
    [{ bufferSize: 0 }, 'bufferSize'],
    [{ batchSize: 1_001 }, 'batchSize'],
    [{ flushIntervalMs: 1.5 }, 'flushIntervalMs'],
    [{ maxRetries: -1 }, 'maxRetries'],
    [{ retryDelaysMs: [1, Number.NaN] }, 'retryDelaysMs'],
  ])('%j is refused', (config, name) => {
    expect(() => createAuditEmitter({ ...config, transport: new MemoryTransport() })).toThrow(name);
  });
});

async function flushed(emitter: { flush(): Promise<unknown> }): Promise<void> {
  await emitter.flush();
}
