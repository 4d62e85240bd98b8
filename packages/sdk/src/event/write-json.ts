import { limits, type Violation } from '@tallystick/event';
import type { Allowance } from './plain.ts';

/**
 * Writes any JavaScript value as JSON that every reader takes. An audit event is not lost for a value that JSON
 * can't hold; it says in a string what stood there:
 *
 * | value | becomes |
 * |---|---|
 * | `undefined`, function, symbol | left out; `null` in an array |
 * | `NaN`, `Infinity`, integers beyond ±(2^53−1), `BigInt` | their decimal text, as a string |
 * | `Date` | RFC 3339 text, or `"Invalid Date"` |
 * | anything with `toJSON()` | what that returns |
 * | `Map` | an object where all keys are strings, else a list of pairs; `Set`: a list |
 * | `Error` | `{name, message, code?, cause?}`, without the stack |
 * | `Buffer`, typed array, `ArrayBuffer` | `"base64:…"` |
 * | `RegExp` | its source; boxed primitives: the primitive |
 * | other class instances | their own enumerable members |
 * | a value that contains itself | `"[Circular]"` where it comes again |
 * | a getter, proxy or `toJSON` that throws | `"[Unreadable]"` |
 * | lone surrogates and U+0000 in text | U+FFFD |
 *
 * What breaks a limit (depth, members, bytes) is reported instead, since cutting it would falsify the event.
 */
export function writeJson(
  root: unknown,
  depth: number,
  left: Allowance,
  found: Violation[],
): string | undefined {
  return new Writer(left, found).write(root, depth);
}

const unreadable = '"[Unreadable]"';

function mend(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}

/** JSON text of a string that every reader takes. */
export function quote(text: string): string {
  return JSON.stringify(mend(text));
}

class Writer {
  readonly #left: Allowance;
  readonly #found: Violation[];
  /** The objects that are open above the current one. */
  readonly #path: object[] = [];
  #units = 0;

  constructor(left: Allowance, found: Violation[]) {
    this.#left = left;
    this.#found = found;
  }

  write(value: unknown, depth: number): string | undefined {
    // Counted also where nothing is written: what is shared at every level is endless in text.
    if (++this.#units > limits.maxEventBytes) return this.#tooLarge();
    switch (typeof value) {
      case 'string':
        return this.#take(value.length > limits.maxEventBytes ? this.#tooLarge() : quote(value));
      case 'number':
        return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
          ? this.#take(String(Object.is(value, -0) ? 0 : value))
          : this.#take(`"${value}"`);
      case 'bigint':
        return this.#take(`"${value}"`);
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
    if (this.#path.includes(value)) return '"[Circular]"';
    if (depth > limits.maxDepth) {
      this.#report('EVENT_TOO_DEEP', `must be nested at most ${limits.maxDepth} levels deep`);
      return 'null';
    }
    this.#path.push(value);
    try {
      return this.#writeByKind(value, depth);
    } catch {
      return this.#take(unreadable);
    } finally {
      this.#path.pop();
    }
  }

  #writeByKind(value: object, depth: number): string | undefined {
    if (value instanceof Date) {
      return this.#take(Number.isNaN(value.getTime()) ? '"Invalid Date"' : `"${value.toISOString()}"`);
    }
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return this.#bytes(value);
    const toJson = (value as { toJSON?: unknown }).toJSON;
    // One level deeper, so that a toJSON that answers with more of its kind ends at the depth limit.
    if (typeof toJson === 'function') {
      const stands = toJson.call(value, '');
      if (stands !== value) return this.write(stands, depth + 1);
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
      text += `${text === '' ? '' : ','}${this.write(item, depth + 1) ?? this.#take('null')}`;
    }
    return `[${text}]`;
  }

  #members(keys: readonly string[], read: (key: string) => unknown, depth: number): string {
    let text = '';
    const mended = new Set<string>();
    for (const key of keys) {
      if (this.#found.length > 0) break;
      if (--this.#left.keys < 0) {
        this.#report('EVENT_TOO_MANY_KEYS', `must have at most ${limits.maxKeys} object members in all`);
        break;
      }
      const member = this.#member(read, key, depth);
      if (member === undefined) continue;
      text += `${text === '' ? '' : ','}${this.#take(JSON.stringify(this.#name(key, keys, mended)))}:${member}`;
    }
    return `{${text}}`;
  }

  /** A mended name must not meet another: a repeated member would have the whole event refused. */
  #name(key: string, keys: readonly string[], mended: Set<string>): string {
    let name = mend(key);
    if (name === key) return key;
    while (mended.has(name) || keys.includes(name)) name += '\ufffd';
    mended.add(name);
    return name;
  }

  #member(read: (key: string) => unknown, key: string, depth: number): string | undefined {
    let value: unknown;
    try {
      value = read(key);
    } catch {
      return this.#take(unreadable);
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
      : this.#take(`"base64:${bytes.toString('base64')}"`);
  }

  /** Counts what was written, so that a hostile value can't make a text much larger than an event may be. */
  #take(text: string): string {
    this.#units += text.length;
    return this.#units > limits.maxEventBytes ? this.#tooLarge() : text;
  }

  #tooLarge(): string {
    this.#report('EVENT_TOO_LARGE', `must be at most ${limits.maxEventBytes} bytes`);
    return 'null';
  }

  #report(code: Violation['code'], message: string): void {
    if (this.#found.length === 0) this.#found.push({ code, pointer: '', message });
  }
}
