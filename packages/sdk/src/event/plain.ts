import { limits } from '@tallystick/event';

/** What is left of the limits while one event is read. */
export interface Allowance {
  keys: number;
}

/**
 * Whether the engine's own `JSON.stringify` writes this value just as the rules of `write-json.ts` would: plain
 * objects, arrays and JSON's own primitives, within depth and size. Most payloads are; only the others pay for the
 * slow writer. Text is looked at after it is written, which is cheaper than string by string.
 *
 * Cyclic values end at the depth limit. May throw what a getter or a proxy throws.
 */
export function isPlainJson(value: unknown, depth: number, left: Allowance): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return true;
    case 'number':
      return Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value);
    case 'object':
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (depth > limits.maxDepth) return false;
  if (Array.isArray(value)) {
    // A hole or a huge length must not buy a long walk: each element takes two bytes at least.
    if (value.length * 2 > limits.maxEventBytes) return false;
    for (let index = 0; index < value.length; index++) {
      if (!isPlainJson(value[index], depth + 1, left)) return false;
    }
    return true;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  for (const key in value) {
    if (--left.keys < 0 || !isPlainJson((value as Record<string, unknown>)[key], depth + 1, left))
      return false;
  }
  return true;
}
