import { PassThrough, Writable } from 'node:stream';
import { until } from '@tallystick/testing';
import { runCli } from '../../src/program.ts';

interface Message {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: { readonly [name: string]: unknown };
  readonly result?: { readonly [name: string]: unknown };
  readonly error?: { readonly code: number; readonly message: string };
}

/** A client that talks to `tally mcp` in this process, line by line. */
export interface RawClient {
  /** Sends a line as it is. */
  line(text: string): void;
  /** Sends a request, and resolves with its answer. */
  request(id: unknown, method: string, params?: object): Promise<Message>;
  call(id: unknown, name: string, args?: object, more?: object): Promise<Message>;
  /** The first message that fits. */
  message(fits: (message: Message) => boolean): Promise<Message>;
  readonly lines: readonly string[];
  readonly stderr: () => string;
  /** Closes the connection. Resolves with the exit code. */
  end(): Promise<number>;
  readonly ended: Promise<number>;
}

export function connect(
  args: readonly string[],
  options: {
    readonly env: { readonly [name: string]: string };
    readonly cwd: string;
    readonly stopped?: AbortSignal;
  },
): RawClient {
  const stdin = new PassThrough();
  const lines: string[] = [];
  const messages: Message[] = [];
  let rest: Buffer[] = [];
  const stdout = new Writable({
    write(chunk: Buffer, _encoding, done) {
      let start = 0;
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
        const line = Buffer.concat([...rest, chunk.subarray(start, end)]).toString();
        rest = [];
        lines.push(line);
        messages.push(parsed(line));
        start = end + 1;
      }
      rest.push(chunk.subarray(start));
      done();
    },
  });
  let stderr = '';
  const errors = new Writable({
    write(chunk, _encoding, done) {
      stderr += chunk;
      done();
    },
  });
  let over = false;
  const ended = runCli(args, {
    stdin,
    stdout,
    stderr: errors,
    env: options.env,
    cwd: options.cwd,
    now: Date.now,
    stopped: options.stopped ?? new AbortController().signal,
  }).finally(() => {
    over = true;
  });
  const message: RawClient['message'] = async (fits) => {
    await until(() => over || messages.some(fits), { timeoutMs: 60_000, intervalMs: 5, what: 'a message' });
    const found = messages.find(fits);
    if (found === undefined) throw new Error(`tally mcp ended: ${stderr}`);
    return found;
  };
  const request: RawClient['request'] = async (id, method, params) => {
    stdin.write(
      `${JSON.stringify({ jsonrpc: '2.0', id, method, ...(params !== undefined && { params }) })}\n`,
    );
    return await message((answer) => answer.id === id && answer.method === undefined);
  };
  return {
    line: (text) => void stdin.write(`${text}\n`),
    request,
    call: (id, name, args, more = {}) =>
      request(id, 'tools/call', { name, ...(args && { arguments: args }), ...more }),
    message,
    lines,
    stderr: () => stderr,
    end: async () => {
      stdin.end();
      return await ended;
    },
    ended,
  };
}

/** A line that is not JSON is no message of anybody. */
function parsed(line: string): Message {
  try {
    return JSON.parse(line) as Message;
  } catch {
    return {};
  }
}
