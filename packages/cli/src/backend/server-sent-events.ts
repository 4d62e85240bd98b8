/** One message of an event stream. */
export interface StreamMessage {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: string;
}

/** Far above any record; a stream that never ends a line is not ours. */
const maxLineLength = 4 << 20;

/** Reads a stream of server-sent events (WHATWG HTML, section 9.2). */
export async function* readServerSentEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<StreamMessage> {
  const decoder = new TextDecoder();
  let rest = '';
  let data: string[] = [];
  let event = '';
  let id: string | undefined;
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    // A final "\r" may be half of a line end.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop()!;
    if (rest.length > maxLineLength) throw new RangeError('a line of the stream is too long');
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) yield { id, event: event === '' ? 'message' : event, data: data.join('\n') };
        data = [];
        event = '';
        continue;
      }
      const [, field, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line)!;
      if (field === 'data') data.push(value ?? '');
      else if (field === 'event') event = value ?? '';
      else if (field === 'id' && value?.includes('\0') !== true) id = value;
    }
  }
}
