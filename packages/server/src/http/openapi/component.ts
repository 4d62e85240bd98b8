import type { Json } from '@tallystick/event';
import * as z from 'zod';

/** Names of the schemas that the document lists among its components and refers to. */
export const componentNames = z.registry<{ id: string }>();

/**
 * A type without differences that do not show in JSON: `readonly`, and `undefined` as the value of an optional member. `Json` refers
 * to itself, so it is compared as a whole.
 */
type Plain<T> = [T, Json] extends [Json, T]
  ? 'any JSON value'
  : T extends object
    ? { -readonly [K in keyof T]: Plain<Exclude<T[K], undefined>> }
    : T;

type Identical<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

type Describes<Given, T> =
  Identical<Plain<Given>, Plain<T>> extends true ? unknown : { readonly describes: T };

/**
 * Gives an answer's schema its name in the document. It compiles only if the schema describes exactly the protocol's type.
 *
 * @typeParam T the protocol's type of the answer
 */
export function answer<T>() {
  return <S extends z.ZodType>(id: string, schema: S & Describes<z.output<S>, T>): S => name(id, schema);
}

/**
 * The same for a request: what a client sends, before defaults are filled in.
 *
 * @typeParam T the protocol's type of the request
 */
export function request<T>() {
  return <S extends z.ZodType>(id: string, schema: S & Describes<z.input<S>, T>): S => name(id, schema);
}

function name<S extends z.ZodType>(id: string, schema: S): S {
  componentNames.add(schema, { id });
  return schema;
}

/** Scalars that many schemas use. */
export const hash = z.string().regex(/^[0-9a-f]{64}$/);
export const base64 = z.string().describe('32 bytes, standard base64 with padding');
export const time = z.iso.datetime();
export const count = z.int().min(0);

/** JSON Schema describes a range as a list of numbers: generators of clients disagree on how to write a pair. */
export const range = z.array(count) as unknown as z.ZodType<[first: number, last: number]>;
