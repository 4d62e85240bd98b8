import { isProgram, programIn, readOption } from './command-lines.ts';
import { positionalArgument } from './positional-passwords.ts';
import type { SecretNames } from './secret-names.ts';

/** The secrets of a list of arguments, by the index of the argument: from this index of its text on, it is secret. */
export type SecretArguments = ReadonlyMap<number, number>;

const none: SecretArguments = new Map();

/** Names of headers that a list of headers has. */
const knownHeaders =
  /^(?:host|accept|accept-encoding|accept-language|user-agent|content-type|content-length|connection|authorization|proxy-authorization|cookie|set-cookie|x-api-key|origin|referer|date|cache-control|x-forwarded-for|traceparent)$/i;
/** Names of other headers: `X-Auth-Token`, `x-auth-token`, `Private-Token`. */
const customHeader = /^(?:[xX]-[\w-]{1,62}|[A-Z]\w{0,30}(?:-[A-Z0-9]\w{0,30}){1,4})$/;
const lowerCaseHeader = /^[a-z]\w{0,30}(?:-[a-z0-9]\w{0,30}){1,4}$/;
const headerName = /^[!#$%&'*+.^`|~\w-]{1,64}$/;

/**
 * Finds secrets in lists of texts: the arguments of a command (`['mysql', '-pX']`, `['--password', 'X']`) and headers as Node's
 * `rawHeaders` writes them (`['Authorization', 'X', 'Host', 'h']`, `['X-Auth-Token', 'X']`).
 */
export function secretArguments(list: readonly unknown[], names: SecretNames): SecretArguments {
  if (list.length < 2 || !list.every((item) => typeof item === 'string')) return none;
  const options = list.some((item) => item.startsWith('-')) ? secretsOfOptions(list, names) : none;
  const positional = positionalArgument(list);
  if (positional !== undefined) return new Map([...options, [positional, 0]]);
  return options.size === 0 && isHeaderList(list, names) ? secretsOfHeaders(list, names) : options;
}

function secretsOfOptions(list: readonly string[], names: SecretNames): SecretArguments {
  const found = new Map<number, number>();
  let program: string | undefined;
  for (const [index, argument] of list.entries()) {
    // An interpreter that runs a command as a text is scanned as a text; a program is the first argument or follows `sudo`.
    if (!argument.startsWith('-')) {
      program = isProgram(argument) ? argument : (programIn(argument) ?? program);
      continue;
    }
    if (argument.length < 2 || argument.length > 1_000 || argument.includes('=')) continue;
    const reading = readOption(argument, program, names);
    if (reading === undefined) continue;
    const at = 'attachedAt' in reading ? index : index + 1;
    const value = list[at];
    const start = 'attachedAt' in reading ? reading.attachedAt : 0;
    if (value === undefined || value.length === start || value.startsWith('-', start)) continue;
    const joint = reading.after === undefined ? start - 1 : value.indexOf(reading.after, start);
    if (reading.after !== undefined && (joint < 1 || joint + 1 === value.length)) continue;
    found.set(at, joint + 1);
  }
  return found;
}

function secretsOfHeaders(list: readonly string[], names: SecretNames): SecretArguments {
  const found = new Map<number, number>();
  for (let index = 0; index < list.length; index += 2) {
    const value = list[index + 1]!;
    if (names.of(list[index]!) !== 'none' && value !== '') found.set(index + 1, 0);
  }
  return found;
}

function isHeaderList(list: readonly string[], names: SecretNames): boolean {
  if (list.length % 2 !== 0) return false;
  // Few lists have such a header, so this is asked first.
  const isKnown = list.some((item, index) => index % 2 === 0 && isKnownHeader(item));
  if (
    !isKnown &&
    !list.some((item, index) => index % 2 === 0 && isSecretHeader(item, list[index + 1]!, names))
  )
    return false;
  for (let index = 0; index < list.length; index += 2) {
    if (!headerName.test(list[index]!)) return false;
    // A list that only names headers has names in every place.
    const value = list[index + 1]!;
    if (isKnownHeader(value) || (!isKnown && customHeader.test(value))) return false;
  }
  return true;
}

/** Names of options and files are written like headers in lower case, so there the value must look like a secret too. */
function isSecretHeader(name: string, value: string, names: SecretNames): boolean {
  const isHeader =
    customHeader.test(name) ||
    (lowerCaseHeader.test(name) && value.length >= 8 && /\d/.test(value) && !lowerCaseHeader.test(value));
  return isHeader && names.of(name) !== 'none';
}

function isKnownHeader(text: string): boolean {
  return text.length <= 19 && knownHeaders.test(text);
}
