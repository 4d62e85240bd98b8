import { limits } from '@tallystick/event';

/** What is left of the limits while one event is read. */
export interface Allowance {
  keys: number;
}

/** An object that is shared at every level is small in memory and endless in text. */
const maxVisits = limits.maxEventBytes / 2;

/**
 * Whether the engine's own `JSON.stringify` writes this value just as the rules of `write-json.ts` would: plain
 * objects, arrays and JSON's own primitives, within depth and of no absurd size. Most payloads are; only the others
 * pay for the slow writer. Text is looked at after it is written, which is cheaper than string by string.
 *
 * Cyclic values end at the depth limit. May throw what a getter or a proxy throws.
 */
export function isPlainJson(value: unknown, depth: number): boolean {
  visits = 0;
  return isPlain(value, depth);
}

/** Owned by the walk under way, which nothing interrupts but a getter's own emit; that only makes it longer. */
let visits = 0;

function isPlain(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return true;
    case 'number':
      // Beyond these there are only integers, infinities and NaN.
      return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;
    case 'object':
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (depth > limits.maxDepth || ++visits > maxVisits) return false;
  if (Array.isArray(value)) {
    // A hole or a huge length must not buy a long walk: each element takes two bytes at least.
    if (value.length > maxVisits) return false;
    for (let index = 0; index < value.length; index++) {
      if (!isPlain(value[index], depth + 1)) return false;
    }
    return true;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  for (const key in value) {
    if (!isPlain((value as Record<string, unknown>)[key], depth + 1)) return false;
  }
  return true;
}

/** A member takes five characters at least: `"":1,`. Shorter text can't hold too many, and need not be counted. */
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
