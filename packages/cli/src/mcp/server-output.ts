import type { ClientWriter } from './client-writer.ts';
import { MessageOutline } from './message-outline.ts';
import { maxParsed, readServerMessage, type ServerResponse } from './server-message.ts';

const newline = 0x0a;

export interface ServerOutputParts {
  readonly writer: ClientWriter;
  readonly onResponse: (response: ServerResponse) => void;
  /** The server says that its tools have changed. */
  readonly onToolsChanged: () => void;
  /** A line is not passed on. */
  readonly onDropped: (reason: string) => void;
}

/**
 * Passes on what a server writes, byte for byte, and reads which requests it answers. A message of up to {@link maxParsed} bytes is read
 * before it is passed on, a longer one while it is passed on, so the memory is bounded.
 */
export async function passOn(
  chunks: AsyncIterable<Uint8Array>,
  { writer, onResponse, onToolsChanged, onDropped }: ServerOutputParts,
): Promise<void> {
  const source = chunks[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  /** The next bytes, up to and including a line feed if there is one; `undefined` at the end. */
  const next = async (): Promise<Buffer | undefined> => {
    if (rest.length === 0) {
      const { done, value } = await source.next();
      if (done === true) return undefined;
      rest = Buffer.from(value);
    }
    const end = rest.indexOf(newline);
    const part = rest.subarray(0, end < 0 ? undefined : end + 1);
    rest = rest.subarray(part.length);
    return part;
  };
  let held: Buffer[] = [];
  let length = 0;
  for (;;) {
    const part = await next();
    if (part === undefined) return;
    held.push(part);
    length += part.length;
    const isComplete = part.at(-1) === newline;
    if (!isComplete && length <= maxParsed) continue;
    const bytes = Buffer.concat(held);
    held = [];
    length = 0;
    if (isComplete) {
      const message = readServerMessage(bytes);
      if (message === undefined) {
        if (bytes.toString().trim() !== '') onDropped('the line is not JSON');
        continue;
      }
      // The record of the end must not wait for a slow client.
      for (const response of message.responses) onResponse(response);
      if (message.toolsChanged) onToolsChanged();
      await writer.exclusively((write) => write(bytes));
      continue;
    }
    const outline = new MessageOutline();
    await writer.exclusively(async (write) => {
      for (let chunk: Buffer | undefined = bytes; chunk !== undefined; chunk = await next()) {
        outline.push(chunk);
        await write(chunk);
        if (chunk.at(-1) === newline) break;
      }
    });
    const response = outline.response();
    if (response !== undefined) onResponse(response);
  }
}
