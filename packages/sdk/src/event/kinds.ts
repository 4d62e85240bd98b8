/**
 * The kind of an object, whatever realm made it: a `vm` context or jsdom has its own `Date` and `Map`. As `types` of `node:util`,
 * which edge runtimes do not have. An object's class and its `Symbol.toStringTag` prove nothing; the built-in methods throw unless
 * the object is of their kind.
 */
type Getter = (this: unknown) => unknown;

const timeOf = Date.prototype.getTime as Getter;
const sizeOfMap = getter(Map.prototype, 'size');
const sizeOfSet = getter(Set.prototype, 'size');
const flagOfPattern = getter(RegExp.prototype, 'global');
const lengthOfBuffer = getter(ArrayBuffer.prototype, 'byteLength');
const lengthOfShared =
  typeof SharedArrayBuffer === 'undefined' ? undefined : getter(SharedArrayBuffer.prototype, 'byteLength');
const boxed = [Number, String, Boolean, BigInt, Symbol].map(({ prototype }) => prototype.valueOf as Getter);

export const isDate = (value: object): value is Date => accepts(timeOf, value);
export const isMap = (value: object): value is Map<unknown, unknown> => accepts(sizeOfMap, value);
export const isSet = (value: object): value is Set<unknown> => accepts(sizeOfSet, value);
export const isRegExp = (value: object): value is RegExp =>
  value !== RegExp.prototype && accepts(flagOfPattern, value);
export const isBoxedPrimitive = (value: object): boolean => boxed.some((method) => accepts(method, value));
export const isAnyArrayBuffer = (value: object): value is ArrayBufferLike =>
  accepts(lengthOfBuffer, value) || (lengthOfShared !== undefined && accepts(lengthOfShared, value));

/** Also an error of another realm, and an object that was made from Error's prototype. */
export function isError(value: unknown): value is Error {
  if (value instanceof Error) return true;
  const { isError: test } = Error as { isError?: (value: unknown) => boolean };
  if (test !== undefined) return test(value);
  return (
    typeof value === 'object' && value !== null && Object.prototype.toString.call(value) === '[object Error]'
  );
}

function accepts(method: Getter, value: object): boolean {
  try {
    // Most objects are plain, and an exception costs more than this test.
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === Array.prototype) return false;
    method.call(value);
    return true;
  } catch {
    return false;
  }
}

function getter(prototype: object, name: string): Getter {
  return Object.getOwnPropertyDescriptor(prototype, name)!.get!;
}
