import { once } from 'node:events';
import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { Writable } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import { until } from '@tallystick/testing';
import { runListener } from '../../../src/mcp/http/listener.ts';
import { Upstream } from '../../../src/mcp/http/upstream.ts';
import { type FakeGate, fakeGate } from './fake-gate.ts';

/** An answer that has begun. */
interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** What has arrived. */
  readonly soFar: () => string;
  /** The whole body. Rejects if the connection breaks. */
  readonly body: Promise<string>;
  /** Breaks the connection. */
  leave(): void;
}

/** A listener without a service, and clients of it. */
export interface Listener extends FakeGate, AsyncDisposable {
  readonly port: number;
  readonly warnings: readonly string[];
  readonly refused: readonly string[];
  /** Sends a request and resolves when its answer begins. */
  send(message: object | string | undefined, more?: SendOptions): Promise<Answer>;
  /** Sends a request whose answer may begin later. */
  begin(message: object | string | undefined, more?: SendOptions): ClientRequest;
  stop(): Promise<number>;
}

interface SendOptions {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: { readonly [name: string]: string };
}

export async function listenFor(url: URL, allowedOrigins: readonly string[] = []): Promise<Listener> {
  const [notes, warnings, refused]: [string[], string[], string[]] = [[], [], []];
  const gate = fakeGate();
  const stopping = new AbortController();
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const ended = runListener({
    gate: gate.gate,
    serverName: 'shop',
    onBehalfOf: [],
    note: (message) => void notes.push(message),
    warn: (message) => void warnings.push(message),
    onRefused: (sender, reason) => void refused.push(`${sender}: ${reason}`),
    upstream: new Upstream(url, {}, {}),
    listen: { host: '127.0.0.1', port: 0 },
    allowedOrigins,
    processContext: {
      stdin: process.stdin,
      stdout: nowhere,
      stderr: nowhere,
      env: {},
      cwd: '/',
      now: Date.now,
      stopped: stopping.signal,
    },
  });
  await until(() => notes.length > 0, { timeoutMs: 60_000, intervalMs: 5, what: 'the listener' });
  const port = Number(/:(\d+)\//.exec(notes[0]!)![1]);
  const begin: Listener['begin'] = (message, { method = 'POST', path = '/mcp', headers = {} } = {}) => {
    const sent = request({
      port,
      host: '127.0.0.1',
      method,
      path,
      agent: false,
      headers: {
        accept: 'application/json, text/event-stream',
        ...(message !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
    });
    sent.on('error', () => {});
    sent.end(
      message === undefined ? undefined : typeof message === 'string' ? message : JSON.stringify(message),
    );
    return sent;
  };
  const stop = async () => {
    stopping.abort('SIGTERM');
    return await ended;
  };
  return {
    ...gate,
    port,
    warnings,
    refused,
    begin,
    send: async (message, more) => {
      const sent = begin(message, more);
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      let soFar = '';
      answer.on('data', (chunk) => {
        soFar += chunk;
      });
      answer.on('error', () => {});
      const body = textOf(answer);
      body.catch(() => {});
      return {
        status: answer.statusCode!,
        headers: answer.headers,
        soFar: () => soFar,
        body,
        leave: () => void sent.destroy(),
      };
    },
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
}

/** The messages of a body, which is JSON or a stream of events. */
export function messagesOf(body: string): readonly { readonly [name: string]: unknown }[] {
  const texts = body.startsWith('{') ? [body] : body.split('\n').filter((line) => line.startsWith('data: {'));
  return texts.map((line) => JSON.parse(line.replace(/^data: /, '')) as { readonly [name: string]: unknown });
}
