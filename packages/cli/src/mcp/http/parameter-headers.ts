/** Token of RFC 9110, section 5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const maxDepth = 16;
const maxTools = 10_000;

interface Annotation {
  readonly header: string;
  readonly path: readonly string[];
}

/**
 * Which arguments a server wants repeated in headers: revision 2026-07-28, "Custom Headers from Tool Parameters". The lists of tools
 * that pass say so.
 */
export class ParameterHeaders {
  /** Owned by this object. */
  readonly #byTool = new Map<string, readonly Annotation[]>();

  /** Reads the result of `tools/list`. */
  learn(result: unknown): void {
    const { tools } = Object(result) as { readonly tools?: unknown };
    for (const tool of Array.isArray(tools) ? (tools as unknown[]) : []) {
      const { name, inputSchema } = Object(tool) as {
        readonly name?: unknown;
        readonly inputSchema?: unknown;
      };
      if (typeof name !== 'string') continue;
      const annotations = [...annotationsIn(inputSchema, [])];
      if (annotations.length === 0) this.#byTool.delete(name);
      else if (this.#byTool.has(name) || this.#byTool.size < maxTools) this.#byTool.set(name, annotations);
    }
  }

  /** The values for a call, by the names of their headers. */
  of(tool: unknown, args: unknown): { readonly [name: string]: string } {
    const headers: { [name: string]: string } = {};
    for (const { header, path } of this.#byTool.get(String(tool)) ?? []) {
      let value: unknown = args;
      for (const name of path)
        value = Object.hasOwn(Object(value), name) ? (value as { [name: string]: unknown })[name] : undefined;
      if (typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value))
        headers[`mcp-param-${header}`] = String(value);
    }
    return headers;
  }
}

function* annotationsIn(schema: unknown, path: readonly string[]): Generator<Annotation> {
  const { properties } = Object(schema) as { readonly properties?: unknown };
  if (path.length > maxDepth) return;
  for (const [name, property] of Object.entries(Object(properties) as object)) {
    const header = (Object(property) as { readonly 'x-mcp-header'?: unknown })['x-mcp-header'];
    const here = [...path, name];
    if (typeof header === 'string' && token.test(header)) yield { header: header.toLowerCase(), path: here };
    yield* annotationsIn(property, here);
  }
}
