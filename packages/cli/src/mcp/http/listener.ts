import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { CliError } from '../../errors.ts';
import { type ProcessContext, untilStopped } from '../../process-context.ts';
import { errorResponse } from '../answer.ts';
import { type ClientMessage, type RequestId, readClientMessage, rpcErrors } from '../client-message.ts';
import { type ToolCallOptions, ToolCalls } from '../tool-calls.ts';
import { partOf } from './batch-reply.ts';
import { Exchange, type ExchangeParts } from './exchange.ts';
import { headersForPage, headersForPreflight, type LocalAccess, refusalOf } from './local-requests.ts';
import { ParameterHeaders } from './parameter-headers.ts';
import { Reply, type ReplyTo } from './reply.ts';
import { bodyOf, maxClientMessage, unreadable } from './request-body.ts';
import { Resumptions } from './resumptions.ts';
import type { Upstream } from './upstream.ts';

export interface ListenerOptions extends ToolCallOptions {
  readonly upstream: Upstream;
  readonly processContext: ProcessContext;
  /** An address of the loopback interface. */
  readonly listen: { readonly host: string; readonly port: number };
  readonly allowedOrigins: readonly string[];
}

/** How long calls that the server has may take to end when the process is asked to end, ms. */
const graceMs = 5_000;

/**
 * Listens for HTTP clients, and passes their messages to an HTTP server. Tool calls are gated.
 *
 * @returns the exit code, when the process is asked to end
 * @throws {CliError} `USAGE` if the address is not free
 */
export async function runListener(options: ListenerOptions): Promise<number> {
  const { upstream, processContext, note, warn } = options;
  const calls = new ToolCalls(options);
  const parts: ExchangeParts = {
    upstream,
    calls,
    parameterHeaders: new ParameterHeaders(),
    resumptions: new Resumptions(),
    refused: (sender, reason) => {
      options.onRefused(sender, reason);
      warn(`a message of the ${sender} did not pass: ${reason}`);
    },
  };
  const allowedOrigins = new Set(options.allowedOrigins);
  const server = createServer((request, response) => {
    const { port } = server.address() as AddressInfo;
    answer(request, response, parts, { port, allowedOrigins }).catch(() => response.destroy());
  });
  await listen(server, options.listen);
  const { address, family, port } = server.address() as AddressInfo;
  const host = family === 'IPv6' ? `[${address}]` : address;
  note(`listening on http://${host}:${port}${upstream.url.pathname} for ${upstream.url.origin}`);
  await untilStopped(processContext);
  server.close();
  calls.giveUpHeld();
  const grace = new AbortController();
  await Promise.race([calls.settled(), pause(graceMs, undefined, { signal: grace.signal }).catch(() => {})]);
  grace.abort();
  upstream.close();
  server.closeAllConnections();
  calls.serverEnded();
  await calls.settled();
  return 0;
}

async function listen(server: Server, { host, port }: ListenerOptions['listen']): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new CliError('USAGE', `can't listen on port ${port}: ${code}`, { cause });
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  parts: ExchangeParts,
  access: LocalAccess,
): Promise<void> {
  // A client that breaks the connection is not an error of the proxy.
  request.on('error', () => {});
  response.on('error', () => {});
  const { headers, method, url } = request;
  const reply = new Reply(response, headers.accept);
  const refuse = (
    status: number,
    reason: string,
    id: RequestId | null = null,
    code: number = rpcErrors.invalidRequest,
  ) => {
    parts.refused('client', reason);
    // The rest of the body is not read.
    if (!request.complete) response.setHeader('connection', 'close');
    reply.answer(JSON.stringify(errorResponse(id, code, reason)), status);
  };
  const refusal = refusalOf(headers, access);
  if (refusal !== undefined) return refuse(403, refusal);
  for (const [name, value] of Object.entries(headersForPage(headers))) response.setHeader(name, value);
  if (url !== parts.upstream.url.pathname) {
    const message = `the only path here is ${parts.upstream.url.pathname}`;
    return reply.answer(JSON.stringify(errorResponse(null, rpcErrors.invalidRequest, message)), 404);
  }
  if (method === 'OPTIONS') return reply.finish(204, headersForPreflight(headers));
  if (method === 'GET' || method === 'DELETE') return await new Exchange(request, reply, parts).pass();
  if (method !== 'POST') {
    response.setHeader('allow', 'GET, POST, DELETE');
    return refuse(405, 'the method must be GET, POST or DELETE');
  }
  const wrongBody = unreadable(headers);
  if (wrongBody !== undefined) return refuse(415, wrongBody);
  const body = await bodyOf(request);
  if (body === undefined) return refuse(413, `a message must have at most ${maxClientMessage} bytes`);
  const message = readClientMessage(body);
  if (message.kind === 'refused') return refuse(400, message.message, message.id, message.code);
  if (message.kind !== 'batch' || !message.mustSplit) return await take(request, reply, parts, body, message);
  if (!reply.takesEvents)
    return refuse(406, 'a client that sends a batch with requests must accept text/event-stream');
  const texts = message.texts.map((text) => Buffer.from(text));
  const messages = texts.map((text) => readClientMessage(text));
  if (messages.some((one) => one.kind === 'request' && one.method === 'initialize'))
    return refuse(400, 'a batch must not contain initialize');
  reply.begin();
  await Promise.all(messages.map((one, index) => take(request, partOf(reply), parts, texts[index]!, one)));
  reply.finish();
}

async function take(
  request: IncomingMessage,
  reply: ReplyTo,
  parts: ExchangeParts,
  body: Buffer,
  message: ClientMessage,
): Promise<void> {
  const exchange = new Exchange(request, reply, parts);
  if (message.kind === 'call') await exchange.call(message.call);
  else if (message.kind === 'request') await exchange.request(body, message.id, message.method);
  else if (message.kind === 'cancellation') await exchange.cancel(message.id, body);
  else await exchange.pass(body);
}
