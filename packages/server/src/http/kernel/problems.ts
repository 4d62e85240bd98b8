import { AuditValidationError } from '@tallystick/event';
import { LogError } from '@tallystick/log';
import { type ProblemCode, problemKindOf, problemTypeOf } from '@tallystick/protocol';
import { ServerError } from '../../errors.ts';
import type { SubmissionError } from '../../ingest/submission.ts';

/** One thing that is wrong, and where: a JSON pointer into the body, or `/name` of a parameter. */
export interface ProblemDetail {
  readonly code: string;
  readonly pointer: string;
  readonly message: string;
}

/** RFC 9457, with a code to branch on. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly errors?: readonly ProblemDetail[];
  readonly [extension: string]: unknown;
}

/** An error that is answered as it stands. Messages never quote what was sent, beyond names of its members. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly code: string;
  readonly status: number;
  readonly errors: readonly ProblemDetail[] | undefined;
  readonly extensions: { readonly [name: string]: unknown };
  readonly headers: { readonly [name: string]: string };

  constructor(
    code: ProblemCode | (string & {}),
    detail: string,
    options: ErrorOptions & {
      readonly errors?: readonly ProblemDetail[];
      readonly extensions?: { readonly [name: string]: unknown };
      readonly headers?: { readonly [name: string]: string };
    } = {},
  ) {
    super(detail, options);
    this.code = code;
    this.status = problemKindOf(code).status;
    this.errors = options.errors;
    this.extensions = options.extensions ?? {};
    this.headers = options.headers ?? {};
  }

  toJSON(): Problem {
    return {
      type: problemTypeOf(this.code),
      title: problemKindOf(this.code).title,
      status: this.status,
      detail: this.message,
      code: this.code,
      ...(this.errors !== undefined && { errors: this.errors }),
      ...this.extensions,
    };
  }
}

/** Seconds after which a client may try again what failed for a reason that passes. */
const retryAfter: { readonly [code: string]: string } = {
  STORE_UNAVAILABLE: '1',
  BROKER_UNAVAILABLE: '1',
  BROKER_REFUSED: '30',
  CLOSING: '1',
  CLOCK_BEHIND_CHAIN: '30',
  CHAIN_STOPPED: '60',
  TOO_MANY_STREAMS: '5',
};

/** The answer to an error; whatever is not meant for the client becomes an internal error without words. */
export function toProblem(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof ServerError) return ofServerError(error);
  if (error instanceof AuditValidationError) {
    return new HttpProblem(error.code, error.violations[0]!.message, { errors: error.violations });
  }
  if (error instanceof LogError && error.code === 'TREE_RANGE') {
    return new HttpProblem('PARAMETER_INVALID', error.message);
  }
  return new HttpProblem('INTERNAL_ERROR', 'the request failed; the log of the service says why', {
    cause: error,
  });
}

function ofServerError(error: ServerError): HttpProblem {
  const { code, message, details } = error;
  const wait = retryAfter[code];
  const headers = {
    ...(wait !== undefined && { 'retry-after': wait }),
    ...(code === 'UNAUTHENTICATED' && { 'www-authenticate': 'Bearer realm="tallystick"' }),
  };
  const parameter = details.parameter;
  return new HttpProblem(code, message, {
    headers,
    cause: error,
    ...(typeof parameter === 'string' && { errors: [{ code, pointer: `/${parameter}`, message }] }),
  });
}

/** The answer to one event that was refused. */
export function toRefusal(error: SubmissionError): HttpProblem {
  const where = error.pointer === '' ? 'the event' : error.pointer;
  return new HttpProblem(error.code, `${where} ${error.message}`, {
    errors: error.violations,
    ...(error.dead_letter_id !== undefined && { extensions: { dead_letter_id: error.dead_letter_id } }),
  });
}
