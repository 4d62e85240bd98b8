import { contentOfTag, credentialsBefore, credentialsInUrl, taggedAt } from './addresses.ts';
import { Assignments } from './assignments.ts';
import { nextPlace } from './beginnings.ts';
import {
  alphanumeric,
  digit,
  endBefore,
  endOfRun,
  hasAt,
  type Span,
  setsAt,
  space,
  type Text,
  urlSafe,
  valueEnd,
} from './characters.ts';
import { isProgram, mayBeProgram, readOption, secretInValue } from './command-lines.ts';
import { cardNumberAt, oneTimeCodeAt } from './numbers.ts';
import { positionalPasswordAt } from './positional-passwords.ts';
import type { SecretNames } from './secret-names.ts';
import { introducedAt, mayIntroduce } from './sentences.ts';
import { jsonWebTokenEnd, tokenAround, tokenEnd } from './token-formats.ts';
import { quotedAt, schemeCredentialsAt, skipSpaces } from './values.ts';

/** Longest option of a command line that is read. */
const maxOption = 300;

/**
 * The secrets in a text, in their order. An attacker can choose the text, so the work is linear in its length: the scanner goes
 * through the text once, skips each secret that it has found, and reads a bounded number of characters around any other place.
 *
 * @param next the next index at which rules are tried; a test passes a function that tries them at every index
 */
export function findSecrets(text: Text, names: SecretNames, next = nextPlace): readonly Span[] {
  let found: Span[] | undefined;
  let scan: Scan | undefined;
  for (let at = next(text, 0); at < text.length; ) {
    scan ??= new Scan(text, names);
    const secret = scan.secretAt(at);
    if (secret === undefined) {
      at = next(text, at + 1);
      continue;
    }
    // A token that is recognised by its middle may begin within the secret before it.
    found ??= [];
    const last = found.at(-1);
    const start = Math.max(secret[0], last?.[1] ?? 0);
    if (start < secret[1]) found.push([start, secret[1]]);
    at = next(text, Math.max(secret[1], at + 1));
  }
  return found ?? none;
}

const none: readonly Span[] = [];

/** What is known about the text before the current index. */
class Scan {
  readonly #text: Text;
  readonly #names: SecretNames;
  readonly #assignments: Assignments;
  /** The program whose command line this is. */
  #program: string | undefined;
  /** Up to here, no JSON Web Token begins. */
  #noTokenUntil = 0;

  constructor(text: Text, names: SecretNames) {
    this.#text = text;
    this.#names = names;
    this.#assignments = new Assignments(names);
  }

  /** The secret that is recognised at this index. It may begin before or after the index. */
  secretAt(at: number): Span | undefined {
    const text = this.#text;
    const sets = setsAt(text, at);
    if ((sets & alphanumeric) !== 0) {
      if ((setsAt(text, at - 1) & alphanumeric) === 0) return this.#wordAt(at, sets);
      return text.charCodeAt(at) === 0x51 ? tokenAround(text, at) : undefined;
    }
    switch (text.charCodeAt(at)) {
      case 0x3a: // :
        return credentialsInUrl(text, at) ?? this.#assignments.secretAt(text, at);
      case 0x3d: // =
        return this.#assignments.secretAt(text, at);
      case 0x2d: // -
        return this.#hyphenAt(at);
      case 0x2e: // .
        return tokenAround(text, at);
      case 0x40: // @
        return credentialsBefore(text, at, this.#program);
      case 0x3c: // <
        return this.#tagAt(at);
      default:
        return undefined;
    }
  }

  #wordAt(at: number, sets: number): Span | undefined {
    const text = this.#text;
    if (at >= this.#noTokenUntil && hasAt(text, at, 'eyJ')) {
      const { end, isToken } = jsonWebTokenEnd(text, at);
      if (isToken) return [at, end];
      this.#noTokenUntil = end;
    }
    const end = tokenEnd(text, at);
    if (end > 0) return [at, end];
    if ((sets & digit) !== 0) {
      return cardNumberAt(text, at) ?? oneTimeCodeAt(text, at) ?? this.#programAt(at);
    }
    const code = text.charCodeAt(at) | 0x20;
    if (code === 0x62) return schemeCredentialsAt(text, at) ?? this.#programAt(at);
    return mayIntroduce(code) ? (introducedAt(text, at) ?? this.#programAt(at)) : this.#programAt(at);
  }

  /** Remembers a program whose options are read from here on, and reads a password that it takes by its place. */
  #programAt(at: number): Span | undefined {
    const text = this.#text;
    if (!mayBeProgram(text, at)) return undefined;
    const word = text.slice(at, endOfRun(text, at, urlSafe, at + 15));
    if (!isProgram(word)) return undefined;
    this.#program = word;
    return positionalPasswordAt(text, word, at + word.length);
  }

  #hyphenAt(at: number): Span | undefined {
    const text = this.#text;
    if (hasAt(text, at, '-----BEGIN ')) return privateKeyAt(text, at);
    if ((setsAt(text, at - 1) & alphanumeric) !== 0) return tokenAround(text, at);
    return (setsAt(text, at - 1) & (space | valueEnd)) !== 0 || at === 0 ? this.#optionAt(at) : undefined;
  }

  /** `--password X`, `-u user:X`, `-pX`, and the same as items of a list: `"--password", "X"`. */
  #optionAt(at: number): Span | undefined {
    const text = this.#text;
    const end = endBefore(text, at, space | valueEnd, at + maxOption);
    const option = text.slice(at, end);
    const assigned = option.indexOf('=');
    if (assigned > 0 || option.length < 2) return undefined;
    const isQuoted = text.charCodeAt(end) === 0x22 || text.charCodeAt(end) === 0x27;
    const reading = readOption(option, this.#program, this.#names, isQuoted);
    if (reading === undefined) return undefined;
    if ('attachedAt' in reading)
      return secretInValue(text, valueAt(text, at + reading.attachedAt), reading.after);
    return secretInValue(text, valueAt(text, nextArgument(text, end)), reading.after);
  }

  #tagAt(at: number): Span | undefined {
    const tag = taggedAt(this.#text, at);
    if (tag === undefined) return undefined;
    const isSecret = [tag.name, tag.label].some(
      (name) => name !== undefined && this.#names.of(name) !== 'none',
    );
    if (!isSecret) return undefined;
    return contentOfTag(this.#text, tag.contentStart);
  }
}

/** Where the next argument begins: after spaces, or in a list after the quote, the comma and the spaces. */
function nextArgument(text: Text, end: number): number {
  const next = skipSpaces(text, end);
  const separator = /^["'`],\s{0,4}/.exec(text.slice(next, next + 6));
  return separator === null ? next : next + separator[0].length;
}

function valueAt(text: Text, at: number): Span {
  return quotedAt(text, at)?.span ?? [at, endBefore(text, at, space | valueEnd)];
}

/** A private key in PEM, or its beginning if the rest is missing. */
function privateKeyAt(text: Text, at: number): Span | undefined {
  if (!/^-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/.test(text.slice(at, at + 80)))
    return undefined;
  for (let end = at + 11; end < text.length; end++) {
    if (text.charCodeAt(end) !== 0x2d || !hasAt(text, end, '-----END ')) continue;
    const line = /^-----END [A-Z0-9 ]{0,60}(?:-----)?/.exec(text.slice(end, end + 75))!;
    return [at, end + line[0].length];
  }
  return [at, text.length];
}
