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

export const redactionDefaults = Object.freeze({
  censor: 'mask',
  names: Object.freeze([]),
  allowNames: Object.freeze([]),
  patterns: Object.freeze([]),
  paths: Object.freeze([]),
} as const satisfies RedactionOptions);
