import { eventJsonSchema } from '@tallystick/event';
import { type ProblemCode, problemKindOf } from '@tallystick/protocol';
import type * as z from 'zod';
import type { AccessRule, Endpoint, ResponseRule } from '../kernel/endpoint.ts';
import { parameterSchema } from '../kernel/parameters.ts';
import { version } from '../kernel/version.ts';
import { resolve, toSchema } from './json-schema.ts';
import { eventViewSchema, problemSchema } from './view-schemas.ts';

/**
 * The OpenAPI 3.1 document, made from the very objects that validate. A generator of our own: zod's JSON Schema is
 * draft 2020-12, which is what 3.1 takes as it stands, and bodies here are bytes of several media types that no
 * framework's schema compiler ever sees.
 */
export type OpenApiDocument = { readonly [member: string]: unknown } & {
  readonly info: { readonly [member: string]: unknown } & {
    readonly title: string;
    readonly version: string;
    readonly description: string;
  };
  readonly tags: readonly { readonly name: string; readonly description?: string }[];
  readonly paths: { readonly [path: string]: { readonly [method: string]: Operation } };
};

export type Operation = { readonly [member: string]: unknown } & {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
};

type Json = { [member: string]: unknown };

/** What any route with a key can answer. */
const common: readonly ProblemCode[] = ['CLOSING', 'INTERNAL_ERROR'];
const ofKeys: readonly ProblemCode[] = ['UNAUTHENTICATED', 'STORE_UNAVAILABLE'];

export function openApiDocument(endpoints: readonly Endpoint[]): OpenApiDocument {
  const { $schema: _, ...event } = eventJsonSchema();
  const components: Json = { AuditEvent: event, EventView: eventViewSchema(event), Problem: problemSchema };
  const paths: { [path: string]: { [method: string]: Operation } } = {};
  for (const each of endpoints) {
    paths[each.path] ??= {};
    paths[each.path]![each.method.toLowerCase()] = operationOf(each, components);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tallystick',
      version,
      description:
        'Tamper-evident, multi-tenant audit logging. Errors are RFC 9457 problems with a stable code.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(endpoints.map((each) => each.tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: components,
      securitySchemes: {
        apiKey: {
          type: 'http',
          scheme: 'bearer',
          description: 'An API key, `tally_<id>_<secret>`. Its scopes and tenants say what it may do.',
        },
      },
    },
  };
}

function operationOf(each: Endpoint, components: Json): Operation {
  const parameters = [
    ...parametersOf(each.params, 'path', components),
    ...parametersOf(each.query, 'query', components),
    ...Object.entries(each.headers ?? {}).map(([name, description]) => ({
      name,
      in: 'header',
      description,
      schema: { type: 'string' },
    })),
  ];
  const needs = scopeText(each.access);
  return {
    operationId: each.operationId,
    tags: [each.tag],
    summary: each.summary,
    ...((each.description ?? needs) !== undefined && {
      description: [each.description, needs].filter((part) => part !== undefined).join('\n\n'),
    }),
    ...(parameters.length > 0 && { parameters }),
    ...(each.body !== undefined && { requestBody: requestBodyOf(each.body, components) }),
    responses: merge(responsesOf(each, components), problemsOf(each)),
    security: each.access === 'open' ? [] : [{ apiKey: [] }],
  };
}

function scopeText(access: AccessRule): string | undefined {
  if (access === 'open') return undefined;
  if (access === 'key') return 'Any valid key.';
  if (access === 'operator') return 'Needs the scope `admin`, and a key for every tenant.';
  return `Needs the scope \`${access}\`.`;
}

function parametersOf(
  fields: z.ZodObject<Record<string, z.ZodType>> | undefined,
  place: 'path' | 'query',
  components: Json,
): Json[] {
  return Object.entries(fields?.shape ?? {}).map(([name, type]) => {
    const { description, ...schema } = (parameterSchema(type) ?? toSchema(type, components, 'input')) as Json;
    return {
      name,
      in: place,
      required: place === 'path' || !type.safeParse(undefined).success,
      ...(description !== undefined && { description }),
      schema,
    };
  });
}

function requestBodyOf(body: NonNullable<Endpoint['body']>, components: Json): Json {
  if ('schema' in body) {
    return {
      required: true,
      content: { 'application/json': { schema: toSchema(body.schema, components, 'input') } },
    };
  }
  const content = Object.entries(body.content).map(([type, { schema, description }]) => [
    type,
    {
      schema: {
        ...(resolve(schema, components, 'input') as Json),
        ...(description !== undefined && { description }),
      },
    },
  ]);
  return { required: true, content: Object.fromEntries(content) };
}

function responsesOf(each: Endpoint, components: Json): Json {
  const entries = Object.entries(each.responses).map(([status, rule]: [string, ResponseRule]) => {
    const type = rule.type ?? (rule.schema === undefined ? undefined : 'application/json');
    const schema =
      rule.schema === undefined ? { type: 'string' } : resolve(rule.schema, components, 'output');
    return [
      status,
      { description: rule.description, ...(type !== undefined && { content: { [type]: { schema } } }) },
    ];
  });
  return Object.fromEntries(entries);
}

/** A status may stand for an answer of the route's own and for a problem. */
function merge(own: Json, problems: Json): Json {
  const merged = { ...problems, ...own };
  for (const status of Object.keys(own)) {
    if (problems[status] === undefined) continue;
    const [answer, problem] = [own[status], problems[status]] as { description: string; content?: Json }[];
    merged[status] = {
      description: `${answer!.description}; or ${problem!.description}`,
      content: { ...answer!.content, ...problem!.content },
    };
  }
  return merged;
}

/** Problems by status, with the codes that each can carry. */
function problemsOf(each: Endpoint): Json {
  const codes = [
    ...common,
    ...(each.access === 'open' ? [] : ofKeys),
    ...(each.access === 'open' || each.access === 'key' ? [] : (['FORBIDDEN'] as const)),
    ...(each.params === undefined && each.query === undefined ? [] : (['PARAMETER_INVALID'] as const)),
    ...(each.body === undefined ? [] : bodyCodes),
    ...(each.body !== undefined && 'schema' in each.body ? (['BODY_INVALID'] as const) : []),
    ...(each.problems ?? []),
  ];
  const byStatus = Map.groupBy([...new Set<ProblemCode>(codes)].sort(), (code) => problemKindOf(code).status);
  const entries = [...byStatus].map(([status, list]) => [
    String(status),
    {
      description: list.map((code) => `\`${code}\``).join(', '),
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    },
  ]);
  return Object.fromEntries(entries);
}

const bodyCodes: readonly ProblemCode[] = [
  'BODY_MALFORMED',
  'CONTENT_ENCODING_UNSUPPORTED',
  'CONTENT_TYPE_UNSUPPORTED',
  'JSON_DUPLICATE_KEY',
  'JSON_INVALID',
  'TOO_LARGE',
  'UTF8_INVALID',
];
