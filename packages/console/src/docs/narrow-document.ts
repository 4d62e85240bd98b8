/** A part of an OpenAPI document, as JSON. */
type Json = { readonly [name: string]: unknown };

/**
 * The document without the operations and components that an operation does not need. The viewer follows all references of the document that
 * it gets each time the reader opens an operation: of the whole document, that took seconds.
 *
 * @param path where the part is that the viewer wants: `['paths', '/v1/audit/events', 'get']`
 */
export function narrowDocument(document: Json, [place, name = '', method = '']: readonly string[]): Json {
  if (place !== 'paths') return { ...document, paths: {} };
  const operation = memberOf(memberOf(document.paths, name), method);
  if (operation === undefined) return document;
  return {
    ...document,
    paths: { [name]: { [method]: operation } },
    components: componentsFor(operation, document.components),
  };
}

/** The components to which a value refers, and those to which these refer. */
function componentsFor(value: unknown, components: unknown): Json {
  const needed = new Set(referencesIn(value));
  const found: { [kind: string]: { [name: string]: unknown } } = {};
  // A set has each reference once, and the loop also visits those that are added meanwhile, so it ends where components refer to each other.
  for (const reference of needed) {
    const [, , kind = '', name = ''] = reference.split('/');
    const component = memberOf(memberOf(components, kind), name);
    if (component === undefined) continue;
    found[kind] = { ...found[kind], [name]: component };
    for (const further of referencesIn(component)) needed.add(further);
  }
  return { ...found, securitySchemes: memberOf(components, 'securitySchemes') ?? {} };
}

/** Every `#/components/…` in a value. */
function referencesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    name === '$ref' && typeof member === 'string' && member.startsWith('#/components/')
      ? [member]
      : referencesIn(member),
  );
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Json)[name];
}
