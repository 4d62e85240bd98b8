import type { FastifyReply, FastifyRequest } from 'fastify';
import { tooLarge } from './bodies.ts';
import type { Endpoint } from './endpoint.ts';
import { safeError } from './logging.ts';
import { HttpProblem, toProblem } from './problems.ts';

/** Answers an error as a problem document. It logs faults of the service, and not mistakes of the client. */
export function handleError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = toProblem(translateFastifyError(error, request));
  if (problem.status >= 500) {
    const level = problem.code === 'INTERNAL_ERROR' ? 'error' : 'warn';
    request.log[level]({ err: safeError(problem.cause ?? problem), code: problem.code }, 'request failed');
  }
  return (
    reply
      .code(problem.status)
      .headers({ 'cache-control': 'no-store', ...problem.headers })
      .type('application/problem+json')
      // Bytes, because Fastify adds a charset to the media type of a text, and application/problem+json has none.
      .send(Buffer.from(JSON.stringify(problem)))
  );
}

/** Errors with which Fastify refuses a request before a handler sees it. */
function translateFastifyError(error: unknown, request: FastifyRequest): unknown {
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  if (typeof statusCode !== 'number' || statusCode >= 500) return error;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return tooLarge(request.routeOptions.bodyLimit);
  if (typeof code === 'string' && code.startsWith('FST_') && code !== 'FST_ERR_CTP_INVALID_CONTENT_LENGTH') {
    return new HttpProblem('REQUEST_MALFORMED', 'the request is malformed');
  }
  // Fastify sets 400 on an error of the body's stream: the client went away, or the data is not gzip.
  return new HttpProblem('BODY_MALFORMED', 'the body is incomplete, or it is not valid gzip');
}

/** Answers a request for which there is no route: the path is unknown, or the path exists with other methods. */
export function handleUnmatched(
  all: readonly Endpoint[],
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const path = request.url.split('?', 1)[0]!;
  const methods = all.filter((each) => matches(each, path)).map((each) => each.method);
  if (methods.length === 0) {
    return handleError(new HttpProblem('ROUTE_NOT_FOUND', 'there is no such route'), request, reply);
  }
  const allow = [...new Set(methods)].join(', ');
  const problem = new HttpProblem('METHOD_NOT_ALLOWED', `this route accepts ${allow}`, {
    headers: { allow },
  });
  return handleError(problem, request, reply);
}

function matches(each: Endpoint, path: string): boolean {
  const parts = each.path.split('/');
  const given = path.split('/');
  if (each.wildcard === true ? given.length < parts.length : given.length !== parts.length) return false;
  return parts.every((part, at) => (part.startsWith('{') ? given[at] !== '' : part === given[at]));
}
