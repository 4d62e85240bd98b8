import { setTimeout as pause } from 'node:timers/promises';
import { exitCodes } from '../../errors.ts';
import type { ProcessContext } from '../../process-context.ts';
import { errorResponse } from '../answer.ts';
import { type ClientMessage, readClientMessage, rpcErrors, type ToolCall } from '../client-message.ts';
import { ClientWriter } from '../client-writer.ts';
import { linesOf } from '../lines.ts';
import { type ToolCallOptions, ToolCalls } from '../tool-calls.ts';
import { maxClientMessage } from './request-body.ts';
import { ServerConnection } from './server-connection.ts';
import type { Upstream } from './upstream.ts';

export interface BridgeOptions extends ToolCallOptions {
  readonly upstream: Upstream;
  readonly processContext: ProcessContext;
  /** Writes to the client. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
}

/** How long calls that the server has may take to end when the client has gone, ms. */
const graceMs = 5_000;

/**
 * Passes messages between a client on this process's stdin and stdout and an HTTP server. Tool calls are gated.
 *
 * @returns 0 when the client has gone; 4 when the server has ended the session
 */
export async function runBridge(options: BridgeOptions): Promise<number> {
  const { processContext, warn } = options;
  const writer = new ClientWriter(options.write);
  const calls = new ToolCalls(options);
  let exitCode: number = exitCodes.ok;
  const over = Promise.withResolvers<void>();
  const connection = new ServerConnection({
    upstream: options.upstream,
    warn,
    onMessage: (line) => void writer.exclusively((write) => write(Buffer.concat([line, lineFeed]))),
    send: (message) => writer.send(message),
    onResponse: (id, end) => calls.answered(keyOf(id), end),
    onUnanswered: (id, end) => calls.unanswered(keyOf(id), end),
    onSessionEnded: () => {
      warn('the server has ended the session');
      exitCode = exitCodes.io;
      over.resolve();
    },
  });

  const run = (call: ToolCall) =>
    calls.run(keyOf(call.id), call, {
      sessionId: connection.sessionDigest,
      forward: async (text) => await connection.request(text, JSON.parse(text)),
      send: (message) => writer.send(message),
    });
  const take = async (bytes: Uint8Array, message: ClientMessage): Promise<void> => {
    if (message.kind === 'call') void run(message.call);
    else if (message.kind === 'batch') {
      // Streamable HTTP has no batches since revision 2025-06-18. Responses to a batch need not be batched.
      for (const text of message.texts) await take(Buffer.from(text), readClientMessage(Buffer.from(text)));
    } else if (message.kind === 'refused') {
      warn(`a message of the client was refused: ${message.message}`);
      writer.send(errorResponse(message.id, message.code, message.message));
    } else if (message.kind === 'cancellation') {
      if (calls.cancel(keyOf(message.id))) await connection.cancel(message.id, bytes);
    } else await connection.pass(bytes, JSON.parse(Buffer.from(bytes).toString()));
  };
  const fromClient = (async () => {
    try {
      for await (const line of linesOf(processContext.stdin, maxClientMessage)) {
        if (line !== undefined) await take(line, readClientMessage(line));
        else {
          const message = `a message must have at most ${maxClientMessage} bytes`;
          await take(Buffer.alloc(0), { kind: 'refused', id: null, code: rpcErrors.invalidRequest, message });
        }
      }
    } catch {
      // The connection to the client broke, or this process closed it.
    }
    over.resolve();
  })();
  const stop = () => over.resolve();
  if (processContext.stopped.aborted) stop();
  else processContext.stopped.addEventListener('abort', stop, { once: true });

  await over.promise;
  processContext.stopped.removeEventListener('abort', stop);
  calls.giveUpHeld();
  const grace = new AbortController();
  await Promise.race([calls.settled(), pause(graceMs, undefined, { signal: grace.signal }).catch(() => {})]);
  grace.abort();
  await connection.close();
  calls.serverEnded();
  await calls.settled();
  await writer.written();
  // Node keeps the process while stdin is open, and the client keeps it open.
  processContext.stdin.destroy();
  await fromClient;
  return exitCode;
}

const lineFeed = Buffer.from('\n');

/** `1` and `"1"` are two ids. */
function keyOf(id: unknown): string {
  return JSON.stringify(id) ?? '';
}
