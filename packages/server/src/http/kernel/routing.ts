import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Credentials } from '../../access/credentials.ts';
import { holderOf, type Principal } from '../../access/principal.ts';
import { ServerError } from '../../errors.ts';
import { assertAccess, principalOf } from './access/authentication.ts';
import { type Answer, type Call, type Endpoint, noParameters, queryOf } from './endpoint.ts';
import { type BodyBudget, costOfEvents, type Lease } from './limits/body-budget.ts';
import type { UnauthenticatedConnections } from './limits/connections.ts';
import type { RateLimits } from './limits/rate-limits.ts';
import { logFacts } from './logging.ts';
import { HttpProblem } from './problems.ts';
import { unpackBody } from './requests/bodies.ts';
import { assertStorable, readJson, validate } from './requests/validate.ts';

/** Most bytes of a JSON body on routes that declare a schema. */
const maxJsonBytes = 64 * 1024;

type Checked = Pick<Call<unknown, unknown, unknown>, 'principal' | 'params' | 'query'>;

/** What every request passes before its handler. */
export interface Guards {
  readonly credentials: Credentials;
  readonly budget: BodyBudget;
  /** Bounds the answers that their clients have not read yet. */
  readonly answers: BodyBudget;
  readonly connections: UnauthenticatedConnections;
  readonly rates: RateLimits;
}

/** Serves the endpoints. Each request passes the same checks in this order: API key, rate, scope, parameters, body. */
export function addRoutes(app: FastifyInstance, guards: Guards, endpoints: readonly Endpoint[]): void {
  // A route without a body ignores what a client sends as one.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));
  for (const each of endpoints) if (each.body === undefined) addRoute(app, guards, each);
  app.register(async (withBodies) => {
    withBodies.removeAllContentTypeParsers();
    withBodies.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    for (const each of endpoints) if (each.body !== undefined) addRoute(withBodies, guards, each);
  });
}

function addRoute(app: FastifyInstance, guards: Guards, each: Endpoint): void {
  const { budget, answers, connections } = guards;
  const { method, body } = each;
  const checked = new WeakMap<FastifyRequest, Checked>();
  const leases = new WeakMap<FastifyRequest, Lease>();
  app.route({
    method,
    url: urlOf(each),
    onRequest: async (request, reply) => {
      connections.onRequest(request.raw.socket);
      const principal = await admit(guards, each, request, reply);
      logFacts(request, {
        operation: each.operationId,
        ...(principal !== undefined && { principal: principal.id }),
      });
      if (principal !== undefined) connections.onAuthenticated(request.raw.socket);
      checked.set(request, { principal: principal!, ...parametersOf(each, request) });
      if (body === undefined) return;
      const lease = budget.open(principal?.id ?? '');
      leases.set(request, lease);
      // A request that is refused, or whose client goes away, before the handler runs. The handler releases its own lease.
      const gone = () => {
        if (leases.has(request)) lease.release();
      };
      // A client may have gone while its key was looked up. The response does not close again.
      if (reply.raw.destroyed) gone();
      else reply.raw.once('close', gone);
    },
    ...(body !== undefined && {
      preParsing: unpackBody(
        'schema' in body ? ['application/json'] : Object.keys(body.content),
        (request) => leases.get(request)!,
      ),
      bodyLimit: 'schema' in body ? maxJsonBytes : body.maxBytes,
    }),
    handler: async (request, reply) => {
      const lease = leases.get(request);
      // The events stay in memory until they are chained, also when the client has gone away.
      leases.delete(request);
      try {
        if (body !== undefined && 'content' in body) lease?.hold(costOfEvents(bytesOf(request)));
        const answer = await each.handle({
          ...checked.get(request)!,
          body: bodyOf(each, request),
          request,
          reply,
          signal: clientSignal(reply),
        });
        if (answer === undefined) return reply;
        const text = textOf(answer);
        // What a request has changed is never answered with a refusal.
        if (method === 'GET') holdUntilRead(answers, checked.get(request)!, reply, text?.length ?? 0);
        return send(reply, answer, text);
      } finally {
        lease?.release();
      }
    },
  });
}

/**
 * Checks who makes the request, whether the client makes too many, and whether the caller may call the route. It runs before the service
 * reads any of the body.
 *
 * @returns the caller; `undefined` on a route that is open to all
 * @throws {ServerError} `UNAUTHENTICATED`, `FORBIDDEN`, `ISSUER_UNAVAILABLE`
 * @throws {HttpProblem} `RATE_LIMITED`
 */
async function admit(
  { credentials, rates }: Guards,
  each: Endpoint,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Principal | undefined> {
  const { access, unlimited } = each;
  if (access === 'open') {
    if (unlimited !== true) rates.countAddress(request, reply);
    return undefined;
  }
  const principal = await principalOf(credentials, request).catch((error: unknown) => {
    if (error instanceof ServerError && (error.code === 'UNAUTHENTICATED' || error.code === 'FORBIDDEN'))
      rates.countAddress(request, reply);
    throw error;
  });
  rates.countCaller(principal, reply);
  assertAccess(principal, each);
  return principal;
}

function clientSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  const gone = () => {
    if (reply.raw.writableFinished) return;
    controller.abort(new HttpProblem('REQUEST_MALFORMED', 'the client closed the connection'));
  };
  if (reply.raw.destroyed) gone();
  else reply.raw.once('close', gone);
  return controller.signal;
}

/** The path in Fastify's notation. */
function urlOf({ path, wildcard }: Endpoint): string {
  return path.replaceAll(/\{(\w+)\}/g, (whole, name) =>
    wildcard === true && path.endsWith(whole) ? '*' : `:${name}`,
  );
}

function parametersOf(each: Endpoint, request: FastifyRequest): Pick<Checked, 'params' | 'query'> {
  const given = { ...(request.params as Record<string, string>) };
  if (each.wildcard === true) {
    const name = /\{(\w+)\}$/.exec(each.path)![1]!;
    given[name] = given['*']!;
    delete given['*'];
  }
  const query = { ...(request.query as object) };
  assertStorable({ ...given, ...query }, 'PARAMETER_INVALID');
  // zod skips this name where clients may choose names, and would not refuse it.
  const unseen = Object.entries(query).filter(([name]) => name === '__proto__');
  if (unseen.length > 0) validate(noParameters, Object.fromEntries(unseen), 'PARAMETER_INVALID');
  const known = queryOf(each);
  return {
    params: each.params === undefined ? {} : validate(each.params, given, 'PARAMETER_INVALID'),
    query: known === undefined ? {} : validate(known, query, 'PARAMETER_INVALID'),
  };
}

function bodyOf({ body }: Endpoint, request: FastifyRequest): unknown {
  if (body === undefined) return undefined;
  const bytes = bytesOf(request);
  return 'schema' in body ? readJson(bytes, body.schema) : bytes;
}

/** Fastify calls no parser for a request without a body. */
function bytesOf(request: FastifyRequest): Buffer {
  return (request.body as Buffer | undefined) ?? Buffer.alloc(0);
}

/** A shorter answer is not counted: as many of them as there are connections take little memory. */
const maxUncountedBytes = 32 * 1024;

/**
 * Counts an answer until the response closes. Node keeps what a client does not read in memory.
 *
 * @throws {HttpProblem} `OVERLOADED`
 */
function holdUntilRead(
  answers: BodyBudget,
  { principal }: Checked,
  reply: FastifyReply,
  bytes: number,
): void {
  if (bytes <= maxUncountedBytes || reply.raw.destroyed) return;
  const lease = answers.open(principal === undefined ? '' : holderOf(principal));
  try {
    lease.hold(Math.min(bytes, answers.largest));
  } catch (error) {
    lease.release();
    throw error;
  }
  reply.raw.once('close', () => lease.release());
}

function textOf({ body, type }: Answer): string | Uint8Array | undefined {
  return body === undefined || type !== undefined
    ? (body as string | Uint8Array | undefined)
    : JSON.stringify(body);
}

function send(reply: FastifyReply, answer: Answer, text: string | Uint8Array | undefined): FastifyReply {
  reply.code(answer.status);
  // Answers depend on the API key, so no cache may store them.
  reply.header('cache-control', 'no-store').headers(answer.headers ?? {});
  if (answer.stream !== undefined) return reply.type(answer.type!).send(answer.stream);
  if (text === undefined) return reply.send();
  return reply.type(answer.type ?? 'application/json; charset=utf-8').send(text);
}
