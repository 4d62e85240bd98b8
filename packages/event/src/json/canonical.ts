/**
 * Canonical JSON, RFC 8785 (JCS): members sorted by UTF-16 code units, numbers and strings as ECMAScript writes them, no white
 * space. Two values are equal exactly if their canonical texts are equal.
 *
 * Fast path: sort the members into new objects, and let `JSON.stringify` of the engine write them. Sorted objects are not
 * copied. JavaScript moves integer-like keys ("10", "9") to the front, and takes an assigned `__proto__` for the prototype. So
 * an object with such a key takes the slow path, which writes member by member. `npm run bench -- canonical` measures both.
 */

/** Thrown for a value without canonical JSON: it is not JSON, or contains a lone surrogate or a number that is not finite. */
export class CanonicalizationError extends Error {
  override readonly name = 'CanonicalizationError';
}

/**
 * The RFC 8785 text of a JSON value. Members that are `undefined` are left out.
 *
 * @throws {CanonicalizationError} for a value outside JSON, a number that is not finite (3.2.2.3) or a string with
 *   a lone surrogate (3.2.2.2)
 */
export function canonicalize(value: unknown): string {
  const view = sortedView(value);
  const text = view === unsortable ? write(value) : JSON.stringify(view);
  // JSON.stringify writes only lone surrogates as \udXXX. The text can also contain an escaped backslash before "ud", so a
  // match needs a closer check.
  if (text.includes('\\ud')) assertWellFormed(value);
  return text;
}

/** Whether `text` is the canonical JSON of the value that it denotes: `JCS(parse(text)) = text`. */
export function isCanonical(text: string): boolean {
  try {
    return canonicalize(JSON.parse(text)) === text;
  } catch {
    return false;
  }
}

const unsortable = Symbol('unsortable');

/** `value` itself if its members are sorted, or a copy with sorted members, or {@link unsortable}. */
function sortedView(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw new CanonicalizationError('a number must be finite');
      return value;
    case 'object':
      if (value === null) return value;
      assertPlain(value);
      return Array.isArray(value) ? sortedArray(value) : sortedObject(value as Record<string, unknown>);
    default:
      throw new CanonicalizationError(`a ${typeof value} is not JSON`);
  }
}

function sortedArray(list: readonly unknown[]): unknown {
  let copy: unknown[] | undefined;
  for (let index = 0; index < list.length; index++) {
    const view = sortedView(list[index]);
    if (view === unsortable) return unsortable;
    if (copy !== undefined) copy.push(view);
    else if (view !== list[index]) {
      copy = list.slice(0, index);
      copy.push(view);
    }
  }
  return copy ?? list;
}

function sortedObject(object: Record<string, unknown>): unknown {
  let changed = false;
  let previous = '';
  const keys = Object.keys(object);
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index]!;
    const first = key.charCodeAt(0);
    if ((first >= 48 && first <= 57) || key === '__proto__') return unsortable;
    if (key < previous) changed = true;
    previous = key;
  }
  if (changed) keys.sort();
  let copy: Record<string, unknown> | undefined = changed ? {} : undefined;
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index]!;
    const member = object[key];
    if (member === undefined) continue;
    const view = sortedView(member);
    if (view === unsortable) return unsortable;
    if (copy !== undefined) copy[key] = view;
    else if (view !== member) {
      copy = {};
      for (let before = 0; before < index; before++) copy[keys[before]!] = object[keys[before]!];
      copy[key] = view;
    }
  }
  return copy ?? object;
}

/** The slow path, member by member: correct for every key, and about half as fast. */
function write(value: unknown): string {
  if (typeof value !== 'object' || value === null) {
    sortedView(value);
    return JSON.stringify(value);
  }
  let text = '';
  assertPlain(value);
  if (Array.isArray(value)) {
    for (const item of value) text += (text === '' ? '' : ',') + write(item);
    return `[${text}]`;
  }
  for (const key of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[key];
    if (member === undefined) continue;
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${write(member)}`;
  }
  return `{${text}}`;
}

function assertPlain(value: object): void {
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') {
    throw new CanonicalizationError('an object with a toJSON method is not a JSON value');
  }
}

function assertWellFormed(value: unknown): void {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new CanonicalizationError('a string must not contain a lone surrogate');
  } else if (Array.isArray(value)) {
    for (const item of value) assertWellFormed(item);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      assertWellFormed(key);
      assertWellFormed(member);
    }
  }
}
