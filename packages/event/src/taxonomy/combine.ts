import type { EventTypes, Taxonomy } from './taxonomy.ts';

/** The types of several taxonomies. A type that more than one has is declared by the first. */
type CombinedTypes<L extends readonly Taxonomy[]> = L extends readonly [
  Taxonomy<infer T>,
  ...infer Rest extends readonly Taxonomy[],
]
  ? T & Omit<CombinedTypes<Rest>, keyof T>
  : unknown;

/** One taxonomy with the event types of several. */
export type CombinedTaxonomy<L extends readonly Taxonomy[]> =
  CombinedTypes<L> extends infer T extends EventTypes ? Taxonomy<{ [K in keyof T]: T[K] }> : never;

/**
 * Combines taxonomies, such as an application's own and {@link agent} for an emitter that a gate shares with the application. If
 * several have a type, the first declares its category and its payload.
 *
 * @example
 * const audit = createAuditEmitter({ service: 'triage', taxonomy: combineTaxonomies(soc, agent) });
 */
export function combineTaxonomies<const L extends readonly [Taxonomy, ...Taxonomy[]]>(
  ...taxonomies: L
): CombinedTaxonomy<L> {
  const types = Object.freeze([...new Set(taxonomies.flatMap((taxonomy) => taxonomy.types))]);
  const find = (type: string) => {
    for (const taxonomy of taxonomies) {
      const declared = taxonomy.find(type);
      if (declared !== undefined) return declared;
    }
    return undefined;
  };
  const combined: Taxonomy = Object.freeze({
    name: taxonomies.map((taxonomy) => taxonomy.name).join('+'),
    types,
    categories: Object.freeze([...new Set(types.map((type) => find(type)!.category))]),
    find,
  });
  return combined as unknown as CombinedTaxonomy<L>;
}
