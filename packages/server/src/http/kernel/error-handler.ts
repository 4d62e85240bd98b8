import type { FastifyReply, FastifyRequest } from 'fastify';
import { logFacts, safeError } from './logging.ts';
import { HttpProblem, toProblem } from './problems.ts';
import { tooLarge } from './requests/bodies.ts';

/** Answers an error as a problem document. It logs faults of the service, and not mistakes of the client. */
export function handleError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = toProblem(translateFastifyError(error, request));
  logFacts(request, { problem: problem.code });
  if (problem.status >= 500) {
    const level = problem.code === 'INTERNAL_ERROR' ? 'error' : 'warn';
    request.log[level]({ err: safeError(problem.cause ?? problem), code: problem.code }, 'request failed');
  }
  return (
    reply
      .code(problem.status)
      .headers({
        'cache-control': 'no-store',
        // The service does not read the rest of a refused request, so the connection can't be used again.
        ...(!request.raw.complete && { connection: 'close' }),
        ...problem.headers,
      })
      .type('application/problem+json')
      // Bytes, because Fastify adds a charset to the media type of a text, and application/problem+json has none.
      .send(Buffer.from(JSON.stringify(problem)))
  );
}

/** Errors with which Fastify refuses a request before a handler sees it. */
function translateFastifyError(error: unknown, request: FastifyRequest): unknown {
  // Fastify sets a status on an error of the body's stream, also on one of this service.
  if (error instanceof HttpProblem) return error;
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  if (typeof statusCode !== 'number' || statusCode >= 500) return error;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return tooLarge(request.routeOptions.bodyLimit);
  if (typeof code === 'string' && code.startsWith('FST_') && code !== 'FST_ERR_CTP_INVALID_CONTENT_LENGTH') {
    return new HttpProblem('REQUEST_MALFORMED', 'the request is malformed');
  }
  // Fastify sets 400 on an error of the body's stream: the client went away, or the data is not gzip.
  return new HttpProblem('BODY_MALFORMED', 'the body is incomplete, or it is not valid gzip');
}
