import { AuditValidationError, decodeUtf8, parseStrictJson } from '@tallystick/event';
import type { ProblemCode } from '@tallystick/protocol';
import type * as z from 'zod';
import { reasonsOf } from '../../ingest/admit/schema-reasons.ts';
import { HttpProblem } from './problems.ts';

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
 * Reads a small JSON body strictly.
 *
 * @throws {HttpProblem} `JSON_INVALID`, `JSON_DUPLICATE_KEY`, `UTF8_INVALID` or `BODY_INVALID`
 */
export function readJson<T>(body: Buffer, type: z.ZodType<T>): T {
  try {
    return validate(type, parseStrictJson(decodeUtf8(body)), 'BODY_INVALID');
  } catch (error) {
    if (!(error instanceof AuditValidationError)) throw error;
    throw new HttpProblem(error.code, `the body ${error.violations[0]!.message}`, {
      errors: error.violations,
    });
  }
}
