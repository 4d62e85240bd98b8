/** The members of an OpenAPI document that this page reads itself. The viewer reads the rest. */
export interface OpenApiDocument {
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description?: string }[];
  readonly paths: { readonly [path: string]: { readonly [method: string]: OpenApiOperation } };
}

interface OpenApiOperation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly responses: { readonly [status: string]: OpenApiResponse };
}

interface OpenApiResponse {
  readonly description: string;
  readonly content?: { readonly [type: string]: unknown };
}

/** One operation in the list at the side. */
export interface ListedOperation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
}

/** @throws {Error} if the service does not answer with the document */
export async function readDocument(root: URL): Promise<OpenApiDocument> {
  const response = await fetch(new URL('openapi.json', root), { credentials: 'same-origin' });
  if (!response.ok)
    throw new Error(`The service answered ${response.status} for openapi.json. Load the page again.`);
  return (await response.json()) as OpenApiDocument;
}

/** All operations, in the document's order. */
export function operationsOf({ paths }: OpenApiDocument): readonly ListedOperation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, summary, tags }]) => ({
      ...{ id: operationId, method, path, summary, tag: tags[0] ?? '' },
    })),
  );
}

/**
 * The document with the body of a problem left out where a status has no other one: it is the same for each of the hundreds of
 * problems, and the page describes it once, as the schema `Problem`.
 */
export function briefly(document: OpenApiDocument): OpenApiDocument {
  const shorter = ([status, { content, ...rest }]: [string, OpenApiResponse]) => {
    const types = Object.keys(content ?? {});
    const isProblem = types.length === 1 && types[0] === 'application/problem+json';
    return [status, isProblem ? rest : { content, ...rest }];
  };
  const briefOperation = (operation: OpenApiOperation): OpenApiOperation => ({
    ...operation,
    responses: Object.fromEntries(Object.entries(operation.responses).map(shorter)),
  });
  const briefPath = (methods: OpenApiDocument['paths'][string]) =>
    Object.fromEntries(Object.entries(methods).map(([method, each]) => [method, briefOperation(each)]));
  const paths = Object.entries(document.paths).map(([path, methods]) => [path, briefPath(methods)]);
  return { ...document, paths: Object.fromEntries(paths) };
}

/** The operations in which each word of a text occurs: in the summary, the path, the method, the id or the tag. */
export function matching(operations: readonly ListedOperation[], text: string): readonly ListedOperation[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return operations.filter(({ id, method, path, summary, tag }) => {
    const searched = `${method} ${path} ${summary} ${id} ${tag}`.toLowerCase();
    return words.every((word) => searched.includes(word));
  });
}

/** The address of an operation inside this page, in the viewer's notation. */
export function linkOf({ tag, id }: Pick<ListedOperation, 'tag' | 'id'>): string {
  return `#/${encodeURIComponent(tag)}/${encodeURIComponent(id)}`;
}
