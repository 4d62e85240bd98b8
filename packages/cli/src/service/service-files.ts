import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { readWebhookOptions, ServerError, type WebhookOptions } from '@tallystick/server';
import { type LoginOptions, readLoginOptions } from '@tallystick/server/http';
import { CliError } from '../errors.ts';

/**
 * Reads which logins the service accepts, from a JSON file.
 *
 * @returns `undefined` where no file is named: the service accepts API keys only
 * @throws {CliError} `USAGE`
 */
export function readLoginsSetting(given: string | undefined, cwd: string): LoginOptions | undefined {
  return readSetting(given, cwd, { what: 'logins', guide: 'docs/logins.md', read: readLoginOptions });
}

/**
 * Reads which endpoints learn of approvals, from a JSON file. The file contains secrets.
 *
 * @returns `undefined` where no file is named
 * @throws {CliError} `USAGE`
 */
export function readWebhooksSetting(
  given: string | undefined,
  cwd: string,
): readonly WebhookOptions[] | undefined {
  return readSetting(given, cwd, { what: 'webhooks', guide: 'docs/approvals.md', read: readWebhookOptions });
}

function readSetting<T>(
  given: string | undefined,
  cwd: string,
  {
    what,
    guide,
    read,
  }: { readonly what: string; readonly guide: string; readonly read: (json: unknown) => T },
): T | undefined {
  if (given === undefined || given === '') return undefined;
  const path = resolve(cwd, given);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const hint = `the value is the path of a JSON file; ${guide} describes it`;
    throw new CliError('USAGE', `can't read the ${what} in ${path}`, { cause, hint });
  }
  try {
    return read(JSON.parse(text));
  } catch (cause) {
    const reason = cause instanceof ServerError ? cause.message : 'the file is not JSON';
    const hint = `${guide} describes the file`;
    throw new CliError('USAGE', `${path} does not describe ${what}: ${reason}`, { cause, hint });
  }
}
