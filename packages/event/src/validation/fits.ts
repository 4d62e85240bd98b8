import { limits } from '../schema/limits.ts';
import type { ObjectShape, Shape } from '../schema/shape.ts';
import { parseTimestamp } from './check.ts';

/**
 * Whether a value fits a shape, yes or no. This check is five times as fast as `check.ts` and `json-limits.ts`, which report what
 * is wrong and where. They run only for events that this check refuses. A property test compares the answers of both, and
 * `npm run bench -- validate` measures them.
 */
type Fits = (value: unknown) => boolean;

const compiled = new WeakMap<Shape, Fits>();

/**
 * The fast check of a shape, made once per shape: `true` only for values in which {@link checkShape} finds nothing. For a `false`, call
 * that function, which says what is wrong and where.
 *
 * @returns a function that throws what a getter of the value throws
 */
export function fitsOf(shape: Shape): (value: unknown) => boolean {
  let fits = compiled.get(shape);
  if (fits === undefined) {
    fits = compile(shape);
    compiled.set(shape, fits);
  }
  return fits;
}

/** Compiles a shape to one function. Everything that does not depend on the value is decided here. */
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
  // A Map, because a member can have the name of a property of Object.prototype.
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
 * Whether a value is JSON within the limits of depth, members and numbers, and its strings contain neither U+0000 nor a lone
 * surrogate.
 *
 * @param stringsAreClean whether the caller knows the latter from the text that the value was parsed from
 */
export function isWithinLimits(value: unknown, stringsAreClean: boolean): boolean {
  return countWithin(value, 1, limits.maxKeys, stringsAreClean) >= 0;
}

/** Number of members that are still allowed after this value; negative where a limit is exceeded. */
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
 * Whether no string in this JSON text can contain U+0000 or a lone surrogate. Well-formed text can only contain them as
 * escapes.
 */
export function hasCleanStrings(jsonText: string): boolean {
  return !jsonText.includes('\\u') && jsonText.isWellFormed();
}
