import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { readEvent } from '@tallystick/event';
import { problemTypeOf } from '@tallystick/protocol';

export interface Received {
  readonly headers: IncomingMessage['headers'];
  readonly path: string;
  readonly body: { delivery: Record<string, unknown>; events: Record<string, unknown>[] };
  readonly bytes: number;
}

/** Responds to a request and returns `true`, or returns `undefined` for the default response. */
export type Script = (received: Received, response: ServerResponse, call: number) => boolean | undefined;

/** A real HTTP server that accepts batches and checks every event as the audit service does. */
export async function auditServer(script: Script = () => undefined): Promise<{
  url: string;
  received: Received[];
  sockets: () => number;
  close: () => Promise<void>;
}> {
  const received: Received[] = [];
  let sockets = 0;
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const raw = Buffer.concat(chunks);
    const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw).toString();
    const one = {
      headers: request.headers,
      path: request.url ?? '',
      body: JSON.parse(text),
      bytes: raw.length,
    };
    received.push(one);
    if (script(one, response, received.length) === true) return;
    const results = one.body.events.map((event: Record<string, unknown>, index: number) => {
      readEvent(JSON.stringify(event), { now: Date.now() });
      return { index, status: 'chained', receipt: receiptOf(event, index) };
    });
    response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify({ results }));
  });
  // Idle connections are never closed.
  server.keepAliveTimeout = 0;
  server.on('connection', () => sockets++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    sockets: () => sockets,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function receiptOf(event: Record<string, unknown>, sequence: number) {
  return {
    audit_id: event.audit_id,
    tenant_id: event.tenant_id,
    epoch: 0,
    sequence_number: sequence,
    record_hash: '0'.repeat(64),
    ingested_at: '2026-01-01T00:00:00.000Z',
  };
}

export function problem(response: ServerResponse, status: number, code: string, headers: object = {}): true {
  response
    .writeHead(status, { 'content-type': 'application/problem+json', ...headers })
    .end(JSON.stringify({ type: problemTypeOf(code), title: code, status, code }));
  return true;
}
