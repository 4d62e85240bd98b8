/**
 * A small schema language. One declaration gives the TypeScript type ({@link Infer}), the run-time check (`check.ts`) and the
 * JSON Schema (`json-schema.ts`). General validators such as zod were rejected: one takes several times as long per event as
 * everything else that `emit()` does (`npm run bench -- validate` measures it).
 */
import type { EventErrorCode } from '../errors.ts';

interface Common {
  readonly description?: string;
  /** Code to report for a malformed value, in place of the general `FIELD_*`. */
  readonly code?: EventErrorCode;
  readonly required?: true;
}

export interface StringShape extends Common {
  readonly kind: 'string';
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: RegExp;
  /** What the error says of a text that does not match `pattern`: `must be …`. Without it, the error has the pattern. */
  readonly expected?: string;
  /** JSON Schema `format`, but for `ip`, which JSON Schema lacks. For `timestamp`, the calendar must also have the date. */
  readonly format?: 'timestamp' | 'uuid' | 'uri' | 'ip';
}
export interface EnumShape<V extends string = string> extends Common {
  readonly kind: 'enum';
  readonly values: readonly V[];
}
export interface NumberShape extends Common {
  readonly kind: 'number' | 'integer';
  readonly minimum?: number;
  readonly maximum?: number;
}
export interface BooleanShape extends Common {
  readonly kind: 'boolean';
}
export interface ListShape<S extends Shape = Shape> extends Common {
  readonly kind: 'list';
  readonly items: S;
  readonly maxItems?: number;
}
/** An object's members, each with its shape. */
export interface ObjectShape<F extends Fields = Fields> extends Common {
  readonly kind: 'object';
  readonly fields: F;
  /** Whether the object may have members beyond `fields`, with any JSON value. */
  readonly open: boolean;
}
/** Any JSON value. */
export interface AnyShape extends Common {
  readonly kind: 'any';
}

/** The declaration of a JSON value. */
export type Shape =
  | StringShape
  | EnumShape
  | NumberShape
  | BooleanShape
  | ListShape<Shape>
  | ObjectShape<Fields>
  | AnyShape;

/** Shapes of an object's members, by name. */
export interface Fields {
  readonly [name: string]: Shape;
}

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

type RequiredKeys<F extends Fields> = {
  [K in keyof F]: F[K] extends { required: true } ? K : never;
}[keyof F];
type Members<F extends Fields> = { -readonly [K in RequiredKeys<F>]: Infer<F[K]> } & {
  -readonly [K in Exclude<keyof F, RequiredKeys<F>>]?: Infer<F[K]>;
};

/** The TypeScript type of the values that a shape admits. */
export type Infer<S> = S extends { kind: 'string' }
  ? string
  : S extends { kind: 'enum'; values: readonly (infer V)[] }
    ? V
    : S extends { kind: 'number' | 'integer' }
      ? number
      : S extends { kind: 'boolean' }
        ? boolean
        : S extends { kind: 'list'; items: infer I }
          ? Infer<I>[]
          : S extends { kind: 'object'; fields: infer F extends Fields; open: infer O }
            ? O extends true
              ? Members<F> & { [key: string]: unknown }
              : Members<F>
            : unknown;

type Options<S extends Shape> = Omit<S, 'kind' | 'required'>;

export const string = <const O extends Options<StringShape>>(options?: O) =>
  ({ kind: 'string', ...options }) as { kind: 'string' } & O;
export const enumeration = <const V extends string>(values: readonly V[], options?: Common) =>
  ({ kind: 'enum', values, ...options }) as EnumShape<V>;
export const number = (options?: Options<NumberShape>) => ({ kind: 'number', ...options }) as const;
export const integer = (options?: Options<NumberShape>) => ({ kind: 'integer', ...options }) as const;
export const boolean = (options?: Options<BooleanShape>) => ({ kind: 'boolean', ...options }) as const;
export const list = <const S extends Shape>(items: S, options?: Omit<ListShape, 'kind' | 'items'>) =>
  ({ kind: 'list', items, ...options }) as {
    kind: 'list';
    items: S;
    maxItems?: number;
    description?: string;
  };
export const any = (options?: Common) => ({ kind: 'any', ...options }) as const;

/** An object that may have members beyond the declared ones. */
export const openObject = <const F extends Fields>(fields: F, options?: Common) =>
  ({ kind: 'object', fields, open: true, ...options }) as {
    kind: 'object';
    fields: F;
    open: true;
    description?: string;
  };
/** An object that may have the declared members only. */
export const closedObject = <const F extends Fields>(fields: F, options?: Common) =>
  ({ kind: 'object', fields, open: false, ...options }) as {
    kind: 'object';
    fields: F;
    open: false;
    description?: string;
  };

/** Marks a member as required. */
export const required = <const S extends Shape>(shape: S) =>
  ({ ...shape, required: true }) as S & { required: true };
