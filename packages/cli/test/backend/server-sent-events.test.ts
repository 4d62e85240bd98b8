import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readServerSentEvents } from '../../src/backend/server-sent-events.ts';

async function read(text: string, size = text.length) {
  const bytes = Buffer.from(text);
  const chunks = async function* () {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  };
  const messages = [];
  for await (const message of readServerSentEvents(chunks())) messages.push(message);
  return messages;
}

const stream =
  ': stream\n\nid: 1-7\nevent: audit\ndata: {"a":"é"}\n\n: here\n\ndata:first\r\ndata: second\r\n\r\nevent: empty\n\nid: 1-8\ndata: x\n\ndata: cut off';
const messages = [
  { id: '1-7', event: 'audit', data: '{"a":"é"}' },
  { id: '1-7', event: 'message', data: 'first\nsecond' },
  { id: '1-8', event: 'message', data: 'x' },
];

test('messages are read, comments and what was cut off are not', async () => {
  expect(await read(stream)).toEqual(messages);
});

test('wherever the chunks end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 20 }), async (size) => {
      expect(await read(stream, size)).toEqual(messages);
    }),
  );
});

test('a line without an end does not fill the memory', async () => {
  await expect(read(`data: ${'x'.repeat(5 << 20)}`, 1 << 16)).rejects.toThrow('too long');
});
