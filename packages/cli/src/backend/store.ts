import { ServerError } from '@tallystick/server';
import { CliError } from '../errors.ts';

/** First part of the origins of a store that nobody named otherwise. */
export const embeddedLogName = 'tally.local';

/** What the service says of a store that it can't open, for somebody who has to do something about it. */
export function describeStoreError(error: unknown, place: string): unknown {
  if (!(error instanceof ServerError)) return error;
  const hint =
    error.code === 'DATA_DIRECTORY_LOCKED'
      ? 'ask the service that has it open instead: --server URL --key KEY'
      : error.code === 'CONFIG_INVALID' && error.message.includes('belongs to the log')
        ? 'name the log that it was made with: TALLYSTICK_LOG_NAME'
        : undefined;
  const code = error.code === 'CONFIG_INVALID' ? 'USAGE' : 'STORE_UNAVAILABLE';
  const message = `can't open ${place}: ${error.message}`;
  return new CliError(code, message, { cause: error, ...(hint !== undefined && { hint }) });
}
