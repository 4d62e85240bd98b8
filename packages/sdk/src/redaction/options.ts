import { invalidConfig, readOptions } from '../configuration.ts';

/** What replaces a secret. */
export type Censor =
  /** The text `[REDACTED]`. */
  | 'mask'
  /** The member is removed. A secret within a longer text, or in a required field, is masked. */
  | 'remove'
  /** The text `hmac:…` with 128 bits of HMAC-SHA-256 under this key, so that equal secrets have equal replacements. */
  | { readonly hmacKey: string | Uint8Array };

/** Which secrets are removed from events before they leave the process, to disk or over the network. */
export interface RedactionOptions {
  /** What replaces a secret. @defaultValue 'mask' */
  readonly censor?: Censor;
  /**
   * Further names of members whose values are secret. The spelling does not matter: `memberPin` also means `member_pin`.
   *
   * @defaultValue none
   */
  readonly names?: readonly string[];
  /** Names of members that look like secrets and are not. @defaultValue none */
  readonly allowNames?: readonly string[];
  /** Further patterns of secrets within text. Each must have the flag `g`. @defaultValue none */
  readonly patterns?: readonly RegExp[];
  /**
   * Paths of members to remove whatever they contain, such as `context.user.email`. Names are those of the wire form; `*`
   * stands for any name.
   *
   * @defaultValue none
   */
  readonly paths?: readonly string[];
}

const redactionDefaults = Object.freeze({
  censor: 'mask',
  names: Object.freeze([]),
  allowNames: Object.freeze([]),
  patterns: Object.freeze([]),
  paths: Object.freeze([]),
} as const satisfies RedactionOptions);

/**
 * The options with their defaults. A misspelt option is an error, since it would leave secrets in the trail permanently.
 *
 * @throws {AuditError} `CONFIG_INVALID`
 */
export function readRedactionOptions(given: RedactionOptions): Required<RedactionOptions> {
  const options = readOptions<RedactionOptions, Required<RedactionOptions>>(
    'redaction',
    given,
    redactionDefaults,
  );
  for (const name of ['names', 'allowNames', 'paths'] as const) {
    const list: unknown = options[name];
    if (!Array.isArray(list) || list.some((item) => typeof item !== 'string' || item === '')) {
      throw invalidConfig(`redaction.${name} must be a list of strings`);
    }
  }
  const patterns: unknown = options.patterns;
  if (!Array.isArray(patterns))
    throw invalidConfig('redaction.patterns must be a list of regular expressions');
  for (const pattern of patterns) {
    if (!(pattern instanceof RegExp && pattern.global)) {
      throw invalidConfig(
        `redaction.patterns must be regular expressions with the flag g, not ${String(pattern)}`,
      );
    }
  }
  checkCensor(options.censor);
  return options;
}

/** With an empty key, an attacker could compute the hash of every likely secret. */
function checkCensor(censor: Censor): void {
  if (censor === 'mask' || censor === 'remove') return;
  const key: unknown = (censor as { hmacKey?: unknown } | null)?.hmacKey;
  const isKey = typeof key === 'string' || key instanceof Uint8Array;
  if (!isKey || key.length === 0)
    throw invalidConfig(
      "redaction.censor must be 'mask', 'remove' or { hmacKey }, with a key that is not empty",
    );
}
