import { PassThrough, Writable } from 'node:stream';
import { until } from '@tallystick/testing';
import { runBridge } from '../../../src/mcp/http/bridge.ts';
import { Upstream } from '../../../src/mcp/http/upstream.ts';
import { type FakeGate, fakeGate } from './fake-gate.ts';

interface Message {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: { readonly [name: string]: unknown };
  readonly result?: { readonly [name: string]: unknown };
  readonly error?: { readonly code: number; readonly message: string };
}

/** A client of the bridge, without a service. */
export interface BridgeClient extends FakeGate {
  line(text: string): void;
  request(id: unknown, method: string, params?: object): Promise<Message>;
  message(fits: (message: Message) => boolean): Promise<Message>;
  readonly messages: readonly Message[];
  readonly warnings: readonly string[];
  readonly refused: readonly string[];
  /** Closes the connection. Resolves with the exit code. */
  end(): Promise<number>;
  readonly ended: Promise<number>;
}

export function bridgeTo(url: URL, headers: { readonly [name: string]: string } = {}): BridgeClient {
  const stdin = new PassThrough();
  const [messages, warnings, refused]: [Message[], string[], string[]] = [[], [], []];
  const gate = fakeGate();
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  let over = false;
  const ended = runBridge({
    gate: gate.gate,
    serverName: 'shop',
    onBehalfOf: [],
    note: () => {},
    warn: (message) => void warnings.push(message),
    onRefused: (sender, reason) => void refused.push(`${sender}: ${reason}`),
    upstream: new Upstream(url, headers, {}),
    processContext: {
      stdin,
      stdout: nowhere,
      stderr: nowhere,
      env: {},
      cwd: '/',
      now: Date.now,
      stopped: new AbortController().signal,
    },
    write: async (bytes) => void messages.push(JSON.parse(Buffer.from(bytes).toString()) as Message),
  }).finally(() => {
    over = true;
  });
  const message: BridgeClient['message'] = async (fits) => {
    await until(() => over || messages.some(fits), { timeoutMs: 60_000, intervalMs: 5, what: 'a message' });
    const found = messages.find(fits);
    if (found === undefined) throw new Error(`the bridge ended: ${warnings.join()}`);
    return found;
  };
  return {
    ...gate,
    line: (text) => void stdin.write(`${text}\n`),
    request: async (id, method, params) => {
      stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
      return await message((answer) => answer.id === id && answer.method === undefined);
    },
    message,
    messages,
    warnings,
    refused,
    end: async () => {
      stdin.end();
      return await ended;
    },
    ended,
  };
}
