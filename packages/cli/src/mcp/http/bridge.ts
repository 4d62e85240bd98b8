import { setTimeout as pause } from 'node:timers/promises';
import { exitCodes } from '../../errors.ts';
import type { ProcessContext } from '../../process-context.ts';
import { errorResponse } from '../answer.ts';
import {
  type ClientMessage,
  type RequestId,
  readClientMessage,
  rpcErrors,
  type ToolCall,
} from '../client-message.ts';
import { ClientWriter } from '../client-writer.ts';
import { linesOf } from '../lines.ts';
import { keyOf } from '../open-requests.ts';
import { type ToolCallOptions, ToolCalls } from '../tool-calls.ts';
import type { OutgoingMessage } from './revision.ts';
import { ServerConnection } from './server-connection.ts';
import type { Upstream } from './upstream.ts';

export interface BridgeOptions extends ToolCallOptions {
  readonly upstream: Upstream;
  readonly processContext: ProcessContext;
  /** Writes to the client. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
}

/** A message of the client is held in memory until it is decided. */
const maxClientMessage = 64 * 1024 * 1024;
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
    write: (line) => writer.exclusively((write) => write(Buffer.from(`${line}\n`))),
    send: (message) => writer.send(message),
    onEnded: ({ id, ...answer }) => calls.answered(keyOf(id), answer),
    onToolsChanged: () => calls.toolsChanged(),
    onDropped: (reason) => {
      options.onRefused('server', reason);
      warn(`a message of the server was dropped: ${reason}`);
    },
    onSessionEnded: () => {
      warn('the server has ended the session');
      exitCode = exitCodes.io;
      over.resolve();
    },
  });

  const refuse = (id: RequestId | null, code: number, reason: string) => {
    options.onRefused('client', reason);
    warn(`a message of the client was refused: ${reason}`);
    writer.send(errorResponse(id, code, reason));
  };
  const run = (call: ToolCall) =>
    calls.run(keyOf(call.id), call, {
      sessionDigest: connection.sessionDigest,
      forward: async (text) => connection.request(text, parsed(text)),
      send: (message) => writer.send(message),
    });
  const take = async (bytes: Buffer, message: ClientMessage): Promise<void> => {
    if (message.kind === 'call') void run(message.call);
    else if (message.kind === 'batch') {
      // Streamable HTTP has no batches since revision 2025-06-18. Responses to a batch need not be batched.
      for (const text of message.texts) await take(Buffer.from(text), readClientMessage(Buffer.from(text)));
    } else if (message.kind === 'refused') refuse(message.id, message.code, message.message);
    else if (message.kind === 'request') {
      const refusal = calls.otherRequest(keyOf(message.id), message.method);
      if (refusal === undefined) connection.request(bytes, parsed(bytes));
      else refuse(message.id, rpcErrors.invalidRequest, refusal);
    } else if (message.kind === 'other') await connection.notify(bytes, parsed(bytes));
    else if (calls.cancel(keyOf(message.id))) await connection.cancel(message.id, bytes);
  };
  const fromClient = (async () => {
    try {
      for await (const line of linesOf(processContext.stdin, maxClientMessage)) {
        if (line !== undefined) await take(line, readClientMessage(line));
        else refuse(null, rpcErrors.invalidRequest, `a message must have at most ${maxClientMessage} bytes`);
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
  // If the session has ended, the client is still there, and gets answers.
  if (exitCode === exitCodes.ok) calls.giveUpHeld();
  else calls.serverEnded();
  const grace = new AbortController();
  await Promise.race([calls.settled(), pause(graceMs, undefined, { signal: grace.signal }).catch(() => {})]);
  grace.abort();
  await connection.close();
  await calls.settled();
  await writer.written();
  // Node keeps the process while stdin is open, and the client keeps it open.
  processContext.stdin.destroy();
  await fromClient;
  return exitCode;
}

function parsed(json: string | Buffer): OutgoingMessage {
  return JSON.parse(json.toString()) as OutgoingMessage;
}
