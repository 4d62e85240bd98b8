import { AuditValidationError } from '@tallystick/event';
import { LogError } from '@tallystick/log';
import {
  type ProblemCode,
  type ProblemDocument,
  problemKindOf,
  problemTypeOf,
  type Reason,
} from '@tallystick/protocol';
import { ServerError } from '../../errors.ts';
import { BatchError } from '../../ingest/http/read-batch.ts';
import type { SubmissionError } from '../../ingest/submission.ts';
import { isContention } from '../../store/postgres-errors.ts';

/**
 * An error that the API answers as a problem document. Its messages go to the client, so they never quote what the client
 * sent, except for the names of members.
 */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly code: string;
  readonly status: number;
  readonly errors: readonly Reason[] | undefined;
  readonly extensions: { readonly [name: string]: unknown };
  readonly headers: { readonly [name: string]: string };

  constructor(
    code: ProblemCode | (string & {}),
    detail: string,
    options: ErrorOptions & {
      readonly errors?: readonly Reason[];
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

  toJSON(): ProblemDocument {
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

/** Seconds after which a client may retry, for problems that can pass without a change by the client. */
const retryAfter: { readonly [code: string]: string } = {
  STORE_UNAVAILABLE: '1',
  STORE_FULL: '10',
  ISSUER_UNAVAILABLE: '10',
  BROKER_UNAVAILABLE: '1',
  BROKER_REFUSED: '30',
  CLOSING: '1',
  CLOCK_BEHIND_CHAIN: '30',
  CHAIN_STOPPED: '60',
  TOO_MANY_STREAMS: '5',
};

/** The answer to an error. An error that is not meant for clients becomes `INTERNAL_ERROR` without details. */
export function toProblem(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof ServerError) return ofServerError(error);
  if (error instanceof BatchError) {
    return new HttpProblem(error.code, error.message, { errors: error.reasons, cause: error });
  }
  if (error instanceof AuditValidationError) {
    return new HttpProblem(error.code, error.violations[0]!.message, { errors: error.violations });
  }
  if (isContention(error)) {
    return ofServerError(new ServerError('STORE_UNAVAILABLE', 'the store is busy', { cause: error }));
  }
  if (error instanceof LogError && error.code === 'TREE_RANGE') {
    return new HttpProblem('PARAMETER_INVALID', error.message);
  }
  const detail = "the request failed because of a fault in the service; the service's log has the details";
  return new HttpProblem('INTERNAL_ERROR', detail, { cause: error });
}

function ofServerError(error: ServerError): HttpProblem {
  const { code, message, details } = error;
  const wait = retryAfter[code];
  const headers = {
    ...(wait !== undefined && { 'retry-after': wait }),
    ...(code === 'UNAUTHENTICATED' && { 'www-authenticate': 'Bearer realm="tallystick"' }),
  };
  const { parameter, reason } = details;
  return new HttpProblem(code, message, {
    headers,
    cause: error,
    ...(typeof parameter === 'string' && {
      errors: [{ code: typeof reason === 'string' ? reason : code, pointer: `/${parameter}`, message }],
    }),
  });
}

/** The answer to a single event that the service refused. */
export function toRefusal(error: SubmissionError): HttpProblem {
  const where = error.pointer === '' ? 'the event' : error.pointer;
  return new HttpProblem(error.code, `${where} ${error.message}`, {
    errors: error.violations,
    ...(error.dead_letter_id !== undefined && { extensions: { dead_letter_id: error.dead_letter_id } }),
  });
}
