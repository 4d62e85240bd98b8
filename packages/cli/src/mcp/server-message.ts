import type { StatedEnd } from '@tallystick/sdk/gate';
import { endOf } from './answer.ts';

/** A message of up to this size is parsed. Of a longer one, only the outline is read. */
export const maxParsed = 1024 * 1024;

/** Which request a message answers, and how its call ended. */
export interface ServerResponse {
  readonly id: unknown;
  readonly end: StatedEnd;
  /** The result, where the message was parsed. */
  readonly result?: unknown;
}

/** What the proxy must know about a message, or a batch, of the server. */
export interface ServerMessage {
  readonly responses: readonly ServerResponse[];
  /** Whether the server says that its tools have changed. */
  readonly toolsChanged: boolean;
}

/** Reads a message or a batch. @returns `undefined` if it is not JSON */
export function readServerMessage(bytes: Buffer | string): ServerMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const messages = [value].flat().map((message) => Object(message) as Message);
  return {
    responses: messages
      .filter(isResponse)
      .map((response) => ({ id: response.id, end: endOf(response), result: response.result })),
    toolsChanged: messages.some(({ method }) => method === 'notifications/tools/list_changed'),
  };
}

interface Message {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

function isResponse(message: Message): boolean {
  return 'id' in message && !('method' in message) && ('result' in message || 'error' in message);
}
