import type { Violation } from '../errors.ts';
import { limits } from '../schema/limits.ts';
import { report } from './check.ts';

interface Walk {
  readonly trail: (string | number)[];
  readonly found: Violation[];
  keys: number;
}

/**
 * Checks the limits of every value in an event: nesting; number of members; numbers that every language can read (finite,
 * integers within ±(2^53−1), I-JSON, RFC 7493 section 2.2); strings without lone surrogates, which UTF-8 does not have, and
 * without U+0000, which jsonb of Postgres does not have.
 */
export function checkJsonLimits(value: unknown, found: Violation[]): void {
  const walk: Walk = { trail: [], found, keys: 0 };
  visit(value, 1, walk);
  if (walk.keys > limits.maxKeys) {
    report(found, [], 'EVENT_TOO_MANY_KEYS', `must have at most ${limits.maxKeys} object members in total`);
  }
}

function visit(value: unknown, depth: number, walk: Walk): void {
  switch (typeof value) {
    case 'string':
      checkString(value, walk);
      return;
    case 'number':
      if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
        report(
          walk.found,
          walk.trail,
          'NUMBER_OUT_OF_RANGE',
          'must be finite; an integer must be within ±(2^53−1)',
        );
      }
      return;
    case 'boolean':
      return;
    case 'object':
      break;
    default:
      report(walk.found, walk.trail, 'VALUE_NOT_JSON', `must be a JSON value, not a ${typeof value}`);
      return;
  }
  if (value === null) return;
  if (depth > limits.maxDepth) {
    report(walk.found, walk.trail, 'EVENT_TOO_DEEP', `must be nested at most ${limits.maxDepth} levels deep`);
    return;
  }
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      walk.trail.push(index);
      visit(value[index], depth + 1, walk);
      walk.trail.pop();
    }
    return;
  }
  for (const key in value) {
    const member = (value as Record<string, unknown>)[key];
    if (member === undefined) continue;
    if (++walk.keys > limits.maxKeys) return;
    walk.trail.push(key);
    checkString(key, walk);
    visit(member, depth + 1, walk);
    walk.trail.pop();
  }
}

function checkString(text: string, walk: Walk): void {
  if (!text.isWellFormed()) {
    report(walk.found, walk.trail, 'STRING_LONE_SURROGATE', 'must not contain a lone surrogate');
  } else if (text.includes('\0')) {
    report(walk.found, walk.trail, 'STRING_NUL', 'must not contain U+0000');
  }
}
