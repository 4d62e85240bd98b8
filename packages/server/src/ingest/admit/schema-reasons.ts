import { toPointer } from '@tallystick/event';
import type { Reason } from '@tallystick/protocol';
import type * as z from 'zod';

const maxReasons = 20;

/**
 * The reasons why a schema refused a value, worded like those of the event's own checks. They never quote a value.
 *
 * @param under JSON pointer to the value itself
 */
export function reasonsOf(error: z.ZodError, code: string, under = ''): Reason[] {
  return error.issues.slice(0, maxReasons).flatMap((issue) => reasonsOfIssue(issue, code, under));
}

function reasonsOfIssue(issue: z.core.$ZodIssue, code: string, under: string): Reason[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
  if (issue.code === 'unrecognized_keys') {
    const message =
      code === 'PARAMETER_INVALID' ? 'is not a parameter of this operation' : 'is not a known member';
    return issue.keys
      .slice(0, maxReasons)
      .map((key) => ({ code, pointer: pointerOf(under, [...path, key]), message }));
  }
  return [{ code, pointer: pointerOf(under, path), message: messageOf(issue) }];
}

/** The sender chooses the names of members: the pointer is bounded, and lone surrogates are replaced. */
function pointerOf(under: string, path: readonly (string | number)[]): string {
  return `${under}${toPointer(path)}`.slice(0, 512).toWellFormed();
}

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
