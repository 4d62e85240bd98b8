import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterEach, expect, test, vi } from 'vitest';
import { partOf } from '../../../src/mcp/http/batch-reply.ts';
import { Reply } from '../../../src/mcp/http/reply.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** A response whose client takes nothing by itself. */
class SlowResponse extends EventEmitter {
  readonly written: string[] = [];
  readonly heads: [status: number, headers: object | undefined][] = [];
  headersSent = false;
  writableEnded = false;
  writableFinished = false;
  destroyed = false;
  writeHead(status: number, headers?: object): this {
    this.heads.push([status, headers]);
    this.headersSent = true;
    return this;
  }
  flushHeaders(): void {}
  write(text: string): boolean {
    this.written.push(text);
    return false;
  }
  end(text?: string): void {
    if (text !== undefined) this.written.push(text);
    this.writableEnded = true;
  }
  leave(): void {
    this.destroyed = true;
    this.emit('close');
  }
}
function open(accept = 'application/json, text/event-stream') {
  const response = new SlowResponse();
  return { response, reply: new Reply(response as unknown as ServerResponse, accept) };
}
/** Whether a promise has resolved, when everything that can go on has gone on. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  void promise.then(() => {
    done = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return done;
}

test('an event waits until the client takes it, or has gone', async () => {
  const { response, reply } = open();
  reply.begin();
  const first = reply.event({ data: '{}', id: 'e1', retryMs: 5 });
  expect(await isDone(first)).toBe(false);
  response.emit('drain');
  expect(await isDone(first)).toBe(true);
  const second = reply.event({ data: '' });
  expect(reply.gone.aborted).toBe(false);
  response.leave();
  expect(await isDone(second)).toBe(true);
  expect(reply.gone.aborted).toBe(true);
  expect(response.written).toEqual(['retry: 5\nid: e1\ndata: {}\n\n', '\n']);
  await reply.event({ data: '{}' });
  reply.answer('{}');
  expect(response.written).toHaveLength(2);
});

test('an answer is JSON with a status, or an event of the stream that has begun', () => {
  const plain = open();
  plain.reply.answer('{"ü":1}', 502, { 'x-a': 'b' });
  expect(plain.response.heads).toEqual([
    [502, { 'x-a': 'b', 'content-type': 'application/json', 'content-length': '8' }],
  ]);
  const begun = open();
  begun.reply.wait();
  begun.reply.answer('{}', 502);
  expect(begun.response.heads).toMatchObject([[200, { 'content-type': 'text/event-stream' }]]);
  expect(begun.response.written).toEqual([': the call waits for an approval\n\n', 'data: {}\n\n']);
});

test('a stream that waits is not silent until its next event', async () => {
  vi.useFakeTimers();
  const { response, reply } = open();
  reply.wait();
  vi.advanceTimersByTime(45_000);
  expect(response.written).toHaveLength(4);
  void reply.event({ data: '{}' });
  vi.advanceTimersByTime(45_000);
  expect(response.written).toHaveLength(5);
});

test('a client that takes no events gets none', () => {
  const { response, reply } = open('application/json');
  reply.wait();
  reply.notify({ method: 'notifications/progress' });
  expect(response.headersSent).toBe(false);
});

test('the parts of a batch go into one stream without ids, and do not end it', async () => {
  const { response, reply } = open();
  reply.begin();
  const [one, two] = [partOf(reply), partOf(reply)];
  void one.event({ data: '', id: 'e1' });
  void one.event({ data: '{"id":1}', id: 'e2' });
  two.answer('{"id":2}', 502);
  two.finish();
  expect(response.written).toEqual(['data: {"id":1}\n\n', 'data: {"id":2}\n\n']);
  expect(response.writableEnded).toBe(false);
});
