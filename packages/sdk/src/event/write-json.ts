import { limits, type Violation } from '@tallystick/event';

/** How many object members may still be written, over all objects of one event. */
export interface KeyBudget {
  keys: number;
}

/**
 * Writes any JavaScript value as JSON that every parser accepts. A value that JSON can't represent does not lose the audit
 * event; another value replaces it:
 *
 * | value | written as |
 * |---|---|
 * | `undefined`, function, symbol | left out; `null` in an array |
 * | `NaN`, `Infinity`, integers beyond ±(2^53−1), `BigInt` | their decimal text, as a string |
 * | `Date` | RFC 3339 text, or `"Invalid Date"` |
 * | anything with `toJSON()` | what that returns |
 * | `Map` | an object where all keys are strings, else a list of pairs; `Set`: a list |
 * | `Error` | `{name, message, code?, cause?}`, without the stack |
 * | `Buffer`, typed array, `ArrayBuffer` | `"base64:…"` |
 * | `RegExp` | its source; boxed primitives: the primitive |
 * | another class instance | its own enumerable members |
 * | an object that contains itself | `"[Circular]"` at the inner place |
 * | a getter, proxy or `toJSON` that throws | `"[Unreadable]"` |
 * | lone surrogates and U+0000 in text | U+FFFD |
 *
 * A value that exceeds a limit (depth, members, bytes) is reported as a violation: cutting it would falsify the event.
 */
export function writeJson(
  root: unknown,
  depth: number,
  keysLeft: KeyBudget,
  found: Violation[],
): string | undefined {
  return new Writer(keysLeft, found).write(root, depth);
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

  write(value: unknown, depth: number): string | undefined {
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
        return this.#count(`"${value}"`);
      case 'boolean':
        return value ? 'true' : 'false';
      case 'object':
        return value === null ? 'null' : this.#writeObject(value, depth);
      default:
        return undefined;
    }
  }

  #writeObject(value: object, depth: number): string | undefined {
    if (this.#found.length > 0) return 'null';
    if (this.#parents.includes(value)) return '"[Circular]"';
    if (depth > limits.maxDepth) {
      this.#report('EVENT_TOO_DEEP', `must be nested at most ${limits.maxDepth} levels deep`);
      return 'null';
    }
    this.#parents.push(value);
    try {
      return this.#writeByKind(value, depth);
    } catch {
      return this.#count(unreadable);
    } finally {
      this.#parents.pop();
    }
  }

  #writeByKind(value: object, depth: number): string | undefined {
    if (value instanceof Date) {
      return this.#count(Number.isNaN(value.getTime()) ? '"Invalid Date"' : `"${value.toISOString()}"`);
    }
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return this.#bytes(value);
    const toJson = (value as { toJSON?: unknown }).toJSON;
    // One level deeper, so that a toJSON() that returns an object with a toJSON() again ends at the depth limit.
    if (typeof toJson === 'function') {
      const replacement = toJson.call(value, '');
      if (replacement !== value) return this.write(replacement, depth + 1);
    }
    if (Array.isArray(value)) return this.#list(value, depth);
    if (value instanceof Map) return this.#map(value, depth);
    if (value instanceof Set) return this.#list(value, depth);
    if (value instanceof Error) return this.#error(value, depth);
    if (value instanceof RegExp) return this.write(value.source, depth);
    if (value instanceof String || value instanceof Number || value instanceof Boolean) {
      return this.write(value.valueOf(), depth);
    }
    return this.#members(Object.keys(value), (key) => (value as Record<string, unknown>)[key], depth);
  }

  #list(items: Iterable<unknown>, depth: number): string {
    let text = '';
    for (const item of items) {
      if (this.#found.length > 0) break;
      text += `${text === '' ? '' : ','}${this.write(item, depth + 1) ?? this.#count('null')}`;
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
    return this.write(value, depth + 1);
  }

  #map(map: Map<unknown, unknown>, depth: number): string {
    const keys = [...map.keys()];
    if (keys.every((key) => typeof key === 'string'))
      return this.#members(keys, (key) => map.get(key), depth);
    return this.#list(map, depth);
  }

  #error(error: Error, depth: number): string {
    const { code, cause } = error as { code?: unknown; cause?: unknown };
    const parts: Record<string, unknown> = { name: error.name, message: error.message };
    if (typeof code === 'string' || typeof code === 'number') parts.code = code;
    if (cause !== undefined) parts.cause = cause;
    return this.#members(Object.keys(parts), (key) => parts[key], depth);
  }

  #bytes(value: ArrayBufferView | ArrayBuffer): string {
    const bytes = ArrayBuffer.isView(value)
      ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
      : Buffer.from(value);
    return bytes.length > limits.maxEventBytes
      ? this.#tooLarge()
      : this.#count(`"base64:${bytes.toString('base64')}"`);
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
