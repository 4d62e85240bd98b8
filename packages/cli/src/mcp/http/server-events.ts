import type { IncomingMessage } from 'node:http';
import { createParser } from 'eventsource-parser';
import { MessageOutline } from '../message-outline.ts';
import { maxParsed, readServerMessage, type ServerMessage } from '../server-message.ts';
import { ServerUnreachable } from '../server-unreachable.ts';

/** A message of the server is held until it is complete, in characters: messages of several streams go to one client. */
const defaultMaxMessage = 64 * 1024 * 1024;

/** What a server sends in a stream of events. An ordinary HTTP answer is read as one event. */
export interface ServerEvent {
  /** A message, or empty. */
  readonly data: string;
  /** With it as `Last-Event-ID`, a client continues the stream after this event. */
  readonly id?: string | undefined;
  /** How long a client must wait before it continues the stream, ms. */
  readonly retryMs?: number | undefined;
}

/**
 * Reads an HTTP answer. A reader that does not ask for the next event holds the server up.
 *
 * @throws {MessageTooLarge}
 * @throws {ServerUnreachable} if the connection breaks
 */
export async function* eventsOf(
  answer: IncomingMessage,
  maxMessage = defaultMaxMessage,
): AsyncGenerator<ServerEvent> {
  const events: ServerEvent[] = [];
  let body = '';
  let isTooLarge = false;
  const parser = createParser({
    maxBufferSize: maxMessage,
    onError: ({ type }) => {
      isTooLarge ||= type === 'max-buffer-size-exceeded';
    },
    onRetry: (retryMs) => events.push({ data: '', retryMs }),
    onId: (id) => events.push({ data: '', id }),
    onEvent: ({ id, event = 'message', data }) => {
      // The parser has just called `onId` with the id of this event.
      if (id !== undefined) events.pop();
      events.push({ data: event === 'message' ? data : '', id });
    },
  });
  const inEvents = isEventStream(answer);
  answer.setEncoding('utf8');
  try {
    for await (const chunk of answer as AsyncIterable<string>) {
      if (inEvents) parser.feed(chunk);
      else body += chunk;
      if (isTooLarge || body.length > maxMessage)
        throw new MessageTooLarge(`the server sent a message of more than ${maxMessage} characters`);
      yield* events.splice(0);
    }
  } catch (cause) {
    if (cause instanceof ServerUnreachable) throw cause;
    throw new ServerUnreachable('the connection to the server broke', { cause });
  }
  if (body !== '') yield { data: body };
}

export class MessageTooLarge extends ServerUnreachable {}

export function isEventStream({ headers }: IncomingMessage): boolean {
  return /^text\/event-stream\s*(?:;|$)/i.test(headers['content-type'] ?? '');
}

/**
 * Reads a message that is held as a whole.
 *
 * @param parse whether it is parsed, however long it is
 * @returns `undefined` if it is not JSON
 */
export function readHeld(data: string, parse: boolean): ServerMessage | undefined {
  if (parse || data.length <= maxParsed || !data.startsWith('{')) return readServerMessage(data);
  const outline = new MessageOutline();
  outline.push(Buffer.from(data));
  const response = outline.response();
  return { responses: response === undefined ? [] : [response], toolsChanged: false };
}

/** In JSON, line feeds and carriage returns outside of escapes are white space. */
export function onOneLine(json: string): string {
  return json.replaceAll(/[\r\n]+/g, ' ');
}

/** The error of a JSON-RPC error response. */
export function errorOf(data: string): unknown {
  try {
    const { error } = Object(JSON.parse(data)) as { readonly error?: unknown };
    const { code, message } = Object(error) as { readonly code?: unknown; readonly message?: unknown };
    return Number.isSafeInteger(code) && typeof message === 'string' ? error : undefined;
  } catch {
    return undefined;
  }
}
