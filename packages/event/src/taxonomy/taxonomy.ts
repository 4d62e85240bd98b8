import { eventTypePattern } from '../event.ts';
import type { Fields, Infer, ObjectShape, Shape } from '../shape.ts';

/** The parts of an event whose content an event type may declare. */
export type PayloadPart = 'context' | 'decision' | 'outcome' | 'proof' | 'event_data' | 'metadata';

/** What a taxonomy says of one event type. */
export interface EventTypeDeclaration<C extends string = string> {
  readonly category: C;
  readonly description: string;
  /** Shapes of the parts that this type fills; mark one `required(…)` where an event of the type needs it. */
  readonly payload?: { readonly [P in PayloadPart]?: ObjectShape<Fields> };
}

/** A taxonomy's types, by name. */
export type EventTypes = { readonly [type: string]: EventTypeDeclaration };

/** What a taxonomy says of one type; `payload` has the shapes of the parts that the type fills. */
export interface DeclaredType {
  readonly category: string;
  readonly description: string;
  readonly payload: { readonly [part: string]: Shape };
}

/**
 * A closed set of event types. The type parameter keeps the names and payload shapes, so that a wrong type or a
 * payload that does not fit is a compile error where the event is emitted.
 */
export interface Taxonomy<T extends EventTypes = EventTypes, K extends string = keyof T & string> {
  readonly name: string;
  /**
   * Every event type, in the order of declaration. A parameter of its own: `keyof T` here would make `T` invariant, and
   * no declared taxonomy could be passed where any is taken.
   */
  readonly types: readonly K[];
  readonly categories: readonly string[];
  /** What is declared of a type, or `undefined` for one that is not in the taxonomy. */
  find(type: string): DeclaredType | undefined;
  /** Carries `T` for inference; never present at run time. */
  readonly declares?: T;
}

/** The names of a taxonomy's event types. */
export type EventTypeOf<X> = X extends Taxonomy<infer T> ? keyof T & string : never;

type PartsOf<D> = D extends { payload: infer P } ? P : Record<never, never>;

/** The parts of an event that type `K` of taxonomy `X` declares, as TypeScript types. */
export type PayloadOf<X, K extends string> =
  X extends Taxonomy<infer T>
    ? K extends keyof T
      ? {
          [P in keyof PartsOf<T[K]> as PartsOf<T[K]>[P] extends { required: true } ? P : never]: Infer<
            PartsOf<T[K]>[P]
          >;
        } & {
          [P in keyof PartsOf<T[K]> as PartsOf<T[K]>[P] extends { required: true } ? never : P]?: Infer<
            PartsOf<T[K]>[P]
          >;
        }
      : never
    : never;

/**
 * Declares a taxonomy.
 *
 * @throws {TypeError} for a malformed event type: a typo here would refuse every event of the type later
 */
export function defineTaxonomy<const T extends EventTypes>(definition: {
  readonly name: string;
  readonly types: T;
}): Taxonomy<T> {
  const declared = new Map<string, DeclaredType>();
  for (const [type, declaration] of Object.entries(definition.types)) {
    if (!eventTypePattern.test(type))
      throw new TypeError(`taxonomy ${definition.name}: malformed event type ${type}`);
    const { category, description, payload = {} } = declaration;
    declared.set(
      type,
      Object.freeze({ category, description, payload: payload as { [part: string]: Shape } }),
    );
  }
  return Object.freeze({
    name: definition.name,
    types: Object.freeze([...declared.keys()]) as readonly (keyof T & string)[],
    categories: Object.freeze([...new Set([...declared.values()].map((type) => type.category))]),
    find: (type: string) => declared.get(type),
  });
}

/** Declares several types of one category whose payload parts are the same. */
export function typesOf<
  const C extends string,
  const D extends { readonly [type: string]: string },
  const P extends { readonly [K in PayloadPart]?: ObjectShape<Fields> },
>(
  category: C,
  payload: P,
  descriptions: D,
): { [K in keyof D]: { category: C; description: string; payload: P } } {
  return Object.fromEntries(
    Object.entries(descriptions).map(([type, description]) => [type, { category, description, payload }]),
  ) as { [K in keyof D]: { category: C; description: string; payload: P } };
}
