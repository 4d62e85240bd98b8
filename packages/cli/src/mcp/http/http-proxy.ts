import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CliError } from '../../errors.ts';
import { type ProcessContext, untilStopped } from '../../process-context.ts';
import { errorResponse } from '../answer.ts';
import { readClientMessage, rpcErrors } from '../client-message.ts';
import { type ToolCallOptions, ToolCalls } from '../tool-calls.ts';
import { CallKeys } from './call-keys.ts';
import { Exchange, type ExchangeParts } from './exchange.ts';
import { refusalOf } from './local-requests.ts';
import { headerMismatch, mismatchedHeader } from './mirrored-headers.ts';
import { bodyOf, maxClientMessage, unreadable } from './request-body.ts';
import type { Upstream } from './upstream.ts';

export interface HttpProxyOptions extends ToolCallOptions {
  readonly upstream: Upstream;
  readonly processContext: ProcessContext;
  /** An address of the loopback interface. */
  readonly listen: { readonly host: string; readonly port: number };
  readonly allowedOrigins: readonly string[];
}

/**
 * Listens for HTTP clients, and passes their messages to an HTTP server. Tool calls are gated.
 *
 * @returns the exit code, when the process is asked to end
 * @throws {CliError} `USAGE` if the address is not free
 */
export async function runHttpProxy(options: HttpProxyOptions): Promise<number> {
  const { upstream, processContext, note } = options;
  const calls = new ToolCalls(options);
  const parts = { upstream, calls, keys: new CallKeys() };
  const server = createServer((request, response) => {
    const { port } = server.address() as AddressInfo;
    const access = { port, allowedOrigins: new Set(options.allowedOrigins) };
    void answer(request, response, { ...parts, access, warn: options.warn });
  });
  const { host, port } = options.listen;
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new CliError('USAGE', `can't listen on port ${port}: ${code}`, { cause });
  }
  const { address, family, port: bound } = server.address() as AddressInfo;
  const name = family === 'IPv6' ? `[${address}]` : address;
  note(`listening on http://${name}:${bound}${upstream.url.pathname} for ${upstream.url.origin}`);
  await untilStopped(processContext);
  server.close();
  calls.giveUpHeld();
  upstream.close();
  server.closeAllConnections();
  calls.serverEnded();
  await calls.settled();
  return 0;
}

interface Access extends ExchangeParts {
  readonly access: Parameters<typeof refusalOf>[1];
  readonly warn: (message: string) => void;
}

async function answer(request: IncomingMessage, response: ServerResponse, parts: Access): Promise<void> {
  // A client that breaks the connection is not an error of the proxy.
  request.on('error', () => {});
  response.on('error', () => {});
  const { headers, method, url } = request;
  const exchange = new Exchange(request, response, parts);
  const refuse = (
    status: number,
    message: string,
    { id = null, code = rpcErrors.invalidRequest }: Refusal = {},
  ) => {
    // The rest of the body is not read.
    if (!request.complete) response.setHeader('connection', 'close');
    exchange.reply.send(errorResponse(id, code, message), status);
  };
  const refusal = refusalOf(headers, parts.access);
  if (refusal !== undefined) {
    parts.warn(`a request was refused: ${refusal}`);
    return refuse(403, refusal);
  }
  if (url !== parts.upstream.url.pathname)
    return refuse(404, `the only address here is ${parts.upstream.url.pathname}`);
  if (method === 'GET' || method === 'DELETE' || method === 'OPTIONS') return await exchange.pass();
  if (method !== 'POST') {
    response.setHeader('allow', 'GET, POST, DELETE, OPTIONS');
    return refuse(405, 'the method must be GET, POST, DELETE or OPTIONS');
  }
  const wrongBody = unreadable(headers);
  if (wrongBody !== undefined) return refuse(415, wrongBody);
  let body: Buffer | undefined;
  try {
    body = await bodyOf(request);
  } catch {
    // The client has gone.
    return;
  }
  if (body === undefined) return refuse(413, `a message must have at most ${maxClientMessage} bytes`);
  const message = readClientMessage(body);
  if (message.kind === 'refused') {
    parts.warn(`a message of the client was refused: ${message.message}`);
    return refuse(400, message.message, message);
  }
  if (message.kind === 'batch')
    return refuse(400, 'a batch must not contain tool calls or cancellations: send them one by one');
  const mismatch = mismatchedHeader(headers, JSON.parse(body.toString()));
  if (mismatch !== undefined)
    return refuse(400, `the header ${mismatch} and the body differ`, {
      code: headerMismatch,
      ...idOf(message),
    });
  if (message.kind === 'call') return await exchange.call(message.call);
  if (message.kind === 'cancellation') return await exchange.cancel(message.id, body);
  await exchange.pass(body);
}

interface Refusal {
  readonly id?: string | number | null;
  readonly code?: number;
}

function idOf(message: ReturnType<typeof readClientMessage>): Refusal {
  return message.kind === 'call' ? { id: message.call.id } : {};
}
