import { eventTypePattern } from '../schema/event.ts';
import type { Fields, Infer, ObjectShape, Shape } from '../schema/shape.ts';

/** The parts of an event whose content an event type may declare. */
export type PayloadPart = 'context' | 'decision' | 'outcome' | 'proof' | 'event_data' | 'metadata';

/** The declaration of one event type. */
export interface EventTypeDeclaration<C extends string = string> {
  readonly category: C;
  readonly description: string;
  /** Shapes of the parts of events of this type. Mark a part `required(…)` where every event of the type must have it. */
  readonly payload?: { readonly [P in PayloadPart]?: ObjectShape<Fields> };
}

/** A taxonomy's types, by name. */
export type EventTypes = { readonly [type: string]: EventTypeDeclaration };

/** What a taxonomy declares for one type. `payload` has the shapes of its parts. */
export interface DeclaredType {
  readonly category: string;
  readonly description: string;
  readonly payload: { readonly [part: string]: Shape };
}

/**
 * A closed set of event types. The type parameter has their names and payload shapes, so an unknown type, or a payload that does
 * not fit, is a compile error where the event is emitted.
 */
export interface Taxonomy<T extends EventTypes = EventTypes, K extends string = keyof T & string> {
  readonly name: string;
  /**
   * Every event type, in the order of declaration. `K` is a separate type parameter, because `keyof T` here would make `T`
   * invariant. Then a declared taxonomy could not be passed as a general `Taxonomy`.
   */
  readonly types: readonly K[];
  readonly categories: readonly string[];
  /** The declaration of a type, or `undefined` for a type that the taxonomy does not have. */
  find(type: string): DeclaredType | undefined;
  /** For type inference of `T` only; never present at run time. */
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
 * @throws {TypeError} for a malformed event type: the service would later refuse every event of that type
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

/** Declares several types of one category with the same payload parts. */
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
