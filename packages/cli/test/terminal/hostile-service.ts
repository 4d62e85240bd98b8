import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A JSON Schema, as the OpenAPI document of the service has them. */
type Schema = { readonly [keyword: string]: unknown };

interface Operation {
  readonly responses: {
    readonly [status: string]: {
      readonly content?: { readonly [type: string]: { readonly schema?: Schema } };
    };
  };
}

export interface OpenApi {
  readonly paths: { readonly [path: string]: { readonly [method: string]: Operation } };
  readonly components: { readonly schemas: { readonly [name: string]: Schema } };
}

/** How a hostile service answers. `enums`: a member with a fixed set of values has one of them, so that commands branch on it. */
export interface Hostility {
  readonly kind: 'enums' | 'all texts' | 'problems';
  /** Which branch of a choice is taken. */
  readonly branch: number;
}

/**
 * A service whose every text is `text`: each field of each answer that the OpenAPI document describes. A field that is added
 * to the document is hostile here without any change.
 */
export async function hostileService(document: OpenApi, text: string, hostility: () => Hostility) {
  const problem = {
    type: text,
    title: text,
    status: 422,
    code: text,
    detail: text,
    errors: [{ pointer: text, code: text, message: text }],
  };
  const server = createServer((request, response) => {
    request.resume();
    const { kind } = hostility();
    if (kind === 'problems') return send(response, 422, 'application/problem+json', JSON.stringify(problem));
    answer(document, text, hostility(), request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
}

function answer(
  document: OpenApi,
  text: string,
  hostility: Hostility,
  { method = 'GET', url = '/' }: IncomingMessage,
  response: ServerResponse,
): void {
  const path = new URL(url, 'http://x').pathname;
  const paths = Object.entries(document.paths).sort(
    ([a], [b]) => Number(a.includes('{')) - Number(b.includes('{')),
  );
  const found = paths.find(([template]) =>
    new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path),
  );
  const [status, { content = {} } = {}] =
    Object.entries(found?.[1][method.toLowerCase()]?.responses ?? {}).find(([code]) =>
      code.startsWith('2'),
    ) ?? [];
  if (status === undefined) return send(response, 404, 'text/plain', text);
  const [type = 'text/plain', { schema } = {}] = Object.entries(content)[0] ?? [];
  const json = JSON.stringify(sampleOf(schema ?? {}, { document, text, ...hostility }));
  if (type === 'text/event-stream')
    return send(response, 200, type, `id: 1\nevent: record\ndata: ${eventOf(document, text, hostility)}\n\n`);
  send(response, Number(status), type, type.includes('json') ? json : `${text}\n\n${text}\n`);
}

function eventOf(document: OpenApi, text: string, hostility: Hostility): string {
  return JSON.stringify(
    sampleOf({ $ref: '#/components/schemas/EventView' }, { document, text, ...hostility }),
  );
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type }).end(body);
}

interface Sampling extends Hostility {
  readonly document: OpenApi;
  readonly text: string;
}

function sampleOf(schema: Schema, sampling: Sampling): unknown {
  const { document, text, branch, kind } = sampling;
  const at = <T>(list: readonly T[]): T => list[branch % list.length]!;
  if (typeof schema.$ref === 'string')
    return sampleOf(document.components.schemas[schema.$ref.split('/').at(-1)!]!, sampling);
  if (kind === 'enums' && 'const' in schema) return schema.const;
  if (kind === 'enums' && Array.isArray(schema.enum)) return at(schema.enum);
  const choice = (schema.oneOf ?? schema.anyOf) as readonly Schema[] | undefined;
  if (choice !== undefined) return sampleOf(at(choice), sampling);
  if (Array.isArray(schema.allOf))
    return Object.assign({}, ...(schema.allOf as Schema[]).map((part) => sampleOf(part, sampling)));
  const type = Array.isArray(schema.type)
    ? (schema.type as string[]).find((one) => one !== 'null')
    : schema.type;
  if (type === 'integer' || type === 'number') return 1;
  if (type === 'boolean') return branch % 2 === 0;
  if (type === 'array') return [sampleOf((schema.items ?? {}) as Schema, sampling)];
  if (type !== 'object' && schema.properties === undefined) return text;
  const members = Object.entries((schema.properties ?? {}) as { [name: string]: Schema });
  return {
    ...Object.fromEntries(
      members.map(([name, member]) => [name, name === 'next_cursor' ? null : sampleOf(member, sampling)]),
    ),
    ...(schema.additionalProperties !== undefined &&
      schema.additionalProperties !== false && { [text]: text }),
  };
}
