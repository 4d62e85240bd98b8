import { createHmac } from 'node:crypto';
import { readOptions, refusal } from '../configuration.ts';
import { AuditError } from '../errors.ts';

/** What stands in a secret's place. */
export type Censor =
  /** `"[REDACTED]"`. */
  | 'mask'
  /** Nothing: the member goes. Within a text, and where a field is required, as `mask`. */
  | 'remove'
  /** `"hmac:…"`, 128 bits of HMAC-SHA-256 under this key: equal secrets stay recognisable as equal. */
  | { readonly hmacKey: string | Uint8Array };

/** What is taken out of events before they leave the process, on disk or over the network. */
export interface RedactionOptions {
  /** @defaultValue 'mask' */
  readonly censor?: Censor;
  /** Further names of members whose values are secret, in any spelling: `memberPin` also means `member_pin`. @defaultValue none */
  readonly names?: readonly string[];
  /** Names that look secret and are not. @defaultValue none */
  readonly allowNames?: readonly string[];
  /** Further patterns of secrets within text; each must have the flag `g`. @defaultValue none */
  readonly patterns?: readonly RegExp[];
  /** Members to take out whatever they hold, by wire name, `*` for any: `context.user.email`. @defaultValue none */
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
 * With defaults for what is left out. A misspelt option would leave secrets in the trail for ever.
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
      throw refusal(`redaction.${name} must be a list of texts`);
    }
  }
  const patterns: unknown = options.patterns;
  if (!Array.isArray(patterns)) throw refusal('redaction.patterns must be a list of regular expressions');
  for (const pattern of patterns) {
    if (!(pattern instanceof RegExp && pattern.global)) {
      throw refusal(
        `redaction.patterns must be regular expressions with the flag g, and not ${String(pattern)}`,
      );
    }
  }
  checkCensor(options.censor);
  return options;
}

/** A key of the wrong kind is refused here, and not with the first event that holds a secret. */
function checkCensor(censor: Censor): void {
  if (censor === 'mask' || censor === 'remove') return;
  try {
    // Without a key, who knows the possible secrets knows their hashes.
    if (censor.hmacKey.length === 0) throw new Error('the key is empty');
    createHmac('sha256', censor.hmacKey);
  } catch (cause) {
    const message = "redaction.censor must be 'mask', 'remove' or { hmacKey }";
    throw new AuditError('CONFIG_INVALID', message, { cause });
  }
}
