import {
  alphanumeric,
  dotted,
  endOfRun,
  hasAt,
  lower,
  type Span,
  setsAt,
  setsIn,
  space,
  type Text,
  upper,
} from './characters.ts';

/** As many characters of an address are searched for credentials. */
const maxCredentials = 320;

/** `scheme://user:password@host` and `https://token@host`. @param at index of the colon */
export function credentialsInUrl(text: Text, at: number): Span | undefined {
  if (!hasAt(text, at, '://') || (setsAt(text, at - 1) & alphanumeric) === 0) return undefined;
  const start = at + 3;
  let colon = -1;
  let sign = -1;
  let path = -1;
  for (let end = start; end < start + maxCredentials && end < text.length; end++) {
    const code = text.charCodeAt(end);
    if ((setsAt(text, end) & space) !== 0 || code === 0x22 || code === 0x27 || code === 0x3c || code === 0x3e)
      break;
    // A password may contain /, ? and #, although it should be escaped. A port is a number.
    if ((code === 0x2f || code === 0x3f || code === 0x23) && path < 0) {
      path = end;
      if (sign >= 0 || colon < 0 || isPort(text, colon, end)) break;
    }
    if (code === 0x3a && colon < 0) colon = end;
    if (code === 0x40) {
      sign = end;
      if (path >= 0) break;
    }
  }
  if (sign < 0) return undefined;
  if (colon >= 0 && colon < sign)
    return isMask(text, colon + 1) || colon + 1 === sign ? undefined : [colon + 1, sign];
  const isToken = colon < 0 && sign - start >= 20 && endOfRun(text, start, dotted, sign) === sign;
  return isToken ? [start, sign] : undefined;
}

function isPort(text: Text, colon: number, end: number): boolean {
  return end > colon + 1 && (setsIn(text, [colon + 1, end]) & (lower | upper)) === 0;
}

function isMask(text: Text, at: number): boolean {
  return (
    hasAt(text, at, '[REDACTED') ||
    hasAt(text, at, 'hmac:') ||
    hasAt(text, at, '***') ||
    hasAt(text, at, '${') ||
    hasAt(text, at, '<')
  );
}

const networks = ['tcp(', 'tcp6(', 'unix(', 'cloudsql(', '(', '/'];

/**
 * Addresses without a scheme: `user:password@tcp(host)/name` of Go's MySQL driver, `user/password@//host` and
 * `user/password@host:1521/name` of Oracle's clients.
 *
 * @param at index of the @
 */
export function credentialsBefore(text: Text, at: number, program: string | undefined): Span | undefined {
  const isGo = networks.some((network) => hasAt(text, at + 1, network));
  const isOracle = hasAt(text, at + 1, '//') || program === 'sqlplus' || program === 'oracle';
  if (!isGo && !isOracle) return undefined;
  for (let start = at - 1; start > Math.max(0, at - 128); start--) {
    const code = text.charCodeAt(start);
    if ((setsAt(text, start) & space) !== 0 || code === 0x22 || code === 0x27) return undefined;
    const isJoint = (isOracle && code === 0x2f) || (isGo && !hasAt(text, at + 1, '//') && code === 0x3a);
    if (!isJoint || (setsAt(text, start - 1) & alphanumeric) === 0) continue;
    return start + 1 === at || isMask(text, start + 1) ? undefined : [start + 1, at];
  }
  return undefined;
}

/** Longest tag that is read. */
const maxTag = 330;

/** The beginning of a tag with a content. */
interface Tag {
  readonly name: string;
  /** Its attribute `name` or `key`: `<property name="db.password">`. */
  readonly label: string | undefined;
  readonly contentStart: number;
}

/** `<password>…</password>`. @param at index of the < */
export function taggedAt(text: Text, at: number): Tag | undefined {
  if ((setsAt(text, at + 1) & alphanumeric) === 0) return undefined;
  const head = /^<(?:[\w.-]{1,60}:)?([\w.-]{1,60})(\s[^<>]{0,200})?>/.exec(text.slice(at, at + maxTag));
  if (head === null || head[2]?.endsWith('/')) return undefined;
  const label = /\s(?:name|key)=["']([^"']{1,100})["']/.exec(head[2] ?? '')?.[1];
  return { name: head[1]!, label, contentStart: at + head[0].length };
}

/** The content of a tag, up to the next tag. A sentence after `List<Secret>` is not one. */
export function contentOfTag(text: Text, start: number): Span | undefined {
  if (start >= text.length || (setsAt(text, start) & space) !== 0 || text.charCodeAt(start) === 0x3c)
    return undefined;
  let end = start;
  while (end < text.length && text.charCodeAt(end) !== 0x3c) end++;
  return isMask(text, start) ? undefined : [start, end];
}
