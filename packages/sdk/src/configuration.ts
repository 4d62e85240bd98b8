/** What the options of every part have in common. A misspelt or senseless option, found out later, costs events, or secrets. */
import { AuditError } from './errors.ts';

type Defined<O> = { readonly [K in keyof O]: Exclude<O[K], undefined> };

/**
 * Options with defaults in place of what is left out. `undefined` is left out: programs pass on what they may not have.
 *
 * @param what names the options in messages: `spool`, say
 * @param required the other names that there are
 * @throws {AuditError} `CONFIG_INVALID` for what is no object of options, or has a member that is none of them
 */
export function readOptions<O extends object, D extends object>(
  what: string,
  given: O,
  defaults: D,
  required: readonly Exclude<keyof O, keyof D>[] = [],
): Defined<O> & D {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw refusal(`${what} must be an object`);
  }
  const names: ReadonlySet<unknown> = new Set([...Object.keys(defaults), ...required]);
  const members = Object.entries(given);
  for (const [name] of members) {
    if (!names.has(name)) throw refusal(`${what} has no option ${name}: there are ${[...names].join(', ')}`);
  }
  const said = Object.fromEntries(members.filter(([, value]) => value !== undefined));
  return { ...defaults, ...said } as Defined<O> & D;
}

/** @throws {AuditError} `CONFIG_INVALID` unless it is a whole number that a timer or a counter can hold */
export function requireWhole(name: string, value: unknown, least: number, most = 2 ** 31 - 1): void {
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
    throw refusal(`${name} must be a whole number, at least ${least} and at most ${most}`);
  }
}

/** @throws {AuditError} `CONFIG_INVALID` unless all of these can be called on it */
export function requireMethods(name: string, value: unknown, methods: readonly string[], hint = ''): void {
  const has = (method: string) =>
    typeof (value as { [name: string]: unknown } | null)?.[method] === 'function';
  if (!methods.every(has))
    throw refusal(`${name} must have ${methods.map((m) => `${m}()`).join(', ')}${hint}`);
}

/** What the making of an emitter or a transport throws for its options. */
export function refusal(message: string): AuditError {
  return new AuditError('CONFIG_INVALID', message);
}
