import { limits, type Violation } from '@tallystick/event';
import { isAnyArrayBuffer, isBoxedPrimitive, isDate, isError, isMap, isRegExp, isSet } from './kinds.ts';

/** How many object members may still be written, over all objects of one event. */
export interface KeyBudget {
  keys: number;
}

/**
 * Writes any JavaScript value as JSON that every parser accepts. A value that JSON can't represent does not lose the audit
 * event; another value replaces it.
 *
 * `docs/sdk/values.md` has the table of what is written for each kind of value.
 *
 * A value that exceeds a limit (depth, members, bytes) is reported as a violation: cutting it would falsify the event.
 *
 * @param key name of the member that has the value; `toJSON()` is called with it
 */
export function writeJson(
  root: unknown,
  depth: number,
  keysLeft: KeyBudget,
  found: Violation[],
  key = '',
): string | undefined {
  return new Writer(keysLeft, found).write(root, depth, key);
}

const unreadable = '"[Unreadable]"';

/** Replaces what some JSON parsers or databases refuse: lone surrogates and U+0000. */
function replaceInvalid(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}

/** JSON text of a string that every parser accepts. */
export function quote(text: string): string {
  return JSON.stringify(replaceInvalid(text));
}

const hugest = 1n << BigInt(limits.maxEventBytes);

/** Whether a number has too many digits for an event. Its decimal text would take seconds to compute. */
export function isHuge(value: bigint): boolean {
  return value > hugest || value < -hugest;
}

class Writer {
  readonly #keysLeft: KeyBudget;
  readonly #found: Violation[];
  /** The objects that contain the current one, outermost first. */
  readonly #parents: object[] = [];
  /** Characters written, plus one for each value visited. */
  #written = 0;

  constructor(keysLeft: KeyBudget, found: Violation[]) {
    this.#keysLeft = keysLeft;
    this.#found = found;
  }

  write(value: unknown, depth: number, key: string): string | undefined {
    // Values without text count too: an object that is shared at every level has an exponential number of values.
    if (++this.#written > limits.maxEventBytes) return this.#tooLarge();
    switch (typeof value) {
      case 'string':
        return this.#count(value.length > limits.maxEventBytes ? this.#tooLarge() : quote(value));
      case 'number':
        return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
          ? this.#count(String(Object.is(value, -0) ? 0 : value))
          : this.#count(`"${value}"`);
      case 'bigint':
        return isHuge(value) ? this.#tooLarge() : this.#count(`"${value}"`);
      case 'boolean':
        return value ? 'true' : 'false';
      case 'object':
        return value === null ? 'null' : this.#writeObject(value, depth, key);
      default:
        return undefined;
    }
  }

  #writeObject(value: object, depth: number, key: string): string | undefined {
    if (this.#found.length > 0) return 'null';
    if (this.#parents.includes(value)) return '"[Circular]"';
    if (depth > limits.maxDepth) {
      this.#report('EVENT_TOO_DEEP', `must be nested at most ${limits.maxDepth} levels deep`);
      return 'null';
    }
    this.#parents.push(value);
    try {
      return this.#writeByKind(value, depth, key);
    } catch {
      return this.#count(unreadable);
    } finally {
      this.#parents.pop();
    }
  }

  #writeByKind(value: object, depth: number, key: string): string | undefined {
    if (isDate(value)) {
      const ms = Date.prototype.getTime.call(value);
      return this.#count(Number.isNaN(ms) ? '"Invalid Date"' : `"${new Date(ms).toISOString()}"`);
    }
    if (ArrayBuffer.isView(value) || isAnyArrayBuffer(value)) return this.#bytes(value);
    const toJson = (value as { toJSON?: unknown }).toJSON;
    // One level deeper, so that a toJSON() that returns an object with a toJSON() again ends at the depth limit.
    if (typeof toJson === 'function') {
      const replacement = toJson.call(value, key);
      if (replacement !== value) return this.write(replacement, depth + 1, key);
    }
    if (Array.isArray(value)) return this.#list(value, depth);
    if (isMap(value)) return this.#pairs([...value], depth);
    if (isSet(value)) return this.#list(value, depth);
    if (isError(value)) return this.#error(value, depth);
    if (isRegExp(value)) return this.write(value.source, depth, key);
    if (isBoxedPrimitive(value)) return this.write(value.valueOf(), depth, key);
    if (isPairList(value)) return this.#pairs([...value], depth);
    if (value instanceof Blob) return this.#blob(value, depth);
    return this.#members(Object.keys(value), (name) => (value as Record<string, unknown>)[name], depth);
  }

  #list(items: Iterable<unknown>, depth: number): string {
    let text = '';
    let index = 0;
    for (const item of items) {
      if (this.#found.length > 0) break;
      text += `${text === '' ? '' : ','}${this.write(item, depth + 1, String(index++)) ?? this.#count('null')}`;
    }
    return `[${text}]`;
  }

  #members(keys: readonly string[], read: (key: string) => unknown, depth: number): string {
    let text = '';
    const replaced = new Set<string>();
    for (const key of keys) {
      if (this.#found.length > 0) break;
      if (--this.#keysLeft.keys < 0) {
        this.#report('EVENT_TOO_MANY_KEYS', `must have at most ${limits.maxKeys} object members in total`);
        break;
      }
      if (key.length > limits.maxEventBytes) {
        this.#tooLarge();
        break;
      }
      const member = this.#member(read, key, depth);
      if (member === undefined) continue;
      text += `${text === '' ? '' : ','}${this.#count(JSON.stringify(this.#uniqueName(key, keys, replaced)))}:${member}`;
    }
    return `{${text}}`;
  }

  /** A name after replacement must not equal another one: the service refuses an event with a repeated member. */
  #uniqueName(key: string, keys: readonly string[], replaced: Set<string>): string {
    let name = replaceInvalid(key);
    if (name === key) return key;
    while (replaced.has(name) || keys.includes(name)) name += '\ufffd';
    replaced.add(name);
    return name;
  }

  #member(read: (key: string) => unknown, key: string, depth: number): string | undefined {
    let value: unknown;
    try {
      value = read(key);
    } catch {
      return this.#count(unreadable);
    }
    return this.write(value, depth + 1, key);
  }

  /** An object if all names are different strings, else a list of pairs. */
  #pairs(pairs: readonly (readonly [unknown, unknown])[], depth: number): string {
    const members = new Map(pairs);
    const names = [...members.keys()];
    if (members.size === pairs.length && names.every((name) => typeof name === 'string')) {
      return this.#members(names, (name) => members.get(name), depth);
    }
    return this.#list(pairs, depth);
  }

  /**
   * Name, message, cause, the errors of an AggregateError, and the error's own members, without the stack. Libraries attach requests
   * and sockets to their errors. Only their class is named, since they could make the event too large.
   */
  #error(error: Error, depth: number): string {
    const { name, message, cause, errors } = error as Error & { errors?: unknown };
    const parts = new Map<string, unknown>([
      ['name', name],
      ['message', message],
    ]);
    for (const key of Object.keys(error)) {
      if (key !== 'stack' && !parts.has(key)) parts.set(key, describeInstance(Reflect.get(error, key)));
    }
    if (cause !== undefined) parts.set('cause', cause);
    if (Array.isArray(errors)) parts.set('errors', errors);
    return this.#members([...parts.keys()], (key) => parts.get(key), depth);
  }

  #blob(blob: Blob, depth: number): string {
    const { size, type } = blob;
    const parts: Record<string, unknown> = { name: (blob as { name?: unknown }).name, type, size };
    return this.#members(Object.keys(parts), (key) => parts[key], depth);
  }

  #bytes(value: ArrayBufferView | ArrayBufferLike): string {
    const bytes = ArrayBuffer.isView(value)
      ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
      : new Uint8Array(value);
    return bytes.length > limits.maxEventBytes
      ? this.#tooLarge()
      : this.#count(`"base64:${base64Of(bytes)}"`);
  }

  /** Counts the text, so that a hostile value can't produce much more text than an event may have. */
  #count(text: string): string {
    this.#written += text.length;
    return this.#written > limits.maxEventBytes ? this.#tooLarge() : text;
  }

  #tooLarge(): string {
    this.#report('EVENT_TOO_LARGE', `must be at most ${limits.maxEventBytes} bytes`);
    return 'null';
  }

  #report(code: Violation['code'], message: string): void {
    if (this.#found.length === 0) this.#found.push({ code, pointer: '', message });
  }
}

function base64Of(bytes: Uint8Array): string {
  let binary = '';
  // A call takes a limited number of arguments.
  for (let at = 0; at < bytes.length; at += 4_096) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 4_096));
  }
  return btoa(binary);
}

const pairLists: ReadonlySet<unknown> = new Set(['Headers', 'URLSearchParams', 'FormData']);

/** Whether the value is one of the web's lists of names and values. Own code may have such a class too, so it must be iterable. */
function isPairList(value: object): value is Iterable<[string, unknown]> {
  const tag = (value as { readonly [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
  return (
    pairLists.has(tag) && typeof (value as { [Symbol.iterator]?: unknown })[Symbol.iterator] === 'function'
  );
}

/** A text such as `[Socket]` for an instance of a class that {@link writeJson} has no rule for; any other value unchanged. */
function describeInstance(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const prototype = Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null;
  // The prototype of plain objects, of any realm, has no prototype itself.
  if (prototype === null || Object.getPrototypeOf(prototype) === null) return value;
  const known =
    typeof (value as { toJSON?: unknown }).toJSON === 'function' ||
    ArrayBuffer.isView(value) ||
    isAnyArrayBuffer(value) ||
    isMap(value) ||
    isSet(value) ||
    isRegExp(value) ||
    isBoxedPrimitive(value) ||
    isError(value) ||
    isPairList(value);
  return known ? value : `[${String(prototype.constructor?.name ?? 'object')}]`;
}
