import { parseTimestamp } from './check.ts';
import { limits } from './limits.ts';
import type { ObjectShape, Shape } from './shape.ts';

/**
 * The quick question, yes or no, that almost every event is asked: five times as fast as `check.ts` and `json-limits.ts`,
 * which say what is wrong and where, and are asked only when the answer here is no. A property test holds the two to the
 * same answer. `npm run bench -- validate` shows what it costs.
 */
type Fits = (value: unknown) => boolean;

const compiled = new WeakMap<Shape, Fits>();

/** The quick check of a shape; made once for each. */
export function fitsOf(shape: Shape): Fits {
  let fits = compiled.get(shape);
  if (fits === undefined) {
    fits = compile(shape);
    compiled.set(shape, fits);
  }
  return fits;
}

/** Makes one function of a shape, with everything decided beforehand that does not depend on the value. */
function compile(shape: Shape): Fits {
  switch (shape.kind) {
    case 'string': {
      const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern, format } = shape;
      if (format === 'timestamp')
        return (value) => typeof value === 'string' && !Number.isNaN(parseTimestamp(value));
      if (pattern === undefined) {
        return (value) => typeof value === 'string' && value.length >= minLength && value.length <= maxLength;
      }
      return (value) =>
        typeof value === 'string' &&
        value.length >= minLength &&
        value.length <= maxLength &&
        pattern.test(value);
    }
    case 'enum': {
      const { values } = shape;
      return (value) => typeof value === 'string' && values.includes(value);
    }
    case 'number':
    case 'integer': {
      const { kind, minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = shape;
      return (value) =>
        typeof value === 'number' &&
        value >= minimum &&
        value <= maximum &&
        (kind === 'number' || Number.isInteger(value));
    }
    case 'boolean':
      return (value) => typeof value === 'boolean';
    case 'list': {
      const { maxItems = Number.POSITIVE_INFINITY } = shape;
      const fits = compile(shape.items);
      return (value) => Array.isArray(value) && value.length <= maxItems && value.every(fits);
    }
    case 'object':
      return compileObject(shape);
    case 'any':
      return () => true;
  }
}

function compileObject(shape: ObjectShape): Fits {
  // A Map, because a member may be named like something on Object.prototype.
  const members = new Map(
    Object.entries(shape.fields).map(([name, field]) => [
      name,
      { fits: compile(field), required: field.required === true },
    ]),
  );
  const needed = [...members.values()].filter((member) => member.required).length;
  const { open } = shape;
  if (members.size === 0 && open) return isObject;
  return (value) => {
    if (!isObject(value)) return false;
    let missing = needed;
    const object = value as Record<string, unknown>;
    for (const name in object) {
      const member = object[name];
      if (member === undefined) continue;
      const known = members.get(name);
      if (known === undefined) {
        if (open) continue;
        return false;
      }
      if (!known.fits(member)) return false;
      if (known.required) missing--;
    }
    return missing === 0;
  };
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Whether a value is JSON within the limits of depth, members and numbers, with strings that every language can hold.
 *
 * @param stringsAreClean whether the caller knows that of every string, from the text that the value was parsed from
 */
export function isWithinLimits(value: unknown, stringsAreClean: boolean): boolean {
  return countWithin(value, 1, limits.maxKeys, stringsAreClean) >= 0;
}

/** Members still allowed after this value, negative once something is out of bounds. */
function countWithin(value: unknown, depth: number, allowed: number, stringsAreClean: boolean): number {
  switch (typeof value) {
    case 'string':
      return stringsAreClean || isClean(value) ? allowed : -1;
    case 'number':
      return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
        ? allowed
        : -1;
    case 'boolean':
      return allowed;
    case 'object':
      break;
    default:
      return -1;
  }
  if (value === null) return allowed;
  if (depth > limits.maxDepth) return -1;
  let left = allowed;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length && left >= 0; index++) {
      left = countWithin(value[index], depth + 1, left, stringsAreClean);
    }
    return left;
  }
  for (const key in value) {
    const member = (value as Record<string, unknown>)[key];
    if (member === undefined) continue;
    if (left === 0 || !(stringsAreClean || isClean(key))) return -1;
    left = countWithin(member, depth + 1, left - 1, stringsAreClean);
    if (left < 0) return -1;
  }
  return left;
}

function isClean(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/**
 * Whether no string in this JSON text can hold U+0000 or a lone surrogate: both can only be written as an escape, unless
 * the text itself is ill-formed.
 */
export function hasCleanStrings(jsonText: string): boolean {
  return !jsonText.includes('\\u') && jsonText.isWellFormed();
}
