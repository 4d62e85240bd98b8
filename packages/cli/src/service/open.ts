import { AuditService, type AuditServiceOptions, ServerError } from '@tallystick/server';
import { type HttpServer, type ServeOptions, serveHttp } from '@tallystick/server/http';
import type { ConnectionFault } from '@tallystick/server/store';
import { CliError, type CliErrorCode } from '../errors.ts';

/**
 * Opens the audit service inside this process. Import this module on demand: it loads a database.
 *
 * @param place what error messages call the store
 * @throws {CliError} `STORE_UNAVAILABLE`; `STORE_UNSUITABLE` for a server or login that can't protect the trail; `USAGE` for
 *   options that don't fit the store
 */
export async function openService(options: AuditServiceOptions, place: string): Promise<AuditService> {
  try {
    return await AuditService.open(options);
  } catch (error) {
    throw describeStoreError(error, place);
  }
}

/**
 * Starts the HTTP API of a service.
 *
 * @throws {CliError} `SERVICE_ERROR` if the port is taken or not allowed
 */
export async function listen(
  service: AuditService,
  options: ServeOptions & { readonly port: number },
): Promise<HttpServer> {
  try {
    return await serveHttp(service, options);
  } catch (cause) {
    const { code, syscall } = cause as NodeJS.ErrnoException;
    if (syscall === undefined) throw cause;
    const place = options.host === undefined ? `port ${options.port}` : `${options.host}:${options.port}`;
    throw new CliError('SERVICE_ERROR', `can't listen on ${place}: ${code}`, { cause });
  }
}

/** What an operator can do about an error of the store. An error that is not the service's own is returned as it is. */
export function describeStoreError(error: unknown, place: string): unknown {
  if (!(error instanceof ServerError)) return error;
  const fault = error.details.connectionFault as ConnectionFault | undefined;
  const hint =
    fault !== undefined
      ? fault.hint
      : error.code === 'DATA_DIRECTORY_LOCKED'
        ? 'if a service has the store open, call the service instead: --server URL --key KEY'
        : error.code === 'CONFIG_INVALID' && error.message.includes('belongs to the log')
          ? 'set TALLYSTICK_LOG_NAME to the name of the log that the store was created with'
          : undefined;
  const message = `can't open ${place}: ${fault?.message ?? error.message}`;
  return new CliError(codeOf(error), message, { cause: error, ...(hint !== undefined && { hint }) });
}

function codeOf({ code }: ServerError): CliErrorCode {
  if (code === 'CONFIG_INVALID') return 'USAGE';
  return code === 'STORE_UNSUITABLE' ? code : 'STORE_UNAVAILABLE';
}
