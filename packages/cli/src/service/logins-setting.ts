import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ServerError } from '@tallystick/server';
import { type LoginOptions, readLoginOptions } from '@tallystick/server/http';
import { CliError } from '../errors.ts';

/**
 * Reads which logins the service accepts, from a JSON file.
 *
 * @returns `undefined` where no file is named: the service accepts API keys only
 * @throws {CliError} `USAGE`
 */
export function readLoginsSetting(given: string | undefined, cwd: string): LoginOptions | undefined {
  if (given === undefined || given === '') return undefined;
  const path = resolve(cwd, given);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const hint = 'the value is the path of a JSON file; docs/logins.md describes it';
    throw new CliError('USAGE', `can't read the logins in ${path}`, { cause, hint });
  }
  try {
    return readLoginOptions(JSON.parse(text));
  } catch (cause) {
    const reason = cause instanceof ServerError ? cause.message : 'the file is not JSON';
    const hint = 'docs/logins.md describes the file';
    throw new CliError('USAGE', `${path} does not describe logins: ${reason}`, { cause, hint });
  }
}
