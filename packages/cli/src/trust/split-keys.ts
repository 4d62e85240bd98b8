import { CliError } from '../errors.ts';
import { readVerifierKey } from './known-logs.ts';

/**
 * Sorts the values of `--key`. One option takes API keys and verifier keys, because users call both "the key". A verifier
 * key contains `+` and the `/` of its origin; an API key contains neither.
 *
 * @throws {CliError} `KEY_MALFORMED` for a verifier key that can't be read; `USAGE` for a second API key
 */
export function splitKeys(keys: readonly string[]): {
  readonly apiKey: string | undefined;
  readonly logKeys: readonly string[];
} {
  const logKeys = keys.filter((key) => /[+/]/.test(key));
  for (const key of logKeys) readVerifierKey(key);
  const [apiKey, second] = keys.filter((key) => !logKeys.includes(key));
  if (second !== undefined) throw new CliError('USAGE', 'two API keys are given, and a service takes one');
  return { apiKey, logKeys };
}
