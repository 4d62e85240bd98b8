import type { StatedEnd } from '@tallystick/sdk/gate';
import { endOf } from './answer.ts';
import { MessageOutline } from './message-outline.ts';

/** A message of up to this size is parsed. Of a longer one, only the outline is read. */
export const maxParsed = 1024 * 1024;

/** Which request a message answers, and how its call ended. */
export interface Answered {
  readonly id: unknown;
  readonly end: StatedEnd;
  /** The result, where the message was parsed. */
  readonly result?: unknown;
}

/** The responses in a message or a batch; `undefined` if it is not JSON. */
export function responsesIn(bytes: Buffer): readonly Answered[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  return ([value].flat() as readonly (object | null)[])
    .filter(isResponse)
    .map((response) => ({ id: response.id, end: endOf(response), result: response.result }));
}

function isResponse(message: object | null): message is { readonly id: unknown; readonly result?: unknown } {
  if (typeof message !== 'object' || message === null || !('id' in message)) return false;
  return !('method' in message) && ('result' in message || 'error' in message);
}

/** Reads which requests a message answers while its bytes pass. Its memory is bounded. */
export class ResponseReader {
  #held: Buffer[] = [];
  #length = 0;
  #outline: MessageOutline | undefined;

  push(chunk: Buffer): void {
    this.#length += chunk.length;
    if (this.#outline !== undefined) return this.#outline.push(chunk);
    this.#held.push(chunk);
    if (this.#length <= maxParsed) return;
    this.#outline = new MessageOutline();
    for (const part of this.#held) this.#outline.push(part);
    this.#held = [];
  }

  /** The message is complete. @returns its responses; none if it is not JSON */
  responses(): readonly Answered[] {
    if (this.#outline === undefined) return responsesIn(Buffer.concat(this.#held)) ?? [];
    const response = this.#outline.response();
    return response === undefined ? [] : [response];
  }
}
