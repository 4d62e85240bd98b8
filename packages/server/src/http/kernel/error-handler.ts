import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Endpoint } from './endpoint.ts';
import { safeError } from './logging.ts';
import { HttpProblem, toProblem } from './problem.ts';

/** Answers an error. Faults of the service's own are logged; what a client did wrong is not. */
export function answerProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = toProblem(fromFastify(error));
  if (problem.status >= 500) {
    const level = problem.code === 'INTERNAL_ERROR' ? 'error' : 'warn';
    request.log[level]({ err: safeError(problem.cause ?? problem), code: problem.code }, 'request failed');
  }
  return (
    reply
      .code(problem.status)
      .headers({ 'cache-control': 'no-store', ...problem.headers })
      .type('application/problem+json')
      // Bytes: to a text the framework would add a charset, which the media type does not have.
      .send(Buffer.from(JSON.stringify(problem)))
  );
}

/** The framework's own complaints of what a client sent. */
function fromFastify(error: unknown): unknown {
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  const own = typeof code === 'string' && code.startsWith('FST_') && typeof statusCode === 'number';
  if (!own || statusCode >= 500) return error;
  return new HttpProblem('REQUEST_MALFORMED', 'the request is malformed');
}

/** Answers what no route takes: another path, or another method. */
export function answerUnmatched(
  all: readonly Endpoint[],
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const path = request.url.split('?', 1)[0]!;
  const methods = all.filter((each) => matches(each, path)).map((each) => each.method);
  if (methods.length === 0)
    return answerProblem(new HttpProblem('ROUTE_NOT_FOUND', 'no such route'), request, reply);
  const allow = [...new Set(methods)].join(', ');
  const problem = new HttpProblem('METHOD_NOT_ALLOWED', `the route takes ${allow}`, { headers: { allow } });
  return answerProblem(problem, request, reply);
}

function matches(each: Endpoint, path: string): boolean {
  const parts = each.path.split('/');
  const given = path.split('/');
  if (each.wildcard === true ? given.length < parts.length : given.length !== parts.length) return false;
  return parts.every((part, at) => (part.startsWith('{') ? given[at] !== '' : part === given[at]));
}
