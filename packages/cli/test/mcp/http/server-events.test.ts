import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { eventsOf, MessageTooLarge, onOneLine, readHeld } from '../../../src/mcp/http/server-events.ts';

function answerOf(chunks: Iterable<Buffer | string>, type = 'text/event-stream'): IncomingMessage {
  const bytes = [...chunks].map((chunk) => Buffer.from(chunk));
  return Object.assign(Readable.from(bytes, { objectMode: false }), {
    headers: { 'content-type': type },
  }) as never;
}
const read = async (...given: Parameters<typeof eventsOf>) => await Array.fromAsync(eventsOf(...given));

test('a stream is read however it is cut, with ids and times', async () => {
  const stream = Buffer.from(
    '\uFEFFid: 1\ndata:\n\n: comment\nretry: 50\r\n\r\nid: 2\nevent: message\ndata: {"a":\ndata: "ü"}\n\nevent: other\ndata: x\n\ndata: {"cut',
  );
  const expected = [
    { data: '', id: '1' },
    { data: '', retryMs: 50 },
    { data: '{"a":\n"ü"}', id: '2' },
    { data: '', id: undefined },
  ];
  expect(await read(answerOf([stream], 'Text/Event-Stream; charset=utf-8'))).toEqual(expected);
  expect(await read(answerOf([...stream].map((byte) => Buffer.of(byte))))).toEqual(expected);
});

test('an ordinary answer is one event', async () => {
  expect(await read(answerOf(['{"a":', '1}'], 'application/json'))).toEqual([{ data: '{"a":1}' }]);
  expect(await read(answerOf([], 'application/json'))).toEqual([]);
});

test('a message that is too large is not held', async () => {
  const long = 'x'.repeat(50);
  await expect(read(answerOf([`data: ${long}`, long]), 60)).rejects.toThrow(MessageTooLarge);
  await expect(read(answerOf([long, long], 'text/plain'), 60)).rejects.toThrow(MessageTooLarge);
  expect(await read(answerOf([`data: ${long}\n\n`, `data: ${long}\n\n`]), 60)).toHaveLength(2);
});

test('a reader that does not go on holds the server up', async () => {
  let read = 0;
  const answer = Object.assign(
    new Readable({
      highWaterMark: 1_000,
      read() {
        this.push(read++ < 10_000 ? `data: ${'x'.repeat(500)}\n\n` : null);
      },
    }),
    { headers: { 'content-type': 'text/event-stream' } },
  );
  const source = eventsOf(answer as never);
  await source.next();
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(read).toBeLessThan(20);
  await source.return(undefined);
});

test('a long message is read by its outline, unless its content is needed', () => {
  const long = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { text: 'x'.repeat(1_100_000) } });
  expect(readHeld(long, false)!.responses).toMatchObject([
    { id: 1, end: { details: { result_bytes: 1_100_011 } } },
  ]);
  expect(readHeld(long, true)!.responses[0]).toHaveProperty('result.text');
  expect(readHeld(`[${long}]`, false)!.responses).toHaveLength(1);
  expect(readHeld('<html>', false)).toBeUndefined();
});

test('a message is written on one line', () => {
  expect(onOneLine('{\r\n"a":\n"\\n"}')).toBe('{ "a": "\\n"}');
});
