import { alphanumeric, digit, endOfRun, type Span, setsAt, type Text } from './characters.ts';

/** Prefixes of card issuers. Without this test, one in ten long numbers would count as a card number. */
const issuer = /^(?:4|5[1-5]|2[2-7]|3[47]|3[068]|35|6011|64[4-9]|65|62)/;

export function isCardNumber(text: string): boolean {
  const digits = text.replace(/[ -]/g, '');
  if (!/^\d{13,19}$/.test(digits) || !issuer.test(digits) || /^(\d)\1+$/.test(digits)) return false;
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const value = digits.charCodeAt(digits.length - 1 - index) - 48;
    const doubled = index % 2 === 1 ? value * 2 : value;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** Thirteen to nineteen digits, possibly with single spaces or hyphens between them, that are not part of a longer word. */
export function cardNumberAt(text: Text, at: number): Span | undefined {
  if (isPartOfWord(text, at - 1) || text.charCodeAt(at - 1) === 0x2e) return undefined;
  let count = 0;
  let end = at;
  for (let next = at; next < at + 40; next++) {
    if ((setsAt(text, next) & digit) !== 0) {
      count++;
      end = next + 1;
    } else {
      const code = text.charCodeAt(next);
      if ((code !== 0x20 && code !== 0x2d) || end !== next) break;
    }
  }
  if (count < 13 || count > 19 || isPartOfWord(text, end)) return undefined;
  return isCardNumber(text.slice(at, end)) ? [at, end] : undefined;
}

function isPartOfWord(text: Text, at: number): boolean {
  const code = text.charCodeAt(at);
  return (setsAt(text, at) & alphanumeric) !== 0 || code === 0x5f || code === 0x2d;
}

const before =
  /(?:^|[^a-z])(?:t?otp|one[- ]time[- ](?:code|password|passcode|pin)|(?:verification|security|login|log-in|sign-?in|authentication|auth|confirmation|access|2fa|mfa|sms|pin|recovery|backup|activation|reset) code|passcode|pin|tan|(?:use|enter|your)(?: the)? code)(?: (?:is|was|of|for [\w@.+-]{1,20}|number|code))?[ :=#"'-]{1,3}$/i;
const after = /^ is (?:your|the|my) [\w ]{0,24}(?:code|pin|otp|passcode)(?![a-z])/i;

/** A one-time code or a PIN in a sentence: `your code is 482913`, `PIN: 4821`, `482913 is your login code`. */
export function oneTimeCodeAt(text: Text, at: number): Span | undefined {
  if (isPartOfWord(text, at - 1) && text.charCodeAt(at - 1) !== 0x2d) return undefined;
  let end = endOfRun(text, at, digit, at + 9);
  if (end - at === 3 && (text.charCodeAt(end) === 0x2d || text.charCodeAt(end) === 0x20)) {
    const second = endOfRun(text, end + 1, digit, end + 5);
    if (second - end === 4) end = second;
  }
  if (end - at < 4 || end - at > 8 || isPartOfWord(text, end)) return undefined;
  const isCode = before.test(text.slice(Math.max(0, at - 60), at)) || after.test(text.slice(end, end + 50));
  return isCode ? [at, end] : undefined;
}
