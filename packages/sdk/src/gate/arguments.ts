/**
 * The arguments of an action. They come from a model or from the caller's objects, so they are hostile: getters and proxies can
 * answer differently each time. They are read exactly once. Everything later (decision, approval, execution) uses the copy.
 */
import { type Json, toPointer } from '@tallystick/event';
import { GateError } from './errors.ts';

/** An event has at most 32 levels, and the arguments begin at its third. */
const maxDepth = 28;
const maxKeys = 1_500;
/** UTF-16 code units of all strings and names together. An event has at most 256 KiB. */
const maxCharacters = 64 * 1024;

interface Budget {
  keys: number;
  characters: number;
}

/**
 * A frozen copy of the arguments as plain JSON.
 *
 * @throws {GateError} `ARGUMENTS_INVALID` for a value that JSON does not have, and beyond the limits
 */
export function copyArguments(value: unknown): Json {
  return copy(value, [], { keys: maxKeys, characters: maxCharacters });
}

function copy(value: unknown, trail: readonly string[], budget: Budget): Json {
  switch (typeof value) {
    case 'string':
      spend(value, trail, budget);
      if (value.includes('\0') || !value.isWellFormed())
        throw invalid(trail, 'must not contain U+0000 or a lone surrogate');
      return value;
    case 'boolean':
      return value;
    case 'number':
      if (Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))) return value;
      throw invalid(trail, 'must be a finite number, and an integer must be within ±(2^53 − 1)');
    case 'object':
      break;
    default:
      throw invalid(trail, `must be JSON, not a ${typeof value}`);
  }
  if (value === null) return null;
  if (trail.length >= maxDepth) throw invalid(trail, `must have at most ${maxDepth} levels`);
  return isList(value, trail) ? copyList(value, trail, budget) : copyObject(value, trail, budget);
}

function copyList(list: readonly unknown[], trail: readonly string[], budget: Budget): Json {
  // The length that a proxy gives may be anything.
  const length = Number(read(list, 'length', trail));
  budget.keys -= length;
  if (budget.keys < 0) throw invalid(trail, `must have at most ${maxKeys} members and items in total`);
  const items: Json[] = [];
  for (let index = 0; index < length; index++) {
    items.push(copy(read(list, index, trail), [...trail, String(index)], budget));
  }
  return Object.freeze(items);
}

function copyObject(object: object, trail: readonly string[], budget: Budget): Json {
  if (!isPlain(object))
    throw invalid(trail, 'must be a plain object: convert dates, maps and instances first');
  const members: [string, Json][] = [];
  for (const name of namesOf(object, trail)) {
    budget.keys--;
    if (budget.keys < 0) throw invalid(trail, `must have at most ${maxKeys} members and items in total`);
    spend(name, trail, budget);
    if (name.includes('\0') || !name.isWellFormed())
      throw invalid(trail, 'must not have a name with U+0000 or a lone surrogate');
    const value = read(object, name, trail);
    // As in JSON.stringify, a member that is undefined is absent.
    if (value !== undefined) members.push([name, copy(value, [...trail, name], budget)]);
  }
  // Unlike an assignment, fromEntries keeps a member named __proto__ as a member.
  return Object.freeze(Object.fromEntries(members));
}

function spend(text: string, trail: readonly string[], budget: Budget): void {
  budget.characters -= text.length;
  if (budget.characters < 0) throw invalid(trail, `must have at most ${maxCharacters} characters in total`);
}

function isList(value: object, trail: readonly string[]): value is readonly unknown[] {
  try {
    return Array.isArray(value);
  } catch (cause) {
    throw invalid(trail, 'could not be read', cause);
  }
}

/** Objects of another realm have another `Object.prototype`, so the prototype's own prototype is compared. */
function isPlain(object: object): boolean {
  try {
    const prototype: unknown = Object.getPrototypeOf(object);
    return prototype === null || Object.getPrototypeOf(prototype) === null;
  } catch {
    return false;
  }
}

function namesOf(object: object, trail: readonly string[]): readonly string[] {
  try {
    return Object.keys(object);
  } catch (cause) {
    throw invalid(trail, 'could not be read', cause);
  }
}

function read(object: object, name: string | number, trail: readonly string[]): unknown {
  try {
    return Reflect.get(object, name);
  } catch (cause) {
    throw invalid([...trail, String(name)], 'could not be read', cause);
  }
}

function invalid(trail: readonly string[], what: string, cause?: unknown): GateError {
  const pointer = toPointer(trail).slice(0, 200).toWellFormed().replaceAll('\0', '\ufffd');
  return new GateError(
    'ARGUMENTS_INVALID',
    `the arguments${pointer === '' ? '' : ` at ${pointer}`}: ${what}`,
    {
      cause,
    },
  );
}
