/** Strings that are kept while an event waits: detached from larger texts, and quoted as JSON. */
import { quote } from './write-json.ts';

/** A string that does not keep a larger one in memory; see {@link detachString}. */
export type DetachedString = string;

/** V8 copies a substring that is shorter than this. A longer substring keeps the whole original text in memory. */
const shortestSlice = 13;

/**
 * The same text as a string of its own. An identifier that was cut from a request's body would otherwise keep the whole
 * body in memory while the event waits, and the buffer's limit would not count it.
 */
export function detachString(text: string): DetachedString {
  return text.length < shortestSlice ? text : ` ${text}`.slice(1);
}

/** Printable ASCII without the two characters that JSON escapes, so that quotes around it make it JSON. */
const needsNoEscape = /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/;

/** JSON text of an identifier. */
export function quoteIdentifier(text: DetachedString): string {
  return isUnescaped(text) ? `"${text}"` : quote(text);
}

/** For a short text, a loop takes a third of the time of the regular expression. */
function isUnescaped(text: string): boolean {
  if (text.length > 32) return needsNoEscape.test(text);
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x20 || unit > 0x7e || unit === 0x22 || unit === 0x5c) return false;
  }
  return text.length > 0;
}
