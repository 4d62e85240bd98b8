import {
  digit,
  endBefore,
  lower,
  type Span,
  setsIn,
  space,
  type Text,
  upper,
  valueEnd,
} from './characters.ts';
import { isQuotedSecret, quotedAt, skipSpaces } from './values.ts';

const introductions =
  /^(?:(password|passwd|passphrase|passcode|identified by|convertto-securestring)|token|secret|api[ -]key|access[ -]key)(?: (?:is|was|to|set to|changed to|=))? {1,3}/i;

/** Names of algorithms and the like, which come after "password" too: "password sha256 hash". */
const algorithm =
  /^(?:sha-?\d+|md5|argon2\w*|bcrypt|pbkdf2|base64|oauth2?|utf-?8|v\d+|[\w.-]{0,60}\.\w{1,5}|\d+-\w+)[.,]?$/i;

/** How an introduction begins, in lower case. */
export const introductoryWords = ['pass', 'identified', 'convertto', 'token', 'secret', 'api', 'access'];

/** Whether an introduction may begin with this letter, in lower case. */
export function mayIntroduce(code: number): boolean {
  return firstLetters.has(code);
}

const firstLetters = new Set(introductoryWords.map((word) => word.charCodeAt(0)));

/**
 * A secret in a sentence or a statement: `the password is X`, `login ann password X`, `identified by 'X'`, `token X was revoked`.
 * Without quotes, X must look like a secret: letters and digits, and at least 16 of them after "token".
 *
 * @param at index of the first letter of a word
 */
export function introducedAt(text: Text, at: number): Span | undefined {
  const introduction = introductions.exec(text.slice(at, at + 40));
  if (introduction === null) return undefined;
  const start = skipSpaces(text, at + introduction[0].length);
  const isPassword = introduction[1] !== undefined;
  const quoted = quotedAt(text, start, start + 300);
  if (quoted !== undefined)
    return isPassword && isQuotedSecret(text, quoted.span, 'text') ? quoted.span : undefined;
  const end = endBefore(text, start, space | valueEnd, start + 300);
  if (end - start < (isPassword ? 5 : 16)) return undefined;
  const sets = setsIn(text, [start, end]);
  const isMixed = (sets & digit) !== 0 && (sets & (lower | upper)) !== 0;
  return isMixed && !/^[-[]|[=:(]/.test(text.slice(start, end)) && !algorithm.test(text.slice(start, end))
    ? [start, end]
    : undefined;
}
