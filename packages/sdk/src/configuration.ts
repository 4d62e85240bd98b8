/**
 * Checks of options that all parts of the SDK share. An emitter or transport rejects a misspelt or invalid option when it
 * is created: found later, the mistake would have cost events or leaked secrets.
 */
import { AuditError } from './errors.ts';

type Defined<O> = { readonly [K in keyof O]: Exclude<O[K], undefined> };

/**
 * The given options, with defaults for those that are missing or `undefined`. (Programs often pass on a setting that they
 * may not have.)
 *
 * @param what name of the options in error messages, such as `spool`
 * @param withoutDefault names of the options that `defaults` does not contain
 * @throws {AuditError} `CONFIG_INVALID` if `given` is not an object, or has an unknown member
 */
export function readOptions<O extends object, D extends object>(
  what: string,
  given: O,
  defaults: D,
  withoutDefault: readonly Exclude<keyof O, keyof D>[] = [],
): Defined<O> & D {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw invalidConfig(`${what} must be an object`);
  }
  const names: ReadonlySet<unknown> = new Set([...Object.keys(defaults), ...withoutDefault]);
  const members = Object.entries(given);
  for (const [name] of members) {
    if (!names.has(name)) {
      throw invalidConfig(`${what} has no option ${name}; the options are ${[...names].join(', ')}`);
    }
  }
  const defined = Object.fromEntries(members.filter(([, value]) => value !== undefined));
  return { ...defaults, ...defined } as Defined<O> & D;
}

/**
 * The default maximum is the largest number that a timer supports.
 *
 * @throws {AuditError} `CONFIG_INVALID` unless `value` is an integer from `min` to `max`
 */
export function requireInteger(name: string, value: unknown, min: number, max = 2 ** 31 - 1): void {
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
    throw invalidConfig(`${name} must be an integer from ${min} to ${max}`);
  }
}

/** @throws {AuditError} `CONFIG_INVALID` unless `value` has all these methods */
export function requireMethods(name: string, value: unknown, methods: readonly string[], hint = ''): void {
  const has = (method: string) =>
    typeof (value as { [name: string]: unknown } | null)?.[method] === 'function';
  if (!methods.every(has))
    throw invalidConfig(`${name} must have ${methods.map((method) => `${method}()`).join(', ')}${hint}`);
}

/** The error for an invalid option of an emitter or transport. */
export function invalidConfig(message: string): AuditError {
  return new AuditError('CONFIG_INVALID', message);
}
