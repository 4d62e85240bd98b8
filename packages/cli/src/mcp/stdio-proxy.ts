import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { CliError } from '../errors.ts';
import type { ProcessContext } from '../process-context.ts';
import { errorResponse } from './answer.ts';
import type { CallPort } from './call-port.ts';
import { type ClientMessage, type RequestId, readClientMessage, rpcErrors } from './client-message.ts';
import { ClientWriter } from './client-writer.ts';
import { linesOf } from './lines.ts';
import { keyOf } from './open-requests.ts';
import { passOn } from './server-output.ts';
import { type ToolCallOptions, ToolCalls } from './tool-calls.ts';

export interface StdioProxyOptions extends ToolCallOptions {
  readonly command: readonly [string, ...string[]];
  readonly processContext: ProcessContext;
  /** Writes to the client. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** Takes what the server writes to its stderr. */
  readonly log: (bytes: Uint8Array) => void;
}

/** A message of the client is held in memory until it is decided. */
const maxClientMessage = 64 * 1024 * 1024;
/** How long a server may take to end by itself before it is told to, and again before it is killed, ms. */
const graceMs = 5_000;

/**
 * Starts an MCP server and passes messages between it and the client on this process's stdin and stdout. Tool calls are gated.
 *
 * @returns the server's exit code; 128 and the number of the signal that ended it
 * @throws {CliError} `USAGE` if the server can't be started
 */
export async function runStdioProxy(options: StdioProxyOptions): Promise<number> {
  const { processContext, warn } = options;
  const [program, ...args] = options.command;
  // The key of the service is the gate's. With it, the server could write records.
  const { TALLYSTICK_API_KEY: _key, TALLYSTICK_TOKEN: _token, ...env } = processContext.env;
  const child = spawn(program, args, { cwd: processContext.cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
  const [input, output, logs] = child.stdio;
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  // A server that has ended does not read any more; its end is handled below.
  input.on('error', () => {});
  logs.on('data', options.log);
  try {
    await once(child, 'spawn');
  } catch (cause) {
    exited.catch(() => {});
    const { code } = cause as NodeJS.ErrnoException;
    throw new CliError('USAGE', `can't start ${program}: ${code}`, { cause });
  }

  const writer = new ClientWriter(options.write);
  const calls = new ToolCalls(options);
  const forward = async (line: string | Uint8Array) => {
    if (!input.writable) throw new Error('the server has ended');
    input.write(line);
    if (!input.write('\n')) await Promise.race([once(input, 'drain'), exited]);
  };
  const port: CallPort = { forward: (request) => forward(request), send: (message) => writer.send(message) };

  const take = async (bytes: Uint8Array, message: ClientMessage): Promise<void> => {
    const refuse = (id: RequestId | null, code: number, reason: string) => {
      options.onRefused('client', reason);
      warn(`a message of the client was refused: ${reason}`);
      writer.send(errorResponse(id, code, reason));
    };
    if (message.kind === 'call') void calls.run(keyOf(message.call.id), message.call, port);
    else if (message.kind === 'batch' && message.mustSplit) {
      // The calls are decided one by one, so the messages travel one by one. Responses to a batch need not be batched.
      for (const text of message.texts) await take(Buffer.from(text), readClientMessage(Buffer.from(text)));
    } else if (message.kind === 'refused') refuse(message.id, message.code, message.message);
    else if (message.kind === 'request') {
      const refusal = calls.otherRequest(keyOf(message.id), message.method);
      if (refusal === undefined) await forward(bytes).catch(() => {});
      else refuse(message.id, rpcErrors.invalidRequest, refusal);
    } else if (message.kind !== 'cancellation' || calls.cancel(keyOf(message.id)))
      await forward(bytes).catch(() => {});
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
      // The connection to the client broke, or this process closed it because the server has ended.
    }
    calls.giveUpHeld();
    input.end();
  })();
  const fromServer = passOn(output, {
    writer,
    onDropped: (reason) => {
      options.onRefused('server', reason);
      warn(`a line of the server was dropped: ${reason}`);
    },
    onResponse: ({ id, ...answer }) => calls.answered(keyOf(id), answer),
    onToolsChanged: () => calls.toolsChanged(),
  }).catch(() => {});

  const timers: NodeJS.Timeout[] = [];
  const endSoon = (signals: readonly NodeJS.Signals[]) => {
    for (const [index, signal] of signals.entries())
      timers.push(setTimeout(() => child.kill(signal), graceMs * (index + 1)).unref());
  };
  void fromClient.then(() => endSoon(['SIGTERM', 'SIGKILL']));
  const stop = () => {
    child.kill(processContext.stopped.reason as NodeJS.Signals);
    endSoon(['SIGKILL']);
  };
  if (processContext.stopped.aborted) stop();
  else processContext.stopped.addEventListener('abort', stop, { once: true });

  const [code, signal] = await exited;
  for (const timer of timers) clearTimeout(timer);
  processContext.stopped.removeEventListener('abort', stop);
  await fromServer;
  calls.serverEnded();
  await calls.settled();
  await writer.written();
  // Node keeps the process while stdin is open, and the client keeps it open.
  processContext.stdin.destroy();
  await fromClient;
  return signal === null ? code! : 128 + constants.signals[signal];
}
