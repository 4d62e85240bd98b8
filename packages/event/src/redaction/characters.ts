/** The part of a string that the scanners read. A test passes an object that counts the reads. */
export type Text = Pick<string, 'length' | 'charCodeAt' | 'slice'>;

/** From the first character of a secret to the one after its last. */
export type Span = readonly [start: number, end: number];

/** Sets of ASCII characters, one bit each. */
export const digit = 1;
export const lower = 2;
export const upper = 4;
export const alphanumeric = digit | lower | upper;
export const hex = 8;
/** Letters, digits, `-` and `_`. */
export const urlSafe = 16;
/** Letters, digits, `-`, `_`, `.` and `~`. */
export const dotted = 32;
/** Letters, digits, `+`, `/`, `=`, `-`, `_` and `.`. */
export const base64 = 64;
/** White space and control characters. */
export const space = 128;
/** What ends a value that is not quoted. */
export const valueEnd = 256;

const sets = new Uint16Array(128);
for (let code = 0; code < 128; code++) {
  const character = String.fromCharCode(code);
  const add = (pattern: RegExp, set: number) => {
    if (pattern.test(character)) sets[code]! |= set;
  };
  add(/[0-9]/, digit);
  add(/[a-z]/, lower);
  add(/[A-Z]/, upper);
  add(/[0-9a-fA-F]/, hex);
  add(/[\w-]/, urlSafe);
  add(/[\w.~-]/, dotted);
  add(/[\w.+/=-]/, base64);
  add(/[\0- \x7f]/, space);
  add(/[\0- \x7f"'`,;&|)}\]<>]/, valueEnd);
}

/** The sets that contain the character at an index; 0 outside the text and for characters outside ASCII. */
export function setsAt(text: Text, at: number): number {
  // Outside the text the code is NaN, and the comparison is false.
  const code = text.charCodeAt(at);
  return code < 128 ? sets[code]! : 0;
}

/** The first index from `at` whose character is not in the set, at most `limit`. */
export function endOfRun(text: Text, at: number, set: number, limit = text.length): number {
  let end = at;
  while (end < limit && (setsAt(text, end) & set) !== 0) end++;
  return end;
}

/** The first index from `at` whose character is in the set, at most `limit` and the end of the text. */
export function endBefore(text: Text, at: number, set: number, limit = text.length): number {
  const last = Math.min(limit, text.length);
  let end = at;
  while (end < last && (setsAt(text, end) & set) === 0) end++;
  return end;
}

/** All sets that have a member in the span: shows whether a text contains a digit, for example. */
export function setsIn(text: Text, [start, end]: Span): number {
  let all = 0;
  for (let at = start; at < end; at++) all |= setsAt(text, at) & (alphanumeric | hex);
  return all;
}

/** Whether the text has these characters at the index. */
export function hasAt(text: Text, at: number, expected: string): boolean {
  for (let index = 0; index < expected.length; index++) {
    if (text.charCodeAt(at + index) !== expected.charCodeAt(index)) return false;
  }
  return true;
}
