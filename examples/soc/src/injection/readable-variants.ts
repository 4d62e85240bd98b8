import type { InjectionSign } from '../platform/alert.ts';

/** A text as a model could read it, after a disguise was taken off. */
export interface Variant {
  readonly encoding: InjectionSign['encoding'];
  readonly text: string;
}

/** Letters of other scripts that look like Latin letters. Unicode has many more (UTS 39); these occur in attacks. */
const lookAlikes = new Map(
  [
    ['а', 'a'],
    ['с', 'c'],
    ['е', 'e'],
    ['һ', 'h'],
    ['і', 'i'],
    ['ј', 'j'],
    ['о', 'o'],
    ['р', 'p'],
    ['ѕ', 's'],
    ['у', 'y'],
    ['х', 'x'],
    ['ο', 'o'],
    ['ν', 'v'],
    ['α', 'a'],
    ['ι', 'i'],
    ['κ', 'k'],
    ['ρ', 'p'],
    ['υ', 'u'],
  ].map(([from, to]) => [from!, to!]),
);

const maxTextLength = 64 * 1024;
/** Encoded pieces of one text that are decoded. */
const maxPieces = 50;

/** The text itself and what it says once invisible characters, look-alike letters and encodings are undone. */
export function readableVariants(original: string): Variant[] {
  const text = original.slice(0, maxTextLength);
  const variants: Variant[] = [{ encoding: 'plain', text: collapse(text) }];
  const add = (encoding: Variant['encoding'], readable: string | undefined) => {
    if (readable === undefined) return;
    const collapsed = collapse(readable);
    if (!variants.some((variant) => variant.text === collapsed)) variants.push({ encoding, text: collapsed });
  };
  add('invisible', withoutInvisible(text));
  add('homoglyph', [...text.normalize('NFKC')].map((letter) => lookAlikes.get(letter) ?? letter).join(''));
  add('url', decodePercent(text));
  for (const [piece] of firstMatches(text, /[A-Za-z0-9+/_-]{24,}={0,2}/g))
    add('base64', printable(Buffer.from(piece, 'base64')));
  for (const [piece] of firstMatches(text, /(?:[0-9A-Fa-f]{2}){20,}/g))
    add('hex', printable(Buffer.from(piece, 'hex')));
  return variants;
}

function firstMatches(text: string, expression: RegExp): RegExpExecArray[] {
  return [...text.matchAll(expression)].slice(0, maxPieces);
}

/** Tag characters (U+E0020 to U+E007E) spell ASCII that no screen shows. */
function withoutInvisible(text: string): string {
  return [...text]
    .map((character) => {
      const code = character.codePointAt(0)!;
      return code >= 0xe0020 && code <= 0xe007e ? String.fromCodePoint(code - 0xe0000) : character;
    })
    .join('')
    .replace(/\p{Cf}|\u115f|\u1160|\u3164|\uffa0/gu, '');
}

function decodePercent(text: string): string | undefined {
  if (!/%[0-9A-Fa-f]{2}/.test(text)) return undefined;
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (piece) =>
    Buffer.from(piece.replaceAll('%', ''), 'hex').toString('utf8'),
  );
}

/** The decoded text, if nearly all of it can be read. Random letters decode to noise. */
function printable(bytes: Buffer): string | undefined {
  for (const encoding of ['utf8', 'utf16le'] as const) {
    const text = bytes.toString(encoding);
    const noise = text.match(/[^\p{L}\p{N}\p{P}\p{S}\p{Zs}\n\r\t]/gu)?.length ?? 0;
    // UTF-16 of random bytes is mostly letters of rare scripts, so it must contain ordinary words.
    const plausible = encoding === 'utf8' ? !text.includes('\ufffd') : /[a-z]{3,} [a-z]{2,}/i.test(text);
    if (text.length > 0 && noise / text.length < 0.05 && plausible) return text;
  }
  return undefined;
}

/** One space between words, so that line breaks and tabs do not hide a sentence. */
function collapse(text: string): string {
  return text.replace(/\s+/g, ' ');
}
