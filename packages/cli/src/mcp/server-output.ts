import type { StatedEnd } from '@tallystick/sdk/gate';
import { endOf } from './answer.ts';
import type { ClientWriter } from './client-writer.ts';
import { MessageOutline } from './message-outline.ts';

const newline = 0x0a;
/** A message of up to this size is read before it is passed on. A longer one is passed on while it is read. */
const maxHeld = 1024 * 1024;

export interface ServerOutputParts {
  readonly writer: ClientWriter;
  readonly onResponse: (id: unknown, end: StatedEnd) => void;
  /** A line is not passed on. */
  readonly onDropped: (reason: string) => void;
}

/** Passes on what a server writes, byte for byte, and reads which requests it answers. Its memory is bounded. */
export async function passOn(
  chunks: AsyncIterable<Uint8Array>,
  { writer, onResponse, onDropped }: ServerOutputParts,
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
    if (!isComplete && length <= maxHeld) continue;
    const bytes = Buffer.concat(held);
    held = [];
    length = 0;
    if (isComplete) {
      const responses = responsesIn(bytes);
      if (responses === undefined) {
        if (bytes.toString().trim() !== '') onDropped('the line is not JSON');
        continue;
      }
      // The record of the end must not wait for a slow client.
      for (const response of responses) onResponse(response.id, endOf(response));
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
    if (response !== undefined) onResponse(response.id, response.end);
  }
}

/** The responses in a message or a batch; `undefined` if it is not JSON. */
function responsesIn(
  bytes: Buffer,
): readonly { readonly id: unknown; readonly result?: unknown }[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  return ([value].flat() as readonly object[]).filter(isResponse);
}

function isResponse(message: object | null): message is { readonly id: unknown; readonly result?: unknown } {
  if (typeof message !== 'object' || message === null || !('id' in message)) return false;
  return !('method' in message) && ('result' in message || 'error' in message);
}
