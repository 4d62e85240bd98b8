import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { readWebhookOptions, ServerError, type WebhookOptions } from '@tallystick/server';
import { type LoginOptions, readLoginOptions } from '@tallystick/server/http';
import { CliError } from '../errors.ts';

/** Prints a warning for the operator. */
type Warn = (message: string) => void;

/**
 * Reads which logins the service accepts, from a JSON file. The file contains a secret if the console is a confidential client.
 *
 * @param warn is called if every user of this machine can read such a file, or change any
 * @returns `undefined` where no file is named: the service accepts API keys only
 * @throws {CliError} `USAGE`
 */
export function readLoginsSetting(
  given: string | undefined,
  cwd: string,
  warn: Warn,
): LoginOptions | undefined {
  return readSetting(given, cwd, {
    ...{ what: 'logins', guide: 'docs/logins.md', read: readLoginOptions },
    ...{ hasSecrets: (text) => text.includes('"client_secret"'), warn },
  });
}

/**
 * Reads which endpoints learn of approvals, from a JSON file. The file contains secrets.
 *
 * @param warn is called if every user of this machine can read or change the file
 * @returns `undefined` where no file is named
 * @throws {CliError} `USAGE`
 */
export function readWebhooksSetting(
  given: string | undefined,
  cwd: string,
  warn: Warn,
): readonly WebhookOptions[] | undefined {
  return readSetting(given, cwd, {
    ...{ what: 'webhooks', guide: 'docs/approvals.md', read: readWebhookOptions },
    ...{ hasSecrets: () => true, warn },
  });
}

function readSetting<T>(
  given: string | undefined,
  cwd: string,
  {
    what,
    guide,
    read,
    hasSecrets,
    warn,
  }: {
    readonly what: string;
    readonly guide: string;
    readonly read: (json: unknown) => T;
    /** Says it from the text of a file that could be read. */
    readonly hasSecrets: (text: string) => boolean;
    readonly warn: Warn;
  },
): T | undefined {
  if (given === undefined || given === '') return undefined;
  const path = resolve(cwd, given);
  let text: string;
  let mode: number;
  try {
    text = readFileSync(path, 'utf8');
    mode = statSync(path).mode;
  } catch (cause) {
    const hint = `the value is the path of a JSON file; ${guide} describes it`;
    throw new CliError('USAGE', `can't read the ${what} in ${path}`, { cause, hint });
  }
  try {
    const options = read(JSON.parse(text));
    warnOfMode(path, mode, hasSecrets(text), warn);
    return options;
  } catch (cause) {
    const reason = cause instanceof ServerError ? cause.message : 'the file is not JSON';
    const hint = `${guide} describes the file`;
    throw new CliError('USAGE', `${path} does not describe ${what}: ${reason}`, { cause, hint });
  }
}

/**
 * A warning and not a refusal: the files of a container are often readable for everybody, and nobody else is there. Windows has no such
 * modes.
 */
function warnOfMode(path: string, mode: number, hasSecrets: boolean, warn: Warn): void {
  if (process.platform === 'win32') return;
  const next = `run: chmod 600 ${path}`;
  if ((mode & 0o002) !== 0)
    warn(`every user of this machine can change ${path}, and with it who may do what; ${next}`);
  else if ((mode & 0o004) !== 0 && hasSecrets)
    warn(`every user of this machine can read ${path}, which contains a secret; ${next}`);
}
