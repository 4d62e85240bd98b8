import { apiKeyPrefix } from '@tallystick/protocol';
import { CliError } from '../errors.ts';
import { readVerifierKey } from './known-logs.ts';

/**
 * Sorts the values of `--key`. One option takes API keys and verifier keys, because users call both "the key". The value itself says
 * what it is: an API key begins with `tally_`, and a verifier key contains `+` and the `/` of its origin. A value that is neither is a
 * mistake, and is not sent to a service.
 *
 * @throws {CliError} `KEY_MALFORMED` for a value that is neither; `USAGE` for a second API key
 */
export function splitKeys(keys: readonly string[]): {
  readonly apiKey: string | undefined;
  readonly logKeys: readonly string[];
} {
  const logKeys = keys.filter(looksLikeVerifierKey);
  for (const key of logKeys) readVerifierKey(key);
  const [apiKey, second] = keys.filter((key) => !logKeys.includes(key)).map(checkApiKey);
  if (second !== undefined) throw new CliError('USAGE', 'two API keys are given, and a service takes one');
  return { apiKey, logKeys };
}

function looksLikeVerifierKey(key: string): boolean {
  return /[+/]/.test(key);
}

/**
 * Returns an API key as it is. The value is not part of the message: it may be a secret in the wrong place.
 *
 * @throws {CliError} `KEY_MALFORMED`
 */
export function checkApiKey(key: string): string {
  if (key.startsWith(apiKeyPrefix) && !looksLikeVerifierKey(key)) return key;
  if (looksLikeVerifierKey(key))
    throw new CliError('KEY_MALFORMED', 'not an API key', {
      hint: "pin a log's verifier key with tally log-keys pin KEY",
    });
  const isToken = /^[\w-]+\.[\w-]+\.[\w-]*$/.test(key);
  throw new CliError('KEY_MALFORMED', "neither an API key nor a log's verifier key", {
    hint: isToken
      ? 'this looks like the token of a login, which belongs in --token or TALLYSTICK_TOKEN'
      : `an API key begins with ${apiKeyPrefix}; a verifier key looks like <origin>+<id>+<base64>`,
  });
}
