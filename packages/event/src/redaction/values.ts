import {
  digit,
  endBefore,
  endOfRun,
  lower,
  type Span,
  setsAt,
  setsIn,
  space,
  type Text,
  upper,
  valueEnd,
} from './characters.ts';
import type { Secrecy } from './secret-names.ts';

/** What replaces a secret begins like this. It is not replaced again. */
const replacement = /^(?:\[REDACTED|hmac:[0-9a-f]{32})/;

const quoteCodes = new Set(['"', "'", '`'].map((quote) => quote.charCodeAt(0)));
const backslash = 0x5c;

/** A text between quotes. */
interface Quoted {
  readonly span: Span;
  /** The index after the closing quote. */
  readonly after: number;
}

/**
 * Reads a quoted text that begins at this index. In JSON within JSON, backslashes come before the quotes: one, three or more. A
 * text whose closing quote is missing ends with the line.
 */
export function quotedAt(text: Text, at: number, limit = text.length): Quoted | undefined {
  let level = 0;
  while (level < 15 && text.charCodeAt(at + level) === backslash) level++;
  const quote = text.charCodeAt(at + level);
  if (!quoteCodes.has(quote)) return undefined;
  const start = at + level + 1;
  const last = Math.max(start, Math.min(limit, text.length));
  let run = 0;
  for (let end = start; end < last; end++) {
    const code = text.charCodeAt(end);
    if (code === backslash) {
      run++;
      continue;
    }
    // A quote inside the text has more backslashes than the closing one: 2 × level + 1.
    const closes = run <= level || (run - level) % (2 * (level + 1)) === 0;
    if (code === quote && (level === 0 ? run % 2 === 0 : closes)) {
      return { span: [start, end - Math.min(run, level)], after: end + 1 };
    }
    if (code === 0x0a && level === 0) return { span: [start, end], after: end };
    run = 0;
  }
  return { span: [start, last], after: last };
}

/** Skips spaces and tabs, a few at most. */
export function skipSpaces(text: Text, at: number): number {
  let end = at;
  while (end < at + 8 && (text.charCodeAt(end) === 0x20 || text.charCodeAt(end) === 0x09)) end++;
  return end;
}

/** Words in place of a secret: types, states, and what a person says about a secret. */
const harmlessValues = new Set(
  `true false null none nil undefined yes no on off string str number int integer bool boolean bytes char varchar text object array any
  uuid optional required missing invalid expired granted denied changed unchanged reset rotated revoked disabled enabled updated created
  deleted removed empty blank unset set hidden masked redacted encrypted hashed omitted unknown incorrect wrong valid ok failed failure
  success accepted rejected refused mismatch mandatory default provided given n/a na tbd todo see the a an is was are were has had not
  must should may can will cannot too for from of in to bearer basic oauth oidc saml`.split(/\s+/),
);

/** References in place of a secret: `$PASSWORD`, `${x}`, `%s`, `{{x}}`, `<password>`, `process.env.X`, `****`. */
const reference =
  /^(?:\$[A-Z_]{1,64}$|\$\{|\$\(|%[sdv]?$|%\w{1,64}%$|\{|<|(?:process\.env|os\.environ|env|config|settings|secrets|vault|var|data|this|self|req|request|params|props|args|options|opts)[.[(])|^([*•x.#_-])\1*$/;

/** How a value is joined to its name. */
export interface Joint {
  /** White space comes before an unquoted value, as in `password: x`. */
  readonly spaced: boolean;
}

/** As much of a value is read to decide whether it is a secret. A value that is none costs no more than this. */
const probeLength = 128;

/**
 * The span of the unquoted value at this index if it is a secret, and not a word of a sentence or a reference to the secret.
 *
 * @param end where such a value ends: the set of characters that end it
 */
export function unquotedSecretAt(
  text: Text,
  start: number,
  secrecy: Secrecy,
  { spaced }: Joint,
): Span | undefined {
  const probe = endBefore(text, start, valueEnd, start + probeLength);
  if (!isPlausible(text, [start, probe], secrecy, spaced)) return undefined;
  return [start, endBefore(text, probe, valueEnd)];
}

function isPlausible(text: Text, span: Span, secrecy: Secrecy, spaced: boolean): boolean {
  const [start, end] = span;
  const length = end - start;
  if (length <= 0) return false;
  const head = text.slice(start, end);
  if (replacement.test(head) || reference.test(head)) return false;
  const isNumber = endOfRun(text, start, digit, end) === end;
  if (secrecy === 'digits') return isNumber && length >= 3 && length <= 12;
  // A short number under `token` is a count.
  if (isNumber && (length < 3 || (secrecy === 'text' && length < 9))) return false;
  if (harmlessValues.has(head.toLowerCase().replace(/[.!?:]$/, ''))) return false;
  if (!spaced || length === probeLength) return true;
  // A sentence: an ordinary word, and another word after it.
  const ordinary = /^[A-Za-z][a-z]*[.:!?]?$/.test(head);
  const next = skipSpaces(text, end);
  const goesOn = next > end && (setsAt(text, next) & (lower | upper)) !== 0;
  return !((ordinary || (isNumber && length < 4)) && goesOn);
}

/** A value in quotes: whatever it says, unless it is a replacement or a reference. */
export function isQuotedSecret(text: Text, span: Span, secrecy: Secrecy): boolean {
  const [start, end] = span;
  if (start === end) return false;
  if (secrecy === 'digits') return isPlausible(text, span, secrecy, false);
  const head = text.slice(start, Math.min(end, start + 100));
  return !replacement.test(head) && !reference.test(head) && !/^(?:true|false|null|none)$/i.test(head);
}

/** `a=…; b=…` up to the end of the line; a sentence about a cookie has no `=`. */
export function cookiesAt(text: Text, at: number): Span | undefined {
  const first = endBefore(text, at, space | valueEnd, at + probeLength);
  if (!text.slice(at, first).includes('=')) return undefined;
  let end = first;
  while (end < text.length && !endsLine(text.charCodeAt(end)) && !quoteCodes.has(text.charCodeAt(end))) end++;
  return [at, end];
}

function endsLine(code: number): boolean {
  return code === 0x0a || code === 0x0d;
}

const schemes = wordSet('bearer basic token apikey api-key key negotiate ntlm');
/** Their credentials are a list of members. */
const listSchemes = wordSet('digest aws4-hmac-sha256 oauth');

function wordSet(list: string): ReadonlySet<string> {
  return new Set(list.split(' '));
}

/** The credentials of an `Authorization` header, without their scheme. */
export function authorizationAt(text: Text, at: number): Span | undefined {
  const wordEnd = endBefore(text, at, space | valueEnd, at + probeLength);
  const word = text.slice(at, wordEnd).toLowerCase();
  const start = skipSpaces(text, wordEnd);
  if (schemes.has(word)) return unquotedSecretAt(text, start, 'text', { spaced: true });
  if (listSchemes.has(word)) {
    if (!text.slice(start, start + probeLength).includes('=')) return undefined;
    let end = start;
    while (end < text.length && !endsLine(text.charCodeAt(end))) end++;
    return [start, end];
  }
  const isCredential = wordEnd - at >= 16 || (setsIn(text, [at, wordEnd]) & digit) !== 0;
  return isCredential ? unquotedSecretAt(text, at, 'text', { spaced: true }) : undefined;
}

/** Schemes that are read anywhere in a text, in lower case. */
export const schemeWords = ['bearer', 'basic'];

/** `Bearer x` and `Basic x` anywhere in a text. @param at index of the first letter of the scheme */
export function schemeCredentialsAt(text: Text, at: number): Span | undefined {
  const scheme = text.slice(at, at + 6).toLowerCase();
  const length = scheme === 'bearer' ? 6 : scheme.startsWith('basic') ? 5 : 0;
  if (length === 0 || (setsAt(text, at + length) & space) === 0) return undefined;
  const start = skipSpaces(text, at + length);
  const span = unquotedSecretAt(text, start, 'text', { spaced: false });
  if (span === undefined || span[1] - start < (length === 5 ? 8 : 12)) return undefined;
  // "bearer authentication" and "Basic INFORMATION" are words.
  return /^(?:[A-Za-z]?[a-z-]+|[A-Z]+)[.:!?]?$/.test(
    text.slice(start, Math.min(span[1], start + probeLength)),
  )
    ? undefined
    : span;
}
