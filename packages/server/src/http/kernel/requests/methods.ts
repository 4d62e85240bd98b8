import type { Endpoint } from '../endpoint.ts';
import { HttpProblem } from '../problems.ts';

/**
 * Checks that a request's path exists and accepts its method, before anything else is done for the request. The router alone
 * would answer some methods with other errors, and would take a literal path such as `/v1/dead-letters/purge` for a path
 * with a parameter when the method differs.
 *
 * @param url as it was received, with the query
 * @throws {HttpProblem} `ROUTE_NOT_FOUND`, `METHOD_NOT_ALLOWED`
 */
export function assertRoute(all: readonly Endpoint[], method: string, url: string): void {
  const path = pathOf(url);
  // Most requests name a route as it is: then no pattern is compared.
  if (all.some((each) => each.path === path && each.method === method)) return;
  const matching = path === undefined ? [] : all.filter((each) => matches(each, path));
  const literal = matching.filter((each) => each.path === path);
  const methods: string[] = (literal.length > 0 ? literal : matching).map((each) => each.method);
  if (methods.length === 0) throw new HttpProblem('ROUTE_NOT_FOUND', 'there is no such route');
  if (methods.includes(method)) return;
  const allow = [...new Set(methods)].join(', ');
  throw new HttpProblem('METHOD_NOT_ALLOWED', `this route accepts ${allow}`, { headers: { allow } });
}

/** The path as the router sees it: without scheme and host, and with percent-encoding undone, except for `%2F`. */
function pathOf(url: string): string | undefined {
  const path = url.replace(/^https?:\/\/[^/]*/i, '').split(/[?#]/, 1)[0]!;
  try {
    return decodeURI(path);
  } catch {
    return undefined;
  }
}

function matches(each: Endpoint, path: string): boolean {
  const parts = each.path.split('/');
  const given = path.split('/');
  if (each.wildcard === true ? given.length < parts.length : given.length !== parts.length) return false;
  return parts.every((part, at) => (part.startsWith('{') ? given[at] !== '' : part === given[at]));
}
