import type { IncomingMessage } from 'node:http';
import { ServerUnreachable } from '../server-unreachable.ts';
import { isEventStream } from './answer-reader.ts';
import { EventStream } from './event-stream.ts';

/** A message of the server is held until it is complete: messages of several streams are written to one client. */
const maxMessage = 128 * 1024 * 1024;

/** Where a stream of events has ended. */
export interface StreamPosition {
  lastEventId?: string | undefined;
  retryMs?: number | undefined;
}

/**
 * Reads the messages of an HTTP answer, each as one line.
 *
 * @param position is kept up to date, also if the stream breaks
 * @throws {ServerUnreachable} if a message is too large; the error of the connection if it breaks
 */
export async function readMessages(
  answer: IncomingMessage,
  position: StreamPosition,
  onMessage: (line: Buffer) => void,
): Promise<void> {
  let parts: Buffer[] = [];
  let length = 0;
  const hold = (part: Buffer) => {
    length += part.length;
    if (length > maxMessage) throw new ServerUnreachable(`the server sent more than ${maxMessage} bytes`);
    parts.push(part);
  };
  const endMessage = () => {
    const message = Buffer.concat(parts);
    parts = [];
    length = 0;
    if (message.length > 0) onMessage(onOneLine(message));
  };
  const events = new EventStream({
    data: hold,
    end: ({ type, lastEventId, retryMs }) => {
      position.lastEventId = lastEventId ?? position.lastEventId;
      position.retryMs = retryMs ?? position.retryMs;
      if (type === 'message') return endMessage();
      parts = [];
      length = 0;
    },
  });
  const inEvents = isEventStream(answer);
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    if (inEvents) events.push(chunk);
    else hold(chunk);
  }
  if (!inEvents) endMessage();
}

/** In JSON, line feeds and carriage returns outside of escapes are white space. */
function onOneLine(message: Buffer): Buffer {
  if (!message.includes(0x0a) && !message.includes(0x0d)) return message;
  return Buffer.from(message.map((byte) => (byte === 0x0a || byte === 0x0d ? 0x20 : byte)));
}
