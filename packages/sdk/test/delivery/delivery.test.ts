import { describe, expect, test } from 'vitest';
import { type ItemResult, TransportError } from '../../src/index.ts';
import { testEmitter } from '../support/emitter.ts';
import { someEvent } from '../support/events.ts';

const fail = (failure: ConstructorParameters<typeof TransportError>[1]) => () => {
  throw new TransportError('no', failure);
};

describe('order and numbers', () => {
  test('a batch contains events of several tenants; the sequence numbers of each tenant are contiguous from 1', async () => {
    const { emitter, transport } = testEmitter();
    for (const tenantId of ['a', 'b', 'a', 'a', 'b']) emitter.emit(someEvent({ tenantId }));
    await emitter.flush();
    expect(transport.batches).toHaveLength(1);
    expect(transport.batches[0]?.delivery).toMatchObject({
      service: 'checkout',
      sequences: [1, 1, 2, 3, 2],
      gaps: [],
      final: [],
    });
  });

  test('one batch is sent at a time, and the order is kept', async () => {
    let flying = 0;
    let most = 0;
    const { emitter, transport } = testEmitter({ batchSize: 7 }, async () => {
      most = Math.max(most, ++flying);
      await new Promise((resolve) => setImmediate(resolve));
      flying--;
      return undefined;
    });
    const ids = Array.from({ length: 100 }, () => emitter.emit(someEvent()).id);
    await emitter.close();
    expect(most).toBe(1);
    expect(transport.events.map((event) => event.audit_id)).toEqual(ids);
  });
});

describe('a full buffer', () => {
  test('drops new events; counts, reports and declares exactly those', async () => {
    let open = false;
    const { emitter, transport, clock, errors } = testEmitter({ bufferSize: 5, batchSize: 5 }, () => {
      if (!open) throw new Error('down');
      return undefined;
    });
    const states = Array.from(
      { length: 8 },
      (_, i) => emitter.emit(someEvent({ tenantId: i === 6 ? 'b' : 'a' })).state,
    );
    expect(states).toEqual([...Array(5).fill('buffered'), ...Array(3).fill('dropped')]);
    expect(errors).toHaveLength(3);
    await clock.advance(1);
    open = true;
    await clock.advance(2_000);
    emitter.emit(someEvent({ tenantId: 'a' }));
    const report = await emitter.close();
    expect(report).toMatchObject({ emitted: 9, delivered: 6, dropped: 3 });
    expect(transport.gaps).toEqual([
      { tenant_id: 'a', from: 6, to: 7, reason: 'buffer_full' },
      { tenant_id: 'b', from: 1, to: 1, reason: 'buffer_full' },
    ]);
    expect(transport.final).toEqual([
      { tenant_id: 'a', final_seq: 8 },
      { tenant_id: 'b', final_seq: 1 },
    ]);
  });

  test('is also limited in bytes', () => {
    const { emitter } = testEmitter({ maxBufferBytes: 2_500 });
    const states = [1, 2, 3].map(() => emitter.emit(someEvent({ context: { text: 'x'.repeat(900) } })).state);
    expect(states).toEqual(['buffered', 'buffered', 'dropped']);
  });
});

describe('failures', () => {
  test('a batch is retried after about 1, 4 and 9 s, then every 15 s; it is never discarded', async () => {
    const sent: number[] = [];
    let open = false;
    const { emitter, transport, clock, errors } = testEmitter({}, () => {
      sent.push(clock.now());
      if (!open) throw new Error('down');
      return undefined;
    });
    const start = clock.now();
    emitter.emit(someEvent());
    await clock.advance(60_000);
    const gaps = sent.map((at, i) => at - (sent[i - 1] ?? start));
    expect(gaps).toEqual([1_000, 1_000, 4_000, 9_000, 15_000, 15_000, 15_000]);
    expect(errors).toMatchObject([{ code: 'DELIVERY_FAILED', outcome: 'unknown', events: 1 }]);
    open = true;
    await clock.advance(15_000);
    expect(transport.events).toHaveLength(1);
    expect(emitter.report()).toMatchObject({ delivered: 1, pending: 0 });
  });

  // Another client dropped batches after 429, and after 401 during a key rotation.
  test.each([
    [
      'after 429, the pause is as long as Retry-After says',
      { retryable: true, status: 429, retryAfterMs: 30_000 },
      30_000,
    ],
    ['401 is retried', { retryable: true, status: 401, unauthorized: true }, 1_000],
    ['an excessive Retry-After is limited', { retryable: true, status: 503, retryAfterMs: 10 ** 9 }, 300_000],
  ])('%s', async (_, failure, wait) => {
    let calls = 0;
    const { emitter, transport, clock } = testEmitter({ flushIntervalMs: 0 }, () =>
      ++calls === 1 ? fail(failure)() : undefined,
    );
    emitter.emit(someEvent());
    await clock.advance(wait - 1);
    expect(transport.events).toHaveLength(0);
    await clock.advance(2_000);
    expect(transport.events).toHaveLength(1);
    expect(emitter.report()).toMatchObject({ delivered: 1, rejected: 0 });
  });

  test('400 is never retried: the batch is lost, which is reported and declared, and the next one is sent', async () => {
    let calls = 0;
    const { emitter, transport, errors } = testEmitter({ batchSize: 2 }, () =>
      ++calls === 1 ? fail({ retryable: false, status: 400 })() : undefined,
    );
    for (let count = 0; count < 4; count++) emitter.emit(someEvent());
    expect(await emitter.close()).toMatchObject({ delivered: 2, rejected: 2 });
    expect(calls).toBe(3);
    expect(errors).toMatchObject([{ code: 'BATCH_REFUSED', outcome: 'rejected', events: 2 }]);
    expect(transport.gaps).toEqual([{ tenant_id: 'acme', from: 1, to: 2, reason: 'batch_refused' }]);
  });

  // In another client, a batch that was too large for the server was dropped as a whole.
  test('after 413 the batch is split until it fits; only an event that is too large by itself is lost', async () => {
    const sizes: number[] = [];
    const { emitter, transport } = testEmitter({}, (batch) => {
      sizes.push(batch.events.length);
      const tooLarge = batch.events.length > 3 || batch.events.some((event) => event.includes('GIANT'));
      return tooLarge ? fail({ retryable: false, status: 413, tooLarge: true })() : undefined;
    });
    for (let i = 0; i < 10; i++) emitter.emit(someEvent({ targetId: i === 5 ? 'GIANT' : `o-${i}` }));
    expect(await emitter.close()).toMatchObject({ delivered: 9, rejected: 1 });
    expect(transport.events.map((event) => event.target_id)).toEqual(
      [0, 1, 2, 3, 4, 6, 7, 8, 9].map((i) => `o-${i}`),
    );
    expect(sizes[0]).toBe(10);
    expect(sizes.length).toBeLessThan(20);
  });

  test('rejected and conflicting events do not affect the other events of their batch', async () => {
    const { emitter, errors } = testEmitter({}, (batch) =>
      batch.events.map((text, index) => {
        if (index === 1) return { status: 'rejected', error: { code: 'EVENT_TYPE_UNKNOWN', message: 'x' } };
        if (index === 2) return { status: 'conflict', error: { code: 'AUDIT_ID_CONFLICT', message: 'x' } };
        return { status: 'accepted', audit_id: (JSON.parse(text) as { audit_id: string }).audit_id };
      }),
    );
    for (let i = 0; i < 4; i++) emitter.emit(someEvent());
    expect(await emitter.flush()).toMatchObject({ delivered: 2, rejected: 2 });
    expect(errors.map((error) => error.code)).toEqual(['REJECTED_BY_SERVICE', 'CONFLICT']);
  });

  test('if a transport returns fewer results than events, the batch is retried', async () => {
    let calls = 0;
    const { emitter, transport, clock } = testEmitter({}, () => (++calls === 1 ? [] : undefined));
    emitter.emit(someEvent());
    await clock.advance(3_000);
    expect(transport.events).toHaveLength(1);
  });

  // The events before a missing result were counted as delivered with each try.
  test('if a transport returns results with holes, the batch is retried', async () => {
    let calls = 0;
    const results = [{ status: 'accepted', audit_id: 'x' }, undefined] as unknown as readonly ItemResult[];
    const { emitter, clock, errors } = testEmitter({ maxRetries: 3 }, () =>
      calls++ === 0 ? results : undefined,
    );
    emitter.emit(someEvent());
    emitter.emit(someEvent());
    await clock.advance(5_000);
    expect(errors).toEqual([]);
    expect(emitter.report()).toMatchObject({ emitted: 2, delivered: 2, pending: 0 });
  });

  test('a lost response causes no duplicate', async () => {
    let calls = 0;
    const { emitter, transport, clock } = testEmitter();
    const take = transport.send.bind(transport);
    transport.send = async (batch, signal) => {
      const results = await take(batch, signal);
      if (++calls === 1) throw new Error('connection reset');
      return results;
    };
    emitter.emit(someEvent());
    await clock.advance(5_000);
    expect(transport.events).toHaveLength(1);
    expect(emitter.report()).toMatchObject({ delivered: 1, duplicates: 1 });
  });
});

// An outage of an hour was counted once, so `rate(audit_batches_failed_total[5m])` was zero again after five minutes.
test('a batch that keeps failing is counted after each round of tries', async () => {
  const { emitter, clock, errors } = testEmitter(
    { maxRetries: 1, retryDelaysMs: [100], probeIntervalMs: 1_000 },
    () => {
      throw new Error('down');
    },
  );
  const failed = () =>
    emitter.metrics.samples().find(({ name }) => name === 'audit_batches_failed_total')?.value;
  emitter.emit(someEvent());
  await clock.advance(1_200);
  expect(failed()).toBe(1);
  for (let probes = 0; probes < 10; probes++) await clock.advance(1_250);
  expect(failed()).toBeGreaterThanOrEqual(5);
  expect(errors.filter(({ code }) => code === 'DELIVERY_FAILED')).toHaveLength(failed()!);
  expect(emitter.report()).toMatchObject({ pending: 1, dropped: 0 });
});
