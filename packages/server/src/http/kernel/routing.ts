import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Principal } from '../../access/principal.ts';
import { authenticate } from './authenticate.ts';
import { readBody } from './body.ts';
import type { Answer, Endpoint } from './endpoint.ts';
import type { Services } from './services.ts';
import { readJson, validate } from './validate.ts';

/** JSON bodies of routes other than ingest. */
const maxJsonBytes = 64 * 1024;

/** Serves an endpoint: who asks, then what is asked, then the body, and only then the handler. */
export function addRoute(app: FastifyInstance, services: Services, each: Endpoint): void {
  const principals = new WeakMap<FastifyRequest, Principal>();
  const url = each.path.replaceAll(/\{(\w+)\}/g, (whole, name) =>
    each.wildcard === true && each.path.endsWith(whole) ? '*' : `:${name}`,
  );
  const name = each.wildcard === true ? /\{(\w+)\}$/.exec(each.path)![1]! : undefined;
  app.route({
    method: each.method,
    url,
    onRequest: async (request) => {
      const principal = await authenticate(services.service, request, each.access);
      if (principal !== undefined) principals.set(request, principal);
    },
    handler: async (request, reply) => {
      const given = { ...(request.params as Record<string, string>) };
      if (name !== undefined) {
        given[name] = given['*']!;
        delete given['*'];
      }
      const params = each.params === undefined ? {} : validate(each.params, given, 'PARAMETER_INVALID');
      const query = { ...(request.query as object) };
      const answer = await each.handle({
        services,
        principal: principals.get(request)!,
        params,
        query: each.query === undefined ? {} : validate(each.query, query, 'PARAMETER_INVALID'),
        body: await bodyOf(each, request),
        request,
        reply,
      });
      return answer === undefined ? reply : send(reply, answer);
    },
  });
}

async function bodyOf({ body }: Endpoint, request: FastifyRequest): Promise<unknown> {
  if (body === undefined) return undefined;
  if ('schema' in body) {
    const bytes = await readBody(request.raw, { types: ['application/json'], maxBytes: maxJsonBytes });
    return readJson(bytes, body.schema);
  }
  return await readBody(request.raw, { types: Object.keys(body.content), maxBytes: body.maxBytes });
}

function send(reply: FastifyReply, answer: Answer): FastifyReply {
  reply.code(answer.status);
  // Whose trail it is depends on the key: nothing of it is for a cache on the way.
  reply.header('cache-control', 'no-store').headers(answer.headers ?? {});
  if (answer.stream !== undefined) return reply.type(answer.type!).send(answer.stream);
  if (answer.body === undefined) return reply.send();
  if (answer.type !== undefined) return reply.type(answer.type).send(answer.body);
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(answer.body));
}
