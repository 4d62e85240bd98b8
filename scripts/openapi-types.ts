import { readFileSync } from 'node:fs';

/**
 * An OpenAPI 3.1 document, as far as {@link openApiTypes} translates it to TypeScript types. An unknown keyword is an error, so
 * that no part of the contract is silently left out. We do not use a library (openapi-typescript): it needs an older compiler
 * beside ours, and a conformance check can't easily name the types that it generates.
 */
export interface OpenApi {
  readonly paths: { readonly [path: string]: { readonly [method: string]: Operation } };
  readonly components: { readonly schemas: { readonly [name: string]: Schema } };
}

interface Operation {
  readonly operationId: string;
  readonly requestBody?: { readonly content: Content };
  readonly responses: { readonly [status: string]: { readonly content?: Content } };
}

interface Content {
  readonly [mediaType: string]: { readonly schema: Schema };
}

type Schema = boolean | { readonly [keyword: string]: unknown };

/** Keywords that narrow a value in ways that types can't say, or only describe it. */
const beyondTypes = new Set([
  ...['title', 'description', 'default', 'examples', 'deprecated', 'format', 'pattern', 'propertyNames'],
  ...[
    'minLength',
    'maxLength',
    'minimum',
    'maximum',
    'exclusiveMinimum',
    'multipleOf',
    'minItems',
    'maxItems',
  ],
]);
const said = new Set([
  ...['type', 'enum', 'const', '$ref', 'anyOf', 'oneOf', 'allOf', 'items'],
  ...['properties', 'required', 'additionalProperties'],
]);

/** A module with a type for each component, and `Operations`: path, method, requests and responses by operation id. */
export function openApiTypes(document: OpenApi): string {
  const components = Object.entries(document.components.schemas).map(
    ([name, schema]) => `export type ${name} = ${typeOf(schema)};\n`,
  );
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const { operationId, requestBody, responses } = operation;
      const answers = Object.entries(responses).map(
        ([status, { content }]) => `readonly ${status}: ${contentType(content)}`,
      );
      return (
        `  readonly ${key(operationId)}: { readonly path: ${JSON.stringify(path)}; ` +
        `readonly method: ${JSON.stringify(method.toUpperCase())}; ` +
        `readonly request: ${contentType(requestBody?.content)}; readonly responses: { ${answers.join('; ')} } };\n`
      );
    }),
  );
  return `${components.join('')}export interface Operations {\n${operations.join('')}}\n`;
}

/** By media type. */
function contentType(content: Content | undefined): string {
  if (content === undefined) return 'undefined';
  const types = Object.entries(content).map(
    ([type, { schema }]) => `readonly ${JSON.stringify(type)}: ${typeOf(schema)}`,
  );
  return `{ ${types.join('; ')} }`;
}

function typeOf(schema: Schema): string {
  if (typeof schema === 'boolean') return schema ? 'unknown' : 'never';
  for (const keyword of Object.keys(schema)) {
    if (!said.has(keyword) && !beyondTypes.has(keyword)) {
      throw new Error(`the document has a keyword that types can not be made of yet: ${keyword}`);
    }
  }
  const { $ref, enum: values, anyOf, oneOf, allOf } = schema;
  if (typeof $ref === 'string') return $ref.replace('#/components/schemas/', '');
  if ('const' in schema) return JSON.stringify(schema.const);
  if (Array.isArray(values)) return union(values.map((value) => JSON.stringify(value)));
  const parts: string[] = [];
  if (schema.type !== undefined) {
    parts.push(union([schema.type].flat().map((type) => ofType(String(type), schema))));
  }
  for (const choice of [anyOf, oneOf]) {
    if (Array.isArray(choice)) parts.push(union(choice.map(typeOf)));
  }
  if (Array.isArray(allOf)) parts.push(...allOf.map(typeOf));
  return parts.length === 0 ? 'unknown' : parts.map((part) => `(${part})`).join(' & ');
}

function ofType(type: string, schema: { readonly [keyword: string]: unknown }): string {
  switch (type) {
    case 'integer':
      return 'number';
    case 'array':
      return `readonly (${typeOf((schema.items ?? true) as Schema)})[]`;
    case 'object':
      return objectType(schema);
    case 'string':
    case 'number':
    case 'boolean':
    case 'null':
      return type;
    default:
      throw new Error(`the document has an unknown type: ${type}`);
  }
}

function objectType(schema: { readonly [keyword: string]: unknown }): string {
  const { properties = {}, additionalProperties = true } = schema as {
    properties?: { [name: string]: Schema };
    additionalProperties?: Schema;
  };
  const required = new Set((schema.required ?? []) as string[]);
  const members = Object.entries(properties).map(
    ([name, member]) => `readonly ${key(name)}${required.has(name) ? '' : '?'}: ${typeOf(member)}`,
  );
  // Beside named members an index signature would have to admit them too; object types are open as it is.
  if (members.length === 0 && additionalProperties !== false) {
    return `{ readonly [member: string]: ${typeOf(additionalProperties)} }`;
  }
  return `{ ${members.join('; ')} }`;
}

function union(types: readonly string[]): string {
  return [...new Set(types)].join(' | ') || 'never';
}

function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

if (import.meta.main) {
  const [file] = process.argv.slice(2);
  if (file === undefined) throw new Error('usage: node scripts/openapi-types.ts <document.json>');
  process.stdout.write(openApiTypes(JSON.parse(readFileSync(file, 'utf8')) as OpenApi));
}
