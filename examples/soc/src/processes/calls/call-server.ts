import Fastify from 'fastify';
import { Unavailable } from '../../platform/topics.ts';
import { CallProofs, isSameProof, nonceHeader, proofHeader } from './call-proof.ts';

/** A request or an answer of a call has at most this many bytes. */
const maxBodyBytes = 4 * 1024 * 1024;

/** What a process offers to others: functions by name. They check what they are given. */
export type Calls = Readonly<Record<string, (argument: unknown) => Promise<unknown>>>;

export interface CallServerOptions {
  readonly port: number;
  /** Callers must prove that they know it. */
  readonly key: string;
  readonly calls: Calls;
  /** Whether the service handles messages and calls. */
  readonly isReady: () => boolean;
}

export interface CallServer {
  close(): Promise<void>;
}

/** What a call is answered with. */
interface Answer {
  readonly status: number;
  readonly body: { readonly result?: unknown; readonly code?: string; readonly message?: string };
}

/**
 * Answers calls of other processes on the loopback address, over HTTP. Calls and answers are proven, see {@link CallProofs}:
 *
 * - `GET /ready` is 200 when the service works, and 503 before.
 * - `POST /calls/{name}` calls a function with the JSON body. 409 is a refusal with its code, 503 says "try again".
 */
export async function startCallServer({ port, key, calls, isReady }: CallServerOptions): Promise<CallServer> {
  const server = Fastify({ bodyLimit: maxBodyBytes, forceCloseConnections: 'idle' });
  const proofs = new CallProofs(key);
  // The proof is about the text of the argument.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  server.get('/ready', (_request, reply) => reply.code(isReady() ? 200 : 503).send({ ready: isReady() }));
  server.post<{ Params: { name: string } }>(
    '/calls/:name',
    async ({ headers, params: { name }, body: given }, reply) => {
      const text = typeof given === 'string' ? given : '';
      const nonce = String(headers[nonceHeader] ?? '');
      const isProven = isSameProof(headers[proofHeader], proofs.ofCall(name, nonce, text));
      // Without a proof, because it would be one for a nonce that any program can choose.
      if (!isProven)
        return reply.code(401).send({ code: 'UNAUTHORIZED', message: 'the key of the platform is needed' });
      const { status, body } = await answerOf(calls, name, text);
      const answered = JSON.stringify(body);
      return reply
        .code(status)
        .header(proofHeader, proofs.ofAnswer(nonce, status, answered))
        .type('application/json')
        .send(answered);
    },
  );
  await server.listen({ host: '127.0.0.1', port });
  return { close: () => server.close() };
}

async function answerOf(calls: Calls, name: string, argument: string): Promise<Answer> {
  const call = Object.hasOwn(calls, name) ? calls[name] : undefined;
  if (call === undefined)
    return { status: 404, body: { code: 'CALL_UNKNOWN', message: 'the process offers no such call' } };
  try {
    return { status: 200, body: { result: await call(JSON.parse(argument)) } };
  } catch (error) {
    const { code, message } = error as { code?: unknown; message: string };
    if (error instanceof Unavailable) return { status: 503, body: { code: 'UNAVAILABLE', message } };
    if (typeof code === 'string') return { status: 409, body: { code, message } };
    return { status: 500, body: { code: 'CALL_FAILED', message } };
  }
}
