import { AuditValidationError, decodeUtf8, parseStrictJson, toPointer } from '@tallystick/event';
import type { ProblemCode } from '@tallystick/protocol';
import type * as z from 'zod';
import { HttpProblem, type ProblemDetail } from './problem.ts';

/**
 * Checks parameters or a body.
 *
 * @param under pointer of the value itself
 * @throws {HttpProblem} with the code given, and every fault found
 */
export function validate<T>(type: z.ZodType<T>, value: unknown, code: ProblemCode, under = ''): T {
  const result = type.safeParse(value);
  if (result.success) return result.data;
  const errors = result.error.issues.slice(0, 20).flatMap((issue) => detailsOf(issue, code, under));
  const first = errors[0]!;
  throw new HttpProblem(code, `${first.pointer === '' ? 'the body' : first.pointer} ${first.message}`, {
    errors,
  });
}

function detailsOf(issue: z.core.$ZodIssue, code: ProblemCode, under: string): ProblemDetail[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
  if (issue.code === 'unrecognized_keys') {
    return issue.keys
      .slice(0, 20)
      .map((key) => ({ code, pointer: pointerOf(under, [...path, key]), message: 'is not known' }));
  }
  return [{ code, pointer: pointerOf(under, path), message: messageOf(issue) }];
}

/** Names of members are the sender's: bounded, and nothing that can't be sent back. */
function pointerOf(under: string, path: readonly (string | number)[]): string {
  return `${under}${toPointer(path)}`.slice(0, 512).toWellFormed();
}

/** In the words of the event's own checks, and never quoting a value. */
function messageOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.endsWith('received undefined') ? 'is required' : `must be ${issue.expected}`;
    case 'too_small':
      return `must be at least ${issue.minimum}${issue.origin === 'string' ? ' characters' : ''}`;
    case 'too_big':
      return `must be at most ${issue.maximum}${issue.origin === 'string' ? ' characters' : ''}`;
    case 'invalid_value':
      return `must be one of ${issue.values.join(', ')}`;
    default:
      return issue.message.startsWith('Invalid') ? 'is malformed' : issue.message;
  }
}

/**
 * Reads a small JSON body, strictly.
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
