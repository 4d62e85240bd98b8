import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request that arrived at the server. */
export interface Arrived {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The body, if it is JSON. */
  readonly message: {
    readonly id?: unknown;
    readonly method?: string;
    readonly params?: { readonly [name: string]: unknown };
  };
  /** Whether the client has closed the connection before it had the whole answer. */
  readonly wasClosed: () => boolean;
}

/** An HTTP server whose answers a test writes, so that it can also break the rules of MCP. */
export interface ScriptedServer extends AsyncDisposable {
  readonly url: URL;
  readonly arrived: readonly Arrived[];
  /** The methods of the messages that arrived, or the method of HTTP. */
  readonly seen: () => readonly string[];
}

export async function scriptedServer(
  answer: (request: Arrived, response: ServerResponse) => unknown,
): Promise<ScriptedServer> {
  const arrived: Arrived[] = [];
  const server = createServer(async (request, response) => {
    response.on('error', () => {});
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const entry: Arrived = {
      method: request.method!,
      headers: request.headers,
      body,
      message: body.startsWith('{') ? (JSON.parse(body) as Arrived['message']) : {},
      wasClosed: () => response.destroyed && !response.writableFinished,
    };
    arrived.push(entry);
    answer(entry, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`),
    arrived,
    seen: () => arrived.map(({ method, message }) => message.method ?? method),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export const text = (value: string) => ({ content: [{ type: 'text', text: value }] });

export function json(response: ServerResponse, message: object, headers: object = {}, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ jsonrpc: '2.0', ...message }));
}

export function events(response: ServerResponse, ...messages: readonly (object | string)[]): void {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const message of messages)
    response.write(
      typeof message === 'string' ? message : `data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`,
    );
}
