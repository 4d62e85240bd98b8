import { LogError } from '@tallystick/log';
import {
  type FastifyBaseLogger,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
  LogController,
} from 'fastify';
import { ServerError } from '../../errors.ts';
import { sqlState } from '../../store/database.ts';
import { HttpProblem } from './problems.ts';

/** `false` for no log, options of pino, or a logger. */
export type LoggerChoice =
  | false
  | FastifyBaseLogger
  | { readonly level?: string; readonly stream?: { write(line: string): void } };

/**
 * Logger options that keep personal data and secrets out of the log. Of a request, the log shows the path without its query:
 * the query may name the person under investigation. It shows no header and no body. Of an error, it shows no message that
 * could quote a row of the database.
 */
export function loggerOptions(
  choice: LoggerChoice | undefined,
): Pick<FastifyServerOptions, 'logger' | 'loggerInstance' | 'logController'> {
  const logController = new RequestLog();
  if (choice === false) return { logger: false };
  if (choice !== undefined && 'info' in choice) return { loggerInstance: choice, logController };
  return {
    logController,
    logger: {
      level: choice?.level ?? 'info',
      ...(choice?.stream !== undefined && { stream: choice.stream }),
      redact: ['req.headers.authorization', 'headers.authorization', 'authorization'],
      serializers: { err: (error) => safeError(error) as never },
    },
  };
}

/** What the log says about a request beside its path and status. Texts must not come from the client, apart from ids. */
export interface RequestFacts {
  /** Who made the request, `key:<id>` or `login:<subject>`. */
  readonly principal?: string;
  /** The operation, as in the OpenAPI document. */
  readonly operation?: string;
  /** Code of the problem that the request was answered with. */
  readonly problem?: string;
  /** The event that the request submitted or read. */
  readonly audit_id?: string;
  readonly tenant_id?: string;
  /** Outcomes of the submitted events, with the number of each. */
  readonly outcomes?: { readonly [outcome: string]: number };
}

const factsOf = new WeakMap<FastifyRequest, RequestFacts>();

/** Adds facts to the log line of a request. */
export function logFacts(request: FastifyRequest, facts: RequestFacts): void {
  factsOf.set(request, { ...factsOf.get(request), ...facts });
}

/** Logs one line per request with the same fields for every logger, the caller's own included. */
class RequestLog extends LogController {
  override incomingRequest(): void {}

  override requestCompleted(
    error: Error | null | undefined,
    request: FastifyRequest,
    reply: FastifyReply,
  ): void {
    const line = {
      method: request.method,
      path: request.url.split('?', 1)[0],
      status: reply.statusCode,
      ...factsOf.get(request),
      duration_ms: Math.round(reply.elapsedTime * 10) / 10,
      remote: request.ip,
    };
    if (error) request.log.warn({ ...line, err: safeError(error) }, 'request aborted');
    else request.log.info(line, 'request');
  }

  override streamError(error: Error, request: FastifyRequest): void {
    request.log.warn({ err: safeError(error) }, 'answer aborted');
  }
}

/** Errors whose messages this project writes. A message of the database may quote the row that it refused. */
const errorsWithSafeMessages = [HttpProblem, ServerError, LogError];

/** The parts of an error that may be logged. */
export function safeError(error: unknown): { [field: string]: unknown } {
  if (!(error instanceof Error)) return isSafeReport(error) ? error : { type: typeof error };
  const state = sqlState(error);
  const safe = errorsWithSafeMessages.some((type) => error instanceof type);
  return {
    type: error.name,
    ...(safe && { message: error.message, code: (error as { code?: unknown }).code }),
    ...(state !== undefined && { sql_state: state }),
    stack: error.stack
      ?.split('\n')
      .filter((line) => /^\s+at /.test(line))
      .join('\n'),
    ...(error.cause !== undefined && { cause: safeError(error.cause) }),
  };
}

/** Whether a value is a result of `safeError`: the logger's serialiser passes it through that function again. */
function isSafeReport(value: unknown): value is { [field: string]: unknown } {
  return typeof value === 'object' && value !== null && 'type' in value;
}
