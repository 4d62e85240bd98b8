import { ClientError, type ClientErrorCode } from '@tallystick/client';
import { AuditValidationError, CanonicalizationError } from '@tallystick/event';
import { LogError } from '@tallystick/log';
import { EvidenceError } from '@tallystick/verify';

/** Exit codes, for scripts to branch on. */
export const exitCodes = Object.freeze({
  /** The command did what it was asked; a verification verified. */
  ok: 0,
  /** Tampering or a malformed record was found, or a part of the input was refused. */
  broken: 1,
  /** There is nothing to verify, or no trusted key to verify it with. */
  notVerifiable: 2,
  /** The command line or the configuration is wrong. */
  usage: 3,
  /** A file, the network or the store failed. */
  io: 4,
  /** A verification verified a part of a trail, and not the whole; nothing is missing from the part that was read. */
  partial: 5,
  /** Another log, key or epoch than before is at a known place. It was not trusted. */
  changed: 6,
  /** Something is missing from a trail, as far as the service knows. */
  missing: 7,
});

/** Codes of the errors that the command line itself raises. Errors of `event` and `log` keep their own codes. */
export type CliErrorCode =
  | 'USAGE'
  | 'NO_TARGET'
  | 'CONFIG_INVALID'
  | 'CONFIG_KEY_UNKNOWN'
  | 'KNOWN_LOGS_INVALID'
  | 'KEY_MALFORMED'
  | 'KEY_UNKNOWN'
  | 'INPUT_INVALID'
  | 'POLICY_INVALID'
  | 'RECORD_NOT_CANONICAL'
  | 'INPUT_UNREADABLE'
  | 'NO_INPUT'
  | 'NOT_FOUND'
  | 'UNAUTHORIZED'
  | 'SERVICE_UNREACHABLE'
  | 'SERVICE_ERROR'
  | 'REQUEST_REFUSED'
  | 'STORE_UNAVAILABLE'
  | 'STORE_UNSUITABLE'
  | 'BROKER_UNAVAILABLE'
  | 'BROKER_REFUSED'
  | 'OUTPUT_FAILED'
  | 'NOT_VERIFIABLE'
  | 'LOG_NAME_CHANGED'
  | 'LOG_KEY_CHANGED'
  | 'LOG_EPOCH_CHANGED'
  | 'BROKEN';

const exitCodeOf: { readonly [code in CliErrorCode]: number } = {
  USAGE: exitCodes.usage,
  NO_TARGET: exitCodes.usage,
  CONFIG_INVALID: exitCodes.usage,
  CONFIG_KEY_UNKNOWN: exitCodes.usage,
  KNOWN_LOGS_INVALID: exitCodes.usage,
  KEY_MALFORMED: exitCodes.usage,
  KEY_UNKNOWN: exitCodes.usage,
  INPUT_INVALID: exitCodes.broken,
  POLICY_INVALID: exitCodes.usage,
  RECORD_NOT_CANONICAL: exitCodes.broken,
  INPUT_UNREADABLE: exitCodes.io,
  NO_INPUT: exitCodes.io,
  NOT_FOUND: exitCodes.notVerifiable,
  UNAUTHORIZED: exitCodes.io,
  SERVICE_UNREACHABLE: exitCodes.io,
  SERVICE_ERROR: exitCodes.io,
  REQUEST_REFUSED: exitCodes.usage,
  STORE_UNAVAILABLE: exitCodes.io,
  STORE_UNSUITABLE: exitCodes.usage,
  BROKER_UNAVAILABLE: exitCodes.io,
  BROKER_REFUSED: exitCodes.io,
  OUTPUT_FAILED: exitCodes.io,
  NOT_VERIFIABLE: exitCodes.notVerifiable,
  LOG_NAME_CHANGED: exitCodes.changed,
  LOG_KEY_CHANGED: exitCodes.changed,
  LOG_EPOCH_CHANGED: exitCodes.changed,
  BROKEN: exitCodes.broken,
};

/** Thrown by commands for a failure that the user can understand and act on. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code: CliErrorCode;
  /** The next step for the user; printed on its own line. */
  readonly hint: string | undefined;

  constructor(code: CliErrorCode, message: string, options?: ErrorOptions & { readonly hint?: string }) {
    super(message, options);
    this.code = code;
    this.hint = options?.hint;
  }
}

/** An error as the terminal shows it, `error: <message> (<code>)`, and the exit code that goes with it. */
export interface Failure {
  readonly message: string;
  readonly code: string;
  readonly hint: string | undefined;
  readonly exitCode: number;
}

export function describeFailure(error: unknown): Failure {
  if (error instanceof CliError) {
    const { message, code, hint } = error;
    return { message, code, hint, exitCode: exitCodeOf[code] };
  }
  if (error instanceof ClientError) return ofClientError(error);
  if (error instanceof AuditValidationError) {
    const first = error.violations[0]!;
    const at = first.pointer === '' ? '' : `${first.pointer} `;
    return {
      message: `${at}${first.message}`,
      code: error.code,
      hint: undefined,
      exitCode: exitCodes.broken,
    };
  }
  if (error instanceof CanonicalizationError) {
    return { message: error.message, code: 'INPUT_INVALID', hint: undefined, exitCode: exitCodes.broken };
  }
  if (error instanceof LogError) {
    return { message: error.message, code: error.code, hint: undefined, exitCode: exitCodes.broken };
  }
  if (error instanceof EvidenceError) {
    return { message: error.message, code: error.code, hint: undefined, exitCode: exitCodes.notVerifiable };
  }
  const system = error as NodeJS.ErrnoException;
  const message = error instanceof Error ? error.message : String(error);
  return { message, code: system?.code ?? 'INTERNAL', hint: undefined, exitCode: exitCodes.io };
}

const cliCodeOf: { readonly [code in ClientErrorCode]: CliErrorCode } = {
  UNREACHABLE: 'SERVICE_UNREACHABLE',
  UNAUTHENTICATED: 'UNAUTHORIZED',
  FORBIDDEN: 'UNAUTHORIZED',
  NOT_FOUND: 'NOT_FOUND',
  REFUSED: 'REQUEST_REFUSED',
  SERVICE_FAILED: 'SERVICE_ERROR',
  RESPONSE_INVALID: 'SERVICE_ERROR',
  OPTIONS_INVALID: 'USAGE',
};

function ofClientError({ code, message }: ClientError): Failure {
  const cliCode = cliCodeOf[code];
  const hint =
    code === 'UNAUTHENTICATED'
      ? 'give a valid API key (--key KEY or TALLYSTICK_API_KEY), or a valid token (--token JWT or TALLYSTICK_TOKEN)'
      : undefined;
  return { message, code: cliCode, hint, exitCode: exitCodeOf[cliCode] };
}
