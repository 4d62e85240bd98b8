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
import { HttpProblem } from './problem.ts';

/** `false`, options of pino, or a logger of one's own. */
export type LoggerChoice =
  | false
  | FastifyBaseLogger
  | { readonly level?: string; readonly stream?: { write(line: string): void } };

/**
 * What is logged of a request and of an error: the path and not the query, which may hold whom somebody is
 * investigating; no header; no body; of an error no message that could quote a row.
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

/** One line a request, in our words whoever's the logger is. */
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
      duration_ms: Math.round(reply.elapsedTime * 10) / 10,
      remote: request.ip,
    };
    if (error) request.log.warn({ ...line, err: safeError(error) }, 'request broke off');
    else request.log.info(line, 'request');
  }

  override streamError(error: Error, request: FastifyRequest): void {
    request.log.warn({ err: safeError(error) }, 'the answer broke off');
  }
}

/** Errors whose messages are our own; a database's may quote the row that it refused. */
const speaksSafely = [HttpProblem, ServerError, LogError];

export function safeError(error: unknown): { [field: string]: unknown } {
  if (!(error instanceof Error)) return isPlainReport(error) ? error : { type: typeof error };
  const state = sqlState(error);
  const safe = speaksSafely.some((type) => error instanceof type);
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

/** What this function made already: the logger serialises it once more. */
function isPlainReport(value: unknown): value is { [field: string]: unknown } {
  return typeof value === 'object' && value !== null && 'type' in value;
}
