import { timingSafeEqual } from 'node:crypto';
import Fastify from 'fastify';
import { hashOf } from '../../platform/artifacts.ts';
import { Unavailable } from '../../platform/topics.ts';

/** A request or an answer of a call has at most this many bytes. */
const maxBodyBytes = 4 * 1024 * 1024;

/** What a process offers to others: functions by name. They check what they are given. */
export type Calls = Readonly<Record<string, (argument: unknown) => Promise<unknown>>>;

export interface CallServerOptions {
  readonly port: number;
  /** Callers must know it. */
  readonly key: string;
  readonly calls: Calls;
  /** Whether the service handles messages and calls. */
  readonly isReady: () => boolean;
}

export interface CallServer {
  close(): Promise<void>;
}

/**
 * Answers calls of other processes on the loopback address, over HTTP:
 *
 * - `GET /ready` is 200 when the service works, and 503 before.
 * - `POST /calls/{name}` calls a function with the JSON body. 409 is a refusal with its code, 503 says "try again".
 */
export async function startCallServer({ port, key, calls, isReady }: CallServerOptions): Promise<CallServer> {
  const server = Fastify({ bodyLimit: maxBodyBytes, forceCloseConnections: 'idle' });
  const expected = Buffer.from(hashOf(`Bearer ${key}`));
  server.get('/ready', (_request, reply) => reply.code(isReady() ? 200 : 503).send({ ready: isReady() }));
  server.post<{ Params: { name: string } }>('/calls/:name', async (request, reply) => {
    const given = Buffer.from(hashOf(request.headers.authorization ?? ''));
    if (!timingSafeEqual(given, expected)) {
      return reply.code(401).send({ code: 'UNAUTHORIZED', message: 'the key of the platform is needed' });
    }
    const { name } = request.params;
    const call = Object.hasOwn(calls, name) ? calls[name] : undefined;
    if (call === undefined) {
      return reply.code(404).send({ code: 'CALL_UNKNOWN', message: 'the process offers no such call' });
    }
    try {
      return { result: await call(request.body) };
    } catch (error) {
      const { code, message } = error as { code?: unknown; message: string };
      if (error instanceof Unavailable) return reply.code(503).send({ code: 'UNAVAILABLE', message });
      if (typeof code === 'string') return reply.code(409).send({ code, message });
      return reply.code(500).send({ code: 'CALL_FAILED', message });
    }
  });
  await server.listen({ host: '127.0.0.1', port });
  return { close: () => server.close() };
}
