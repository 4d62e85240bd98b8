import {
  alphanumeric,
  digit,
  endBefore,
  type Span,
  setsAt,
  space,
  type Text,
  valueEnd,
} from './characters.ts';
import type { Secrecy, SecretNames } from './secret-names.ts';
import {
  authorizationAt,
  cookiesAt,
  isQuotedSecret,
  quotedAt,
  skipSpaces,
  unquotedSecretAt,
} from './values.ts';

/** Most characters of a name in a text. They are read backwards from each separator, so this bounds the work. */
const maxNameLength = 64;

/** The name that ends before this index, and whether it is a segment of a URN: `arn:…:secret:db`. */
function nameBefore(
  text: Text,
  at: number,
): { readonly name: string; readonly span: Span; readonly isSegment: boolean } {
  let end = at;
  const limit = Math.max(0, at - 24);
  // The quotes and brackets of "name", 'name', \"name\", ["name"], and the spaces after them.
  while (end > limit && closers.has(text.charCodeAt(end - 1))) end--;
  let start = end;
  while (start > Math.max(0, end - maxNameLength) && isNamePart(text, start - 1)) start--;
  const isSegment = end === at && text.charCodeAt(start - 1) === 0x3a;
  return { name: text.slice(start, end), span: [start, end], isSegment };
}

const closers = new Set(Array.from(' \t"\'`\\])?*', (character) => character.charCodeAt(0)));

/** A name with the word before it: `api key`. */
function phraseOf(text: Text, [start, end]: Span): string {
  let before = start;
  if (text.charCodeAt(start - 1) === 0x20) {
    before = start - 1;
    while (before > Math.max(0, start - 25) && (setsAt(text, before - 1) & alphanumeric) !== 0) before--;
  }
  return text.slice(before, end);
}

function isNamePart(text: Text, at: number): boolean {
  const code = text.charCodeAt(at);
  // Letters outside ASCII are parts of names too; `-`, `.`, `[` and `_` join words.
  return (
    (setsAt(text, at) & alphanumeric) !== 0 ||
    code === 0x5f ||
    code === 0x2d ||
    code === 0x2e ||
    code === 0x5b ||
    code > 0x7f
  );
}

/** `token.ts:17` is a place in a file. */
function isFile(text: Text, at: number, name: string): boolean {
  return /\.[a-z]{1,4}$/.test(name) && (setsAt(text, at + 1) & digit) !== 0;
}

/** Names with several words that occur in sentences. Other names of secrets are one word there. */
const phrases =
  /^(?:api|access|private|secret|signing|encryption|master|account|security|pin|recovery|backup|verification|login|card|session|connection|seed|one.time) (?:keys?|code|id|number|string|phrase|password)$/i;

/** Names of a signature in a URL that grants access until it expires. */
const signatures = /^(?:sig|x-amz-signature|x-goog-signature|x-amz-security-token)$/i;

const labels = /^(?:parameter)?[-_]?(?:name|key|field|header|variable)$/i;
const labelled = /^(?:parameter)?[-_]?(?:value|val)$/i;

/** Reads `name = value`, `name: value`, `"name": "value"`, `name => value` and `name := value` in a text. */
export class Assignments {
  readonly #names: SecretNames;
  /** Up to this index, a member `value` belongs to a secret name: `{"name": "DB_PASSWORD", "value": "…"}`. */
  #labelUntil = -1;

  constructor(names: SecretNames) {
    this.#names = names;
  }

  /** @param at index of the `:` or the `=` */
  secretAt(text: Text, at: number): Span | undefined {
    const { name, span: nameSpan, isSegment } = nameBefore(text, at);
    if (name === '' || (text.charCodeAt(at) === 0x3a && (isSegment || isFile(text, at, name))))
      return undefined;
    let start = at + 1;
    const next = text.charCodeAt(start);
    if (next === 0x3d || next === 0x3e) start++;
    const afterJoint = start;
    start = skipSpaces(text, start);
    const spaced = start > afterJoint;
    const isLabelled = labelled.test(name) && at < this.#labelUntil;
    const secrecy = isLabelled ? 'text and numbers' : this.#secrecyOf(text, name, nameSpan);
    if (secrecy === 'none' && labels.test(name)) return this.#readLabel(text, start);
    if (secrecy === 'none') {
      if (!signatures.test(name) || spaced) return undefined;
      const end = endBefore(text, start, valueEnd);
      return end - start >= 16 ? [start, end] : undefined;
    }
    const quoted = quotedAt(text, start);
    if (quoted !== undefined) return isQuotedSecret(text, quoted.span, secrecy) ? quoted.span : undefined;
    if (/cookie$/i.test(name)) return cookiesAt(text, start);
    if (/authorization$/i.test(name)) return authorizationAt(text, start);
    const span = unquotedSecretAt(text, start, secrecy, { spaced });
    if (span === undefined) return undefined;
    return [start, (/signature$/i.test(name) ? endOfList : endAfterJoint)(text, span[1])];
  }

  #secrecyOf(text: Text, name: string, span: Span): Secrecy {
    const secrecy = this.#names.of(name.includes('[') ? name.replaceAll('[', ' ') : name);
    if (secrecy !== 'none') return secrecy;
    const phrase = phraseOf(text, span);
    return phrases.test(phrase) ? this.#names.of(phrase) : secrecy;
  }

  #readLabel(text: Text, start: number): Span | undefined {
    const quoted = quotedAt(text, start, start + 2 * maxNameLength);
    const [from, to] = quoted?.span ?? [start, endBefore(text, start, valueEnd, start + maxNameLength)];
    const isSecret = this.#names.of(text.slice(from, to)) !== 'none';
    const after = quoted?.after ?? to;
    this.#labelUntil = isSecret ? after + 100 : -1;
    // In a multipart form, the value follows after an empty line.
    if (!isSecret || text.slice(after, after + 4) !== '\r\n\r\n') return undefined;
    return unquotedSecretAt(text, after + 4, 'text and numbers', { spaced: false });
  }
}

/** A password may contain a comma or an ampersand: `PASSWORD=a,b`. In `a,b=c` and `a, b`, the comma ends the value. */
function endAfterJoint(text: Text, end: number): number {
  if (text.charCodeAt(end) !== 0x2c && text.charCodeAt(end) !== 0x26) return end;
  const rest = endBefore(text, end + 1, valueEnd | space, end + 64);
  return rest === end + 1 || /[=:]/.test(text.slice(end, rest)) ? end : rest;
}

/** A signature may be a list: `t=1492774577,v1=5257a8`. A comma before a space or a quote ends it. */
function endOfList(text: Text, start: number): number {
  let end = start;
  while (text.charCodeAt(end) === 0x2c) {
    const next = endBefore(text, end + 1, valueEnd | space);
    if (next === end + 1) break;
    end = next;
  }
  return end;
}
