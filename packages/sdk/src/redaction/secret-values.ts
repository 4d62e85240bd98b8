/**
 * Patterns of secrets within text. An attacker can choose the text, so each pattern takes linear time: no repetition contains
 * another one.
 */

/** The whole match is the secret. */
export const secretPatterns: readonly RegExp[] = [
  /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|$)/g,
  /(?<![A-Za-z0-9])eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*){1,3}/g,
  /(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])/g,
  /(?<![A-Za-z0-9])gh[opsur]_[A-Za-z0-9]{30,}/g,
  /(?<![A-Za-z0-9])github_pat_\w{22,}/g,
  /(?<![A-Za-z0-9])glpat-[\w-]{20,}/g,
  /(?<![A-Za-z0-9])xox[abeoprs]-[\w-]{10,}/g,
  /(?<![A-Za-z0-9])hooks\.slack\.com\/services\/[\w/]{20,}/g,
  /(?<![A-Za-z0-9])AIza[\w-]{35}/g,
  /(?<![A-Za-z0-9])ya29\.[\w-]{20,}/g,
  /(?<![A-Za-z0-9])[rs]k_(?:live|test)_[A-Za-z0-9]{16,}/g,
  /(?<![A-Za-z0-9])sk-[\w-]{20,}/g,
  /(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}/g,
  /(?<![A-Za-z0-9])pypi-[\w-]{50,}/g,
  /(?<![A-Za-z0-9])SG\.[\w-]{16,}\.[\w-]{16,}/g,
  /(?<![A-Za-z0-9])hv[bs]\.[\w-]{24,}/g,
  /(?<![A-Za-z0-9])dop_v1_[a-f0-9]{64}/g,
  /(?<![A-Za-z0-9])whsec_[\w+/=-]{20,}/g,
  /(?<![A-Za-z0-9])shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}/g,
  /(?<![A-Za-z0-9])tally_[a-f0-9]{12}_[a-f0-9]{64}/g,
];

/** The text between a secret's name and the secret. In JSON within JSON, quotes are escaped. */
const assigned = String.raw`(?:\\{0,7}["'])?\s{0,4}(?::=|=>|[:=])\s{0,4}`;
const named =
  'password|passwd|pwd|passphrase|secret|token|api[_-]?key|access[_-]?key|account[_-]?key|private[_-]?key|credentials?';

/** The second group is the secret. The first and third group are the text around it, which is kept. */
const framedPatterns: readonly RegExp[] = [
  // scheme://user:password@host; a password may contain @
  /(\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@"']{0,100}:)([^\s/"']{1,200})(@)/gi,
  // https://token@host
  /(\bhttps?:\/\/)([\w.~%-]{20,200})(@)/gi,
  /(\b(?:bearer|basic)\s{1,4})([\w.~+/-]{12,}=*)()/gi,
  // A quoted secret ends at the closing quote; it may contain spaces and commas. The third pattern is for JSON within JSON.
  new RegExp(
    String.raw`((?:${named}|authorization|cookie)${assigned}")((?:[^"\\\r\n]|\\.){1,4000})(")`,
    'gi',
  ),
  new RegExp(
    String.raw`((?:${named}|authorization|cookie)${assigned}')((?:[^'\\\r\n]|\\.){1,4000})(')`,
    'gi',
  ),
  new RegExp(
    String.raw`((?:${named}|authorization|cookie)${assigned}\\{1,7}")((?:[^"\\\r\n]|\\(?!\\{0,6}")){1,4000})(\\{1,7}")`,
    'gi',
  ),
  // password=…, Api-Key: …, AccountKey=…; and in a query: ?access_token=…
  new RegExp(String.raw`((?:${named})${assigned}["']?)([^\s"',;&)}\]]{6,})()`, 'gi'),
  // Cookie: a=…; b=…
  /(\b(?:set-)?cookie:\s{0,4})([\w.-]{1,100}=[^\r\n"']{1,4000})()/gi,
  /(\bauthorization:\s{0,4}(?:(?:token|api-?key|key|negotiate|ntlm)\s{1,4})?)([^\s"',;]{16,4000})()/gi,
  // A signed URL grants access until it expires.
  /([?&](?:sig|x-amz-signature|x-goog-signature)=)([\w%+/=-]{16,})()/gi,
  // <password>…</password>
  /(<[\w.:-]{0,60}(?:password|passwd|passphrase|secret|token|api[_-]?key)(?:\s[^<>]{0,200})?>)([^<\s][^<]{0,4000})()/gi,
];

/** Thirteen to nineteen digits, possibly with spaces or hyphens between them, that are not part of a longer word. */
const cardLike = /(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])/g;

/** Prefixes of card issuers. Without this test, one in ten long numbers would count as a card number. */
const issuer = /^(?:4|5[1-5]|2[2-7]|3[47]|3[068]|35|6011|64[4-9]|65|62)/;

export function isCardNumber(text: string): boolean {
  const digits = text.replace(/[ -]/g, '');
  if (!/^\d{13,19}$/.test(digits) || !issuer.test(digits) || /^(\d)\1+$/.test(digits)) return false;
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 48;
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** The text with every secret replaced; the same string if it contains none. */
export function censorText(
  text: string,
  patterns: readonly RegExp[],
  censor: (secret: string) => string,
): string {
  let clean = text;
  for (const pattern of patterns) clean = clean.replace(pattern, (secret) => censor(secret));
  for (const pattern of framedPatterns) {
    clean = clean.replace(pattern, (whole, before: string, secret: string, after: string) =>
      secret.startsWith('[REDACTED') || secret.startsWith('hmac:') ? whole : before + censor(secret) + after,
    );
  }
  return clean.replace(cardLike, (digits) => (isCardNumber(digits) ? censor(digits) : digits));
}

/**
 * Every match of {@link secretPatterns}, every bearer token and every card number contains a match of this pattern. It
 * distinguishes upper and lower case, which is much faster.
 */
const hint =
  /eyJ|A[KSBC][IC]A|gh[opsur]_|github_pat_|glpat-|xox|hooks\.slack|AIza|ya29\.|k_(?:live|test)_|sk-|npm_|pypi-|SG\.|hv[bs]\.|dop_v1_|whsec_|shp[acps][ats]_|tally_|PRIVATE KEY|[Bb](?:earer|asic|EARER|ASIC)\s|\d[ -]?\d[ -]?\d[ -]?\d(?:[ -]?\d){9}/;
const minSecretLength = 9;

/** A quick test whether a text may contain a secret. Most texts do not, and need no further search. */
export function mayContainSecret(text: string): boolean {
  if (text.length < minSecretLength) return false;
  return hint.test(text) || (/[=:<]/.test(text) && frameHint.test(text));
}

/** Every match of {@link framedPatterns} except a bearer token contains a match of this pattern. */
const frameHint =
  /:\/\/[^\s"']{0,320}@|(?:pass|pwd|secret|token|key|credential)\w{0,6}(?:\\{0,7}["'])?\s{0,4}[:=>]|(?:authorization|cookie)(?:\\{0,7}["'])?\s{0,4}[:=]|sig(?:nature)?=|(?:pass|secret|token|key)\w{0,6}\s[^<>]{0,200}>/i;
