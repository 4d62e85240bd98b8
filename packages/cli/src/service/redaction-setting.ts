import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { defaultRules, type RedactionSetting, readRules } from '@tallystick/server';
import { CliError } from '../errors.ts';

/**
 * Reads how the service redacts events: `on`, `off`, or the path of a JSON file with rules.
 *
 * @returns `undefined` where nothing is set: the rules that the log has on record stay in force
 * @throws {CliError} `USAGE`
 */
export function readRedactionSetting(given: string | undefined, cwd: string): RedactionSetting | undefined {
  if (given === undefined || given === '') return undefined;
  if (given === 'off') return 'off';
  if (given === 'on') return defaultRules;
  const path = resolve(cwd, given);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const hint = 'the value is on, off, or the path of a JSON file with the rules';
    throw new CliError('USAGE', `can't read the rules of redaction in ${path}`, { cause, hint });
  }
  try {
    return readRules(JSON.parse(text));
  } catch (cause) {
    const hint = 'it must be an object with lists of texts: names, allow_names, paths';
    throw new CliError('USAGE', `${path} does not contain rules of redaction`, { cause, hint });
  }
}
