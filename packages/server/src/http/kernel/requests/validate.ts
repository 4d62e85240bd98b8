import { AuditValidationError, decodeUtf8, parseStrictJson } from '@tallystick/event';
import type { ProblemCode } from '@tallystick/protocol';
import type * as z from 'zod';
import { reasonsOf } from '../../../ingest/admit/schema-reasons.ts';
import { exceededBound } from '../../../input/json-bounds.ts';
import { HttpProblem } from '../problems.ts';
import { findUnstorable } from './unstorable.ts';

/**
 * Checks parameters or a body against a schema.
 *
 * @throws {HttpProblem} with the given code and the reasons
 */
export function validate<T>(type: z.ZodType<T>, value: unknown, code: ProblemCode): T {
  const result = type.safeParse(value);
  if (result.success) return result.data;
  const errors = reasonsOf(result.error, code);
  const first = errors[0]!;
  throw new HttpProblem(code, `${first.pointer === '' ? 'the body' : first.pointer} ${first.message}`, {
    errors,
  });
}

/**
 * Refuses texts that the store can not hold, in every parameter and every member of a body, also where the schema allows any
 * text.
 *
 * @throws {HttpProblem} with the given code
 */
export function assertStorable(value: unknown, code: ProblemCode): void {
  const pointer = findUnstorable(value);
  if (pointer === undefined) return;
  const message = 'must be text without U+0000 and without lone surrogates';
  throw new HttpProblem(code, `${pointer === '' ? 'the body' : pointer} ${message}`, {
    errors: [{ code, pointer, message }],
  });
}

/** More than any JSON body of a route has, apart from ingest. */
const bodyBounds = { maxDepth: 8, maxValues: 10_000 };

/**
 * Reads a small JSON body strictly.
 *
 * @throws {HttpProblem} `JSON_INVALID`, `JSON_DUPLICATE_KEY`, `UTF8_INVALID` or `BODY_INVALID`
 */
export function readJson<T>(body: Buffer, type: z.ZodType<T>): T {
  const exceeded = exceededBound(body, bodyBounds);
  if (exceeded !== undefined) throw new HttpProblem('BODY_INVALID', `the body ${exceeded}`);
  try {
    const value = parseStrictJson(decodeUtf8(body));
    assertStorable(value, 'BODY_INVALID');
    return validate(type, value, 'BODY_INVALID');
  } catch (error) {
    if (!(error instanceof AuditValidationError)) throw error;
    throw new HttpProblem(error.code, `the body ${error.violations[0]!.message}`, {
      errors: error.violations,
    });
  }
}
