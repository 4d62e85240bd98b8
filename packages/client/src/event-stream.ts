import { createParser, type EventSourceMessage } from 'eventsource-parser';

/** Characters of one message. Far above any record: a longer message does not come from an audit service. */
const maxMessageLength = 4 << 20;

/** What a reader of a stream keeps for the next connection. */
export interface StreamState {
  /** Id of the last message, for the header `Last-Event-ID`. */
  lastEventId: string | undefined;
  /** Pause before the next connection, ms; the service may change it. */
  reconnectMs: number;
}

/**
 * Reads the messages of a stream of server-sent events (WHATWG HTML, section 9.2).
 *
 * @param state is brought up to date when a message is yielded, so that it never names one that the caller has not seen
 * @throws {RangeError} for a message that is too long
 */
export async function* readMessages(
  body: AsyncIterable<Uint8Array>,
  state: StreamState,
): AsyncGenerator<EventSourceMessage> {
  const decoder = new TextDecoder();
  /** Ids and messages in the order of the stream; a message comes after its id. */
  const parsed: (EventSourceMessage | { readonly id: string })[] = [];
  let failure: Error | undefined;
  const parser = createParser({
    maxBufferSize: maxMessageLength,
    onEvent: (message) => parsed.push(message),
    onId: (id) => parsed.push({ id }),
    onRetry: (ms) => {
      state.reconnectMs = ms;
    },
    onError: (error) => {
      if (error.type === 'max-buffer-size-exceeded') failure = new RangeError('a message is too long');
    },
  });
  for await (const chunk of body) {
    parser.feed(decoder.decode(chunk, { stream: true }));
    for (const each of parsed.splice(0)) {
      if ('data' in each) yield each;
      else state.lastEventId = each.id;
    }
    if (failure !== undefined) throw failure;
  }
}
