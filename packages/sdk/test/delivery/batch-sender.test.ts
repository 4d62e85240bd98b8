import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { testEmitter } from '../support/emitter.ts';
import { someEvent } from '../support/events.ts';

/** The wishes of each batch with events. */
const wishes = ({ batches }: ReturnType<typeof testEmitter>['transport']) =>
  batches.filter(({ events }) => events.length > 0).map(({ chained }) => chained);

test('a batch is asked to be chained if the caller of one of its events wants that', async () => {
  const { emitter, transport } = testEmitter();
  emitter.emit(someEvent());
  await Promise.all([emitter.record(someEvent(), { chained: true }), emitter.record(someEvent())]);
  emitter.emit(someEvent());
  await emitter.close();
  expect(wishes(transport)).toEqual([true, undefined]);
});

test('once the caller has given up, the queue in front of the chain is enough for its event', async () => {
  let away = true;
  const { emitter, transport, clock } = testEmitter({ retryDelaysMs: [1_000] }, () => {
    if (away) throw new Error('the database is away');
    return undefined;
  });
  const waiting = emitter.record(someEvent(), { chained: true, timeoutMs: 1_500 });
  const given = expect(waiting).rejects.toMatchObject({ code: 'DELIVERY_TIMED_OUT', outcome: 'unknown' });
  await clock.advance(1_500);
  await given;
  away = false;
  await clock.advance(1_000);
  await vi.waitFor(() => expect(transport.events).toHaveLength(1));
  expect(wishes(transport)).toEqual([true, true, undefined]);
  await emitter.close();
});

test('the wish outlasts the way of the event over the disk', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'spool-'));
  const { emitter, transport } = testEmitter({ spool: { directory, mode: 'always' } });
  await emitter.record(someEvent(), { chained: true });
  await emitter.close();
  expect(wishes(transport)).toEqual([true]);
  rmSync(directory, { recursive: true, force: true });
});

// A custom transport answered with a status of its own, and the event counted as delivered.
test.each([{ status: 'stored' }, { status: 'chained' }, { status: 'rejected' }, { receipt: {} }, 'chained'])(
  '%j says nothing about the event: it is sent again, and is unconfirmed at the end',
  async (answer) => {
    let sends = 0;
    const { emitter, errors, clock } = testEmitter({
      retryDelaysMs: [1_000],
      maxRetries: 0,
      transport: {
        send: async ({ events }) => {
          sends++;
          return events.map(() => answer as never);
        },
        close: async () => {},
      },
    });
    const waiting = expect(emitter.record(someEvent())).rejects.toMatchObject({
      code: 'DELIVERY_FAILED',
      outcome: 'unknown',
    });
    await clock.advance(0);
    await waiting;
    expect(errors[0]!.message).toContain('the transport returned 0 valid results for 1 events');
    const first = sends;
    await clock.advance(60_000);
    await vi.waitFor(() => expect(sends).toBeGreaterThan(first));
    const closed = emitter.close({ deadlineMs: 1_000 });
    await clock.advance(60_000);
    expect(await closed).toMatchObject({ delivered: 0, unconfirmed: 1 });
  },
);
