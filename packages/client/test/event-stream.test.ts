import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readMessages, type StreamState } from '../src/event-stream.ts';

async function read(text: string, size = text.length) {
  const bytes = Buffer.from(text);
  const chunks = async function* () {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  };
  const state: StreamState = { lastEventId: undefined, reconnectMs: 1_000 };
  const messages = [];
  for await (const message of readMessages(chunks(), state))
    messages.push({ ...message, last: state.lastEventId });
  return { messages, state };
}

const stream =
  ': stream\n\nid: 1-7\nevent: audit\ndata: {"a":"é"}\n\n: here\n\ndata:first\r\ndata: second\r\n\r\nevent: empty\n\nid: 1-8\ndata: x\n\nretry: 250\nid: 1-9\n\ndata: cut off';
const expected = {
  messages: [
    { id: '1-7', event: 'audit', data: '{"a":"é"}', last: '1-7' },
    { id: undefined, event: undefined, data: 'first\nsecond', last: '1-7' },
    { id: '1-8', event: undefined, data: 'x', last: '1-8' },
  ],
  state: { lastEventId: '1-9', reconnectMs: 250 },
};

test('messages are read; comments, and a message that is cut off, are not', async () => {
  expect(await read(stream)).toEqual(expected);
});

test('wherever the chunks end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 20 }), async (size) => {
      expect(await read(stream, size)).toEqual(expected);
    }),
  );
});

test('a line without an end does not fill the memory', async () => {
  await expect(read(`data: ${'x'.repeat(5 << 20)}`, 1 << 16)).rejects.toThrow('too long');
});
