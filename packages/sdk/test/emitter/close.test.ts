import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/index.ts';
import { turns } from '../support/clock.ts';
import { testEmitter } from '../support/emitter.ts';
import { someEvent } from '../support/events.ts';

const down = () => {
  throw new Error('down');
};

describe('close', () => {
  // Another client stopped its worker before it drained its queue: every deployment lost the events in flight.
  test('delivers all events before it stops, and declares how many there were', async () => {
    const { emitter, transport } = testEmitter({ batchSize: 10 });
    for (let count = 0; count < 95; count++)
      emitter.emit(someEvent({ tenantId: count % 2 === 0 ? 'a' : 'b' }));
    const report = await emitter.close();
    expect(report).toEqual({
      emitted: 95,
      inherited: 0,
      delivered: 95,
      duplicates: 0,
      rejected: 0,
      dropped: 0,
      unconfirmed: 0,
      spooled: 0,
      pending: 0,
    });
    expect(transport.events).toHaveLength(95);
    expect(transport.final).toEqual([
      { tenant_id: 'a', final_seq: 48 },
      { tenant_id: 'b', final_seq: 47 },
    ]);
    expect(transport.closed).toBe(true);
    for (const batch of transport.batches) expect(batch.delivery.producer_id).toBe(emitter.producerId);
  });

  test('a second call gives the same report, also while the first is pending', async () => {
    const { emitter, transport } = testEmitter();
    emitter.emit(someEvent());
    const [first, second] = await Promise.all([emitter.close(), emitter.close()]);
    expect(second).toBe(first);
    expect(await emitter.close()).toBe(first);
    expect(transport.final).toHaveLength(1);
  });

  // In another client, sending to a closed queue ended the process.
  test('events after it are dropped and counted', async () => {
    const { emitter, errors } = testEmitter();
    await emitter.close();
    expect(emitter.emit(someEvent()).state).toBe('dropped');
    await expect(emitter.record(someEvent())).rejects.toMatchObject({
      code: 'EMITTER_CLOSED',
      outcome: 'rejected',
    });
    expect(emitter.report()).toMatchObject({ emitted: 2, dropped: 2 });
    expect(errors.map((error) => error.code)).toEqual(['EMITTER_CLOSED', 'EMITTER_CLOSED']);
  });

  test('ends at its deadline and counts the events that are left', async () => {
    const { emitter, transport, clock, errors } = testEmitter({ batchSize: 10 }, down);
    for (let count = 0; count < 25; count++) emitter.emit(someEvent());
    const record = expect(emitter.record(someEvent())).rejects.toMatchObject({ outcome: 'rejected' });
    const closing = emitter.close({ deadlineMs: 5_000 });
    await clock.advance(5_000);
    expect(await closing).toMatchObject({
      emitted: 26,
      delivered: 0,
      unconfirmed: 10,
      dropped: 16,
      pending: 0,
    });
    await record;
    expect(transport.final).toEqual([]);
    expect(errors.at(-1)).toMatchObject({ code: 'EMITTER_CLOSED', events: 26 });
  });

  test('aborts a send that hangs, and does not wait for a transport that ignores the abort', async () => {
    let aborted = false;
    const { emitter, clock } = testEmitter({}, (_, signal) => {
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      return new Promise(() => {});
    });
    emitter.emit(someEvent());
    const closing = emitter.close({ deadlineMs: 100 });
    await clock.advance(2_500);
    expect(await closing).toMatchObject({ unconfirmed: 1 });
    expect(aborted).toBe(true);
  });

  test('ends a pause between two tries', async () => {
    let calls = 0;
    const { emitter, clock } = testEmitter({}, () => {
      if (++calls === 1) down();
      return undefined;
    });
    emitter.emit(someEvent());
    await clock.advance(1_000);
    expect(calls).toBe(1);
    expect(await emitter.close()).toMatchObject({ delivered: 1 });
  });

  test('reports when the end could not be declared', async () => {
    const { emitter, clock, errors } = testEmitter({}, (batch) =>
      batch.events.length === 0 ? down() : undefined,
    );
    emitter.emit(someEvent());
    const closing = emitter.close({ deadlineMs: 5_000 });
    await clock.advance(5_000);
    expect(await closing).toMatchObject({ delivered: 1 });
    expect(errors).toMatchObject([{ code: 'DELIVERY_FAILED', events: 0 }]);
    expect(String(errors[0]?.cause)).toContain('down');
  });

  // If a broker failed while the end was declared, the service reported a producer as unclosed whose events had all arrived.
  test('declares the end again until the service accepts it', async () => {
    let failures = 3;
    const { emitter, transport, clock, errors } = testEmitter({}, (batch) =>
      batch.events.length === 0 && failures-- > 0 ? down() : undefined,
    );
    emitter.emit(someEvent({ tenantId: 'a' }));
    const closing = emitter.close({ deadlineMs: 5_000 });
    await clock.advance(4_000);
    expect(await closing).toMatchObject({ delivered: 1 });
    expect(transport.final).toEqual([{ tenant_id: 'a', final_seq: 1 }]);
    expect(errors).toEqual([]);
  });
});

describe('flush', () => {
  // Another client's flush() resolved as if it had succeeded after a failed write.
  test('reports how many events are pending', async () => {
    const { emitter, clock } = testEmitter({}, down);
    emitter.emit(someEvent());
    const flushing = emitter.flush({ deadlineMs: 3_000 });
    await clock.advance(3_000);
    expect(await flushing).toMatchObject({ delivered: 0, pending: 1 });
  });

  test('waits for the events that were emitted before it, and not for later ones', async () => {
    const { emitter, transport } = testEmitter({ batchSize: 5 });
    for (let count = 0; count < 12; count++) emitter.emit(someEvent());
    const flushing = emitter.flush();
    await turns(1);
    const report = await flushing;
    expect(report.delivered).toBeGreaterThanOrEqual(12);
    expect(transport.events).toHaveLength(12);
    expect(await emitter.flush()).toEqual(report);
  });
});

// Node.js runs a timer with an unsupported delay immediately, so an infinite deadline ended at once and all events were lost.
// The same happened with NaN and undefined.
describe('with the system clock', () => {
  test.each([Number.POSITIVE_INFINITY, 1e12, Number.NaN, undefined])('a deadline of %s ms', async (ms) => {
    const slow = () => new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 20));
    const { emitter } = testEmitter({ clock: systemClock }, slow);
    const recorded = emitter.record(someEvent(), { timeoutMs: ms as number });
    emitter.emit(someEvent());
    expect(await emitter.close({ deadlineMs: ms as number })).toMatchObject({ delivered: 2 });
    expect(await recorded).toMatchObject({ state: 'chained' });
  });
});
