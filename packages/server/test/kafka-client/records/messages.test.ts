import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readMessages, type UnreadableBatch } from '../../../src/kafka-client/records/messages.ts';
import type { Message } from '../../../src/kafka-client/records/record.ts';
import { batchOf, codecs, recordOf, varInt } from './packed.ts';

const enough = 1024 * 1024;
const gzipped = (records: readonly Buffer[], firstOffset = 0, count = records.length) =>
  batchOf({ codec: codecs.gzip, content: gzipSync(Buffer.concat(records)), count, firstOffset });
const plain = (records: readonly Buffer[], firstOffset = 0, count = records.length) =>
  batchOf({ codec: codecs.none, content: Buffer.concat(records), count, firstOffset });
const values = (messages: readonly (Message | UnreadableBatch)[]) =>
  messages.map((message) => ('bytes' in message ? message.code : message.value?.toString()));

describe('a range ends once it has enough bytes', () => {
  const records = Array.from({ length: 100 }, (_, delta) => recordOf(`value ${delta}`, { delta }));

  test('in the middle of a batch, and the next range goes on there', () => {
    const batch = gzipped(records, 1_000);
    const read: (string | undefined)[] = [];
    let ranges = 0;
    for (let at = 1_000; at < 1_100; ranges++) {
      const range = readMessages(batch, [], at, 2_000);
      expect(range.messages[0]).toMatchObject({ offset: at });
      read.push(...values(range.messages));
      at = range.next;
    }
    expect(read).toEqual(Array.from({ length: 100 }, (_, n) => `value ${n}`));
    expect(ranges).toBeGreaterThan(5);
  });

  test('between two batches, without checking the second one', () => {
    const damaged = gzipped(records, 1_001);
    damaged[damaged.length - 1]! ^= 1;
    const log = Buffer.concat([gzipped([recordOf('a')], 1_000), damaged]);
    // Even if the second batch is checked, the messages before it are returned.
    for (const bytes of [1, enough]) {
      const { messages, next } = readMessages(log, [], 1_000, bytes);
      expect(values(messages)).toEqual(['a']);
      expect(next).toBe(1_001);
    }
    expect(() => readMessages(log, [], 1_001, enough)).toThrow('the record batch at 1001 does not match');
  });

  test('after at least one message, however long it is', () => {
    const log = gzipped([recordOf('x'.repeat(10_000)), recordOf('y', { delta: 1 })]);
    const range = readMessages(log, [], 0, 1);
    expect(range).toMatchObject({ next: 1, messages: [{ offset: 0 }] });
  });

  test('and keeps no more of a long batch in memory than its own messages', () => {
    const long = Array.from({ length: 50 }, (_, delta) => recordOf('z'.repeat(200_000), { delta }));
    const { messages } = readMessages(gzipped(long), [], 0, 500_000);
    expect(messages).toHaveLength(3);
    for (const message of messages) {
      expect('bytes' in message ? undefined : message.value!.buffer.byteLength).toBeLessThan(300_000);
    }
  });
});

test('a range has the leader epoch of its last message, and each message has its own', () => {
  const content = Buffer.concat([recordOf('a'), recordOf('b', { delta: 1 })]);
  const inEpoch = (leaderEpoch: number, firstOffset: number) =>
    batchOf({ codec: codecs.none, content, count: 2, firstOffset, leaderEpoch });
  const log = Buffer.concat([inEpoch(3, 0), inEpoch(5, 2)]);
  const whole = readMessages(log, [], 0, enough);
  expect(whole).toMatchObject({ next: 4, leaderEpoch: 5 });
  expect(whole.messages.map(({ leaderEpoch }) => leaderEpoch)).toEqual([3, 3, 5, 5]);
  expect(readMessages(log, [], 0, 1)).toMatchObject({ next: 1, leaderEpoch: 3 });
  expect(readMessages(Buffer.alloc(0), [], 7, enough)).toEqual({ messages: [], next: 7 });
});

test('a batch that the response has only a part of is left for the next fetch', () => {
  const whole = plain([recordOf('a')]);
  const log = Buffer.concat([whole, plain([recordOf('b')], 1).subarray(0, 65)]);
  expect(readMessages(log, [], 0, enough)).toMatchObject({ next: 1, messages: [{ offset: 0 }] });
});

test('offsets that compaction has removed have no message, and the range passes them', () => {
  const content = Buffer.concat([recordOf('a'), recordOf('d', { delta: 3 })]);
  const log = batchOf({ codec: codecs.none, content, count: 2, lastDelta: 9, firstOffset: 10 });
  const { messages, next } = readMessages(log, [], 10, enough);
  expect(messages).toMatchObject([{ offset: 10 }, { offset: 13 }]);
  expect(next).toBe(20);
  expect(readMessages(log, [], 14, enough)).toEqual({ messages: [], next: 20, leaderEpoch: 0 });
});

describe('from the first malformed record on, a batch is unreadable', () => {
  const good = recordOf('good');
  test.each<[what: string, second: Buffer]>([
    ['a record that is longer than the batch', Buffer.concat([varInt(1_000), Buffer.alloc(20)])],
    ['a record of negative length', varInt(-1)],
    ['nothing', Buffer.alloc(0)],
    ['a number that does not end', Buffer.alloc(20, 0xff)],
    ['a record with an offset outside of the batch', recordOf('far', { delta: 7 })],
    ['a key that is longer than the record', Buffer.concat([varInt(5), Buffer.from([0, 0, 2, 0x7e, 0])])],
    ['a value that is longer than the record', Buffer.concat([varInt(5), Buffer.from([0, 0, 2, 1, 0x7e])])],
  ])('%s', (_what, second) => {
    for (const make of [plain, gzipped]) {
      const batch = make([good, second], 40, 2);
      const { messages, next } = readMessages(Buffer.concat([batch, plain([good], 42)]), [], 40, enough);
      expect(values(messages)).toEqual(['good', 'KAFKA_BATCH_UNREADABLE', 'good']);
      expect(messages[1]).toMatchObject({ offset: 41, last: 41, bytes: batch });
      expect(next).toBe(43);
    }
  });
});

describe('headers', () => {
  const withHeaders = (...headers: Buffer[]) => {
    const inner = Buffer.concat([Buffer.from([0, 0, 0, 1, 2, 0x61]), ...headers]);
    return plain([Buffer.concat([varInt(inner.length), inner])]);
  };
  const read = (log: Buffer) => {
    const [message] = readMessages(log, [], 0, enough).messages;
    if (message === undefined || 'bytes' in message) throw new Error('no message');
    return [...message.headers].map(([name, value]) => [String(name), value === null ? null : String(value)]);
  };

  test('are read in order', () => {
    const header = (name: string, value: string | null) =>
      Buffer.concat([
        varInt(name.length),
        Buffer.from(name),
        varInt(value === null ? -1 : value.length),
        Buffer.from(value ?? ''),
      ]);
    const log = withHeaders(varInt(3), header('a', '1'), header('b', null), header('a', '2'));
    expect(read(log)).toEqual([
      ['a', '1'],
      ['b', null],
      ['a', '2'],
    ]);
  });

  test('end before the first malformed one, which does not make the message unreadable', () => {
    expect(read(withHeaders(varInt(2), Buffer.from([2, 0x61, 2, 0x62]), Buffer.from([0x7e])))).toEqual([
      ['a', 'b'],
    ]);
    expect(read(withHeaders())).toEqual([]);
  });
});
