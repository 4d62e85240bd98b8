import { limits } from '@tallystick/event';

/** An object that several members share is small in memory, but JSON repeats it. This bounds the walk over such values. */
const maxVisits = limits.maxEventBytes / 2;

/**
 * Whether `JSON.stringify` writes the value as {@link writeJson} would: it consists of plain objects, arrays and JSON's own
 * primitives, is not nested too deep and not too large for an event. Most payloads are like that, and only the others need the slower
 * writer. The caller checks the strings after they are written, which is cheaper than one by one.
 *
 * A value that contains itself exceeds the depth limit. Throws what a getter or a proxy throws.
 */
export function isPlainJson(value: unknown, depth: number): boolean {
  visits = 0;
  characters = 0;
  return isPlain(value, depth);
}

/**
 * Owned by the current walk. Only a getter that emits can start another walk in between; the counter then restarts, which
 * only makes the outer walk longer.
 */
let visits = 0;
/** Of all strings so far. A longer text is not written just to be measured: 50 MB would block the process for a quarter of a second. */
let characters = 0;

function isPlain(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
      characters += value.length;
      return characters <= limits.maxEventBytes;
    case 'boolean':
    case 'undefined':
      return true;
    case 'number':
      // Outside of this range there are only large integers, infinities and NaN.
      return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;
    case 'object':
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (depth > limits.maxDepth || ++visits > maxVisits) return false;
  if (Array.isArray(value)) {
    // Each element takes at least two bytes of JSON. A sparse array can have a huge length.
    if (value.length > maxVisits) return false;
    for (let index = 0; index < value.length; index++) {
      if (!isPlain(value[index], depth + 1)) return false;
    }
    return true;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  for (const key in value) {
    characters += key.length;
    if (characters > limits.maxEventBytes || !isPlain((value as Record<string, unknown>)[key], depth + 1))
      return false;
  }
  return true;
}

/** Whether JSON text has more object members than an event may have. A member takes at least five characters: `"":1,`. */
export function hasTooManyMembers(text: string): boolean {
  if (text.length < limits.maxKeys * 5) return false;
  let members = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit === 0x22) inString = !inString;
    else if (inString) index += unit === 0x5c ? 1 : 0;
    else if (unit === 0x3a) members++;
  }
  return members > limits.maxKeys;
}
