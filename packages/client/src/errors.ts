import type { ProblemDocument } from '@tallystick/protocol';

/**
 * Why a call failed.
 * - `UNREACHABLE`: no complete answer arrived, also after the retries. The service may have done what was asked.
 * - `UNAUTHENTICATED`: the service knows no such API key, or the client has none.
 * - `FORBIDDEN`: the API key lacks the scope, or it is not valid for the tenant.
 * - `NOT_FOUND`: there is no such tenant, event, checkpoint, key or dead letter.
 * - `REFUSED`: the service refused the request for another reason. The same request will be refused again.
 * - `SERVICE_FAILED`: the service failed or is overloaded, also after the retries.
 * - `RESPONSE_INVALID`: the answer is not one of an audit service. A proxy may have written it.
 * - `OPTIONS_INVALID`: the client's own options can't be used.
 */
export type ClientErrorCode =
  | 'UNREACHABLE'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'REFUSED'
  | 'SERVICE_FAILED'
  | 'RESPONSE_INVALID'
  | 'OPTIONS_INVALID';

/** Thrown by every call of the client. An aborted call throws the reason of its signal instead. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: ClientErrorCode;
  /** HTTP status of the answer; absent where there was none. */
  readonly status: number | undefined;
  /** What the service said about it; absent where the answer holds no problem document. */
  readonly problem: ProblemDocument | undefined;

  constructor(
    code: ClientErrorCode,
    message: string,
    options: ErrorOptions & {
      readonly status?: number | undefined;
      readonly problem?: ProblemDocument | undefined;
    } = {},
  ) {
    super(message, options);
    this.code = code;
    this.status = options.status;
    this.problem = options.problem;
  }
}

/**
 * The error for an answer other than 2xx. Reads the answer's body.
 *
 * @param name what the message calls the service
 */
export async function errorOfResponse(response: Response, name: string): Promise<ClientError> {
  const { status, statusText } = response;
  const problem = problemOf(await response.text().catch(() => ''));
  const what = problem?.detail ?? problem?.title ?? statusText;
  const message = [name, 'answered', status, problem?.code].filter((part) => part !== undefined).join(' ');
  return new ClientError(codeOf(status), what === '' ? message : `${message}: ${what}`, { status, problem });
}

function codeOf(status: number): ClientErrorCode {
  if (status === 401) return 'UNAUTHENTICATED';
  if (status === 403) return 'FORBIDDEN';
  if (status === 404) return 'NOT_FOUND';
  return status < 400 || isTransient(status) ? 'SERVICE_FAILED' : 'REFUSED';
}

/** Whether the same request may succeed later. */
export function isTransient(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

/** The answer as a problem document. A proxy may have written it, so it is checked first. */
function problemOf(text: string): ProblemDocument | undefined {
  try {
    const value = JSON.parse(text) as Partial<ProblemDocument> | null;
    const isProblem = typeof value?.code === 'string' && typeof value.title === 'string';
    return isProblem ? (value as ProblemDocument) : undefined;
  } catch {
    return undefined;
  }
}
