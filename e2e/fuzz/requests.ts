import { request } from 'node:http';
import { text as readAll } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { arbitraryOf, hostileText, hostileTexts, type Schema } from './values.ts';

/** One request, ready to send. */
export interface FuzzedRequest {
  readonly method: string;
  /** Percent-encoded, with the query. */
  readonly path: string;
  readonly headers: { readonly [name: string]: string };
  readonly body?: Buffer | undefined;
}

export interface FuzzedAnswer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly text: string;
}

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly schema: Schema;
}

interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: { readonly [type: string]: { readonly schema: Schema } } };
}

/** The parts of an OpenAPI document that requests are made from. */
export interface OpenApi {
  readonly paths: { readonly [path: string]: { readonly [method: string]: Operation } };
  readonly components: { readonly schemas: { readonly [name: string]: Schema } };
}

/** Values that exist in the store, by parameter, so that requests get past the first look-up. */
export type KnownValues = { readonly [parameter: string]: readonly string[] };

/** Requests for every operation of the document. */
export function requestsOf(document: OpenApi, known: KnownValues): fc.Arbitrary<FuzzedRequest> {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => requestOf(document, path, method, operation, known)),
  );
  return fc.oneof(...operations);
}

/** Requests with exactly one hostile parameter: every parameter of every operation, with every hostile text. */
export function* singleFaults(document: OpenApi, known: KnownValues): Generator<FuzzedRequest> {
  for (const [template, methods] of Object.entries(document.paths)) {
    for (const [method, { parameters = [] }] of Object.entries(methods)) {
      for (const { name } of parameters.filter((parameter) => parameter.in !== 'header')) {
        for (const hostile of hostileTexts) {
          const textFor = (other: string) => (other === name ? hostile : (known[other]?.[0] ?? '1'));
          const path = template.replaceAll(/\{(\w+)\}/g, (_, part) => encode(textFor(part)));
          const query = parameters
            .filter((parameter) => parameter.in === 'query')
            .filter((parameter) => parameter.name === name || parameter.required || known[parameter.name])
            .map((parameter) => `${parameter.name}=${encode(textFor(parameter.name))}`);
          yield {
            method: method.toUpperCase(),
            path: query.length === 0 ? path : `${path}?${query.join('&')}`,
            headers: {},
          };
        }
      }
    }
  }
}

function requestOf(
  document: OpenApi,
  template: string,
  method: string,
  operation: Operation,
  known: KnownValues,
): fc.Arbitrary<FuzzedRequest> {
  const parameters = operation.parameters ?? [];
  const of = (place: Parameter['in']) => parameters.filter((parameter) => parameter.in === place);
  const path = fc.record(
    Object.fromEntries(of('path').map((parameter) => [parameter.name, textOf(parameter, document, known)])),
  );
  // Few parameters at a time: the first one that is refused hides what the others would do.
  const members = of('query').map((parameter) => {
    const pair = textOf(parameter, document, known).map((value) => [[parameter.name, value]]);
    const repeated = fc.array(pair, { minLength: 2, maxLength: 3 }).map((pairs) => pairs.flat());
    const isUsual = parameter.required === true || known[parameter.name] !== undefined;
    return {
      isUsual,
      pairs: fc.oneof({ arbitrary: pair, weight: 12 }, { arbitrary: repeated, weight: 1 }),
    };
  });
  const usual = members.filter(({ isUsual }) => isUsual).map(({ pairs }) => pairs);
  const others = members.filter(({ isUsual }) => !isUsual).map(({ pairs }) => pairs);
  const query = fc
    .tuple(
      fc.oneof({ arbitrary: fc.tuple(...usual), weight: 15 }, fc.constant([])),
      fc
        .shuffledSubarray(others, { maxLength: Math.min(2, others.length) })
        .chain((chosen) => fc.tuple(...chosen)),
    )
    .map((parts) => parts.flat(2));
  const stranger = fc.option(fc.tuple(hostileText, hostileText), { freq: 20 });
  const headers = fc.record(
    Object.fromEntries(
      of('header').map(({ name }) => [name, fc.constantFrom('1-0', '999999999-1', '0-0', 'x')]),
    ),
    { requiredKeys: [] },
  );
  return fc
    .tuple(path, query, stranger, headers, bodyOf(document, operation))
    .map(([values, pairs, extra, headers, body]) => {
      const filled = template.replaceAll(/\{(\w+)\}/g, (_, name) => encode(values[name]!));
      const search = [...pairs, ...(extra === null ? [] : [extra])].map((pair) => pair.map(encode).join('='));
      return {
        method: method.toUpperCase(),
        path: search.length === 0 ? filled : `${filled}?${search.join('&')}`,
        headers: { ...(headers as Record<string, string>), ...body?.headers },
        body: body?.bytes,
      };
    });
}

/** The values of a parameter as text. */
function textOf({ name, schema }: Parameter, document: OpenApi, known: KnownValues): fc.Arbitrary<string> {
  const given = arbitraryOf(schema, document.components.schemas).map((value) =>
    typeof value === 'string' ? value : (JSON.stringify(value) ?? ''),
  );
  const existing = known[name];
  return existing === undefined
    ? given
    : fc.oneof({ arbitrary: fc.constantFrom(...existing), weight: 3 }, given);
}

interface Body {
  readonly headers: { readonly [name: string]: string };
  readonly bytes: Buffer;
}

function bodyOf(document: OpenApi, { requestBody }: Operation): fc.Arbitrary<Body | undefined> {
  if (requestBody === undefined) return fc.constant(undefined);
  const bodies = Object.entries(requestBody.content).map(([type, { schema }]) => {
    const json = arbitraryOf(schema, document.components.schemas).map((value) => JSON.stringify(value) ?? '');
    const text = fc.oneof(
      { arbitrary: json, weight: 8 },
      fc.constantFrom('', '[', '{"events":', '{"delivery":'.repeat(5_000), '['.repeat(60_000), '"\\ud800"'),
    );
    const bytes = fc.oneof(
      { arbitrary: text.map((value) => Buffer.from(value)), weight: 9 },
      fc.uint8Array({ maxLength: 64 }).map((value) => Buffer.from(value)),
    );
    return fc
      .tuple(bytes, fc.constantFrom('identity', 'identity', 'gzip', 'damaged gzip'))
      .map(([plain, encoding]): Body => {
        const headers = { 'content-type': type };
        if (encoding === 'identity') return { headers, bytes: plain };
        const packed = gzipSync(plain);
        const isDamaged = encoding !== 'gzip';
        return {
          headers: { ...headers, 'content-encoding': 'gzip' },
          bytes: isDamaged ? packed.subarray(0, packed.length >> 1) : packed,
        };
      });
  });
  return fc.oneof(...bodies);
}

/** Percent-encodes a text. Unlike `encodeURIComponent`, it also encodes lone surrogates, as three bytes each. */
function encode(text: string): string {
  return [...text]
    .map((character) => {
      if (character.isWellFormed()) return encodeURIComponent(character);
      const unit = character.charCodeAt(0);
      const bytes = [0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f)];
      return bytes.map((byte) => `%${byte.toString(16)}`).join('');
    })
    .join('');
}

/** Sends a request. A live stream is closed as soon as it begins. */
export async function send(base: string, key: string, fuzzed: FuzzedRequest): Promise<FuzzedAnswer> {
  const { method, path, headers, body } = fuzzed;
  const { hostname, port } = new URL(base);
  const outgoing = request({
    hostname,
    port,
    method,
    path,
    headers: {
      authorization: `Bearer ${key}`,
      ...headers,
      ...(body !== undefined && { 'content-length': String(body.length) }),
    },
  });
  return await new Promise((resolve, reject) => {
    outgoing.once('error', reject);
    outgoing.once('response', (response) => {
      const answer = (text: string) => ({
        status: response.statusCode!,
        retryAfter: response.headers['retry-after'],
        text,
      });
      if (response.headers['content-type']?.startsWith('text/event-stream') === true) {
        response.destroy();
        return resolve(answer(''));
      }
      readAll(response).then((text) => resolve(answer(text)), reject);
    });
    outgoing.end(body);
  });
}
