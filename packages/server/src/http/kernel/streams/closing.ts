import type { FastifyInstance } from 'fastify';
import { HttpProblem } from '../problems.ts';
import type { Streams } from './streams.ts';

/** Refuses new requests and ends streams once the app or the service begins to close. */
export function refuseWhileClosing(
  app: FastifyInstance,
  serviceClosing: AbortSignal,
  streams: Streams,
): void {
  let closing = false;
  const endStreams = () => streams.close();
  serviceClosing.addEventListener('abort', endStreams);
  app.addHook('onRequest', async () => {
    if (closing || serviceClosing.aborted) {
      throw new HttpProblem('CLOSING', 'the service is shutting down', { headers: { connection: 'close' } });
    }
  });
  app.addHook('onSend', async (_request, reply, payload) => {
    // The server waits for connections that are kept alive until they time out.
    if (closing) reply.header('connection', 'close');
    return payload;
  });
  app.addHook('preClose', async () => {
    closing = true;
    serviceClosing.removeEventListener('abort', endStreams);
    streams.close();
  });
}
