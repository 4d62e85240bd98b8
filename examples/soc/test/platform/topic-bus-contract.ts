import { until } from '@tallystick/testing';
import { describe, expect, test, vi } from 'vitest';
import type { RawAlert } from '../../src/platform/alert.ts';
import type { RecordDeadLetter } from '../../src/platform/dead-letter-records.ts';
import {
  type DeadLetter,
  type Message,
  RejectedMessage,
  type TopicBus,
  Unavailable,
} from '../../src/platform/topics.ts';

/** A bus of one test, empty, and what it keeps. */
export interface BusUnderTest {
  readonly bus: TopicBus & { recordDeadLetter: RecordDeadLetter };
  deadLetters(): Promise<readonly DeadLetter[]>;
  close(): Promise<void>;
}

const lineage = {
  tenantId: 'acme',
  correlationId: 'c',
  traceId: '0af7651916cd43dd8448eb211c80319c',
};

export const message = (key: string, payload: unknown = { key }): Message<RawAlert> => ({
  key,
  lineage,
  value: { source: 'wazuh', received_at: '2026-11-28T00:00:00Z', payload },
});

/** Waits for a condition for as long as a busy broker may need. */
export const patiently = (what: string, condition: () => unknown) =>
  until(condition, { what, timeoutMs: 60_000, intervalMs: 20 });

/** What services rely on, whatever carries their messages. */
export function describeTopicBus(open: () => Promise<BusUnderTest>): void {
  describe('a bus of topics', () => {
    const running = async (body: (bus: BusUnderTest) => Promise<void>) => {
      const opened = await open();
      try {
        await body(opened);
      } finally {
        await opened.close();
      }
    };

    test('every consumer gets every message, those of one key in order, and never a shared object', () =>
      running(async ({ bus }) => {
        const seen: Record<string, Message<RawAlert>[]> = { first: [], second: [] };
        for (const consumer of ['first', 'second']) {
          await bus.subscribe(
            'alerts.raw',
            consumer,
            async (received) => void seen[consumer]!.push(received),
          );
        }
        const sent = ['a', 'b', 'a', 'b', 'a'].map((key, at) => message(key, { at }));
        for (const one of sent) await bus.publish('alerts.raw', one);
        for (const consumer of ['first', 'second']) {
          await patiently(`all messages of ${consumer}`, () => seen[consumer]!.length === sent.length);
          for (const key of ['a', 'b']) {
            const ofKey = (all: readonly Message<RawAlert>[]) => all.filter((one) => one.key === key);
            expect(ofKey(seen[consumer]!)).toEqual(ofKey(sent));
          }
        }
        expect(seen.first![0]!.value).not.toBe(seen.second![0]!.value);
        expect(seen.first![0]!.value).not.toBe(sent[0]!.value);
      }));

    test('a message that fails is tried three times, a rejected one once; both become dead letters with their record', () =>
      running(async ({ bus, deadLetters }) => {
        bus.recordDeadLetter = vi.fn(({ code }) => `recorded ${code}`);
        const calls: string[] = [];
        await bus.subscribe('alerts.raw', 'parser', async ({ key }) => {
          calls.push(key);
          if (key === 'bad') throw new RejectedMessage('ALERT_MALFORMED', 'the alert has no title');
          if (key === 'known') {
            const refusal = new RejectedMessage('ALERT_MALFORMED', 'recorded by the service');
            refusal.recordedAs = 'by-the-service';
            throw refusal;
          }
          if (key === 'broken') throw new Error('no connection');
          if (key === 'wordy') throw new Error(`${'😀'.repeat(999)}x😀😀`);
        });
        for (const key of ['bad', 'known', 'broken', 'wordy', 'good'])
          await bus.publish('alerts.raw', message(key));
        await patiently('the last message', () => calls.includes('good') && calls.length === 9);
        const letters = await patiently('all dead letters', async () => {
          const all = await deadLetters();
          return all.length === 4 && all;
        });

        expect(calls.toSorted()).toEqual([
          ...['bad', 'broken', 'broken', 'broken', 'good', 'known', 'wordy', 'wordy', 'wordy'],
        ]);
        expect((letters as DeadLetter[]).toSorted((a, b) => (a.key < b.key ? -1 : 1))).toMatchObject([
          {
            ...{ topic: 'alerts.raw', consumer: 'parser', key: 'bad', lineage, value: message('bad').value },
            ...{ code: 'ALERT_MALFORMED', reason: 'the alert has no title' },
            audit_id: 'recorded ALERT_MALFORMED',
          },
          {
            key: 'broken',
            code: 'HANDLER_FAILED',
            reason: 'no connection',
            audit_id: 'recorded HANDLER_FAILED',
          },
          { key: 'known', audit_id: 'by-the-service' },
          // An error that repeats its message must not make the dead letter too large. No character is cut in half.
          { key: 'wordy', reason: `${'😀'.repeat(999)}x…` },
        ]);
        // What the service recorded is not recorded a second time.
        expect(bus.recordDeadLetter).toHaveBeenCalledTimes(3);
      }));

    test('while something that the handler needs is away, the message is tried again and is no dead letter', () =>
      running(async ({ bus, deadLetters }) => {
        let calls = 0;
        const handled: string[] = [];
        await bus.subscribe('alerts.raw', 'parser', async ({ key }) => {
          calls += 1;
          if (calls <= 5) throw new Unavailable('the gateway does not answer');
          handled.push(key);
        });
        await bus.publish('alerts.raw', message('waits'));
        await bus.publish('alerts.raw', message('waits'));
        await patiently('both messages', () => handled.length === 2);
        expect(calls).toBe(7);
        expect(await deadLetters()).toEqual([]);
      }));

    test('after the end of a subscription nothing more is handled', () =>
      running(async ({ bus }) => {
        const handled: string[] = [];
        const end = await bus.subscribe('alerts.raw', 'parser', async ({ key }) => void handled.push(key));
        await bus.publish('alerts.raw', message('before'));
        await patiently('the first message', () => handled.length === 1);
        await end();
        const watched: string[] = [];
        await bus.subscribe('alerts.raw', 'watcher', async ({ key }) => void watched.push(key));
        await bus.publish('alerts.raw', message('after'));
        await patiently('the second message', () => watched.includes('after'));
        expect(handled).toEqual(['before']);
      }));
  });
}
