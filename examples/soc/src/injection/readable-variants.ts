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
    // Capital letters look like Latin ones where small letters do not. The text is compared in small letters.
    ['в', 'b'],
    ['м', 'm'],
    ['н', 'h'],
    ['т', 't'],
    ['к', 'k'],
    ['β', 'b'],
    ['ε', 'e'],
    ['η', 'h'],
    ['μ', 'm'],
    ['τ', 't'],
    ['χ', 'x'],
    ['ζ', 'z'],
    ['ο', 'o'],
    ['ν', 'v'],
    ['α', 'a'],
    ['ι', 'i'],
    ['κ', 'k'],
    ['ρ', 'p'],
    ['υ', 'u'],
  ].map(([from, to]) => [from!, to!]),
);

/** Characters of one text that are searched. Whoever passes a text on to a model must cut it here. */
export const maxSearchedLength = 64 * 1024;

/** The text itself and what it says once invisible characters, look-alike letters and encodings are undone. */
export function readableVariants(original: string): Variant[] {
  const text = original.slice(0, maxSearchedLength);
  const variants = new Map<string, Variant['encoding']>();
  const add = (encoding: Variant['encoding'], readable: string | undefined) => {
    if (readable === undefined) return;
    const collapsed = collapse(readable);
    if (!variants.has(collapsed)) variants.set(collapsed, encoding);
  };
  const visible = withoutInvisible(text);
  add('plain', text);
  add('invisible', visible);
  add('homoglyph', withLatinLetters(visible));
  add('url', decodePercent(text));
  add('html', decodeReferences(text));
  const unwrapped = text.replace(/(?<=[A-Za-z0-9+/]{16})\r?\n(?=[A-Za-z0-9+/])/g, '');
  for (const [piece] of unwrapped.matchAll(/[A-Za-z0-9+/_-]{24,}={0,2}/g))
    add('base64', printable(Buffer.from(piece, 'base64')));
  for (const [piece] of text.matchAll(/(?:[0-9A-Fa-f]{2}){20,}/g))
    add('hex', printable(Buffer.from(piece, 'hex')));
  return [...variants].map(([readable, encoding]) => ({ encoding, text: readable }));
}

/** Full-width and accented letters, and letters of other scripts, as the Latin letters that they look like. */
function withLatinLetters(text: string): string {
  return [...text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()]
    .map((letter) => lookAlikes.get(letter) ?? letter)
    .join('');
}

/** Character references of HTML by number, such as `&#105;`. */
function decodeReferences(text: string): string | undefined {
  if (!/&#x?[0-9a-f]{1,6};/i.test(text)) return undefined;
  return text.replace(/&#(?:x([0-9a-f]{1,6})|(\d{1,7}));/gi, (reference, hex?: string, decimal?: string) => {
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : reference;
  });
}

/** Tag characters (U+E0020 to U+E007E) spell ASCII that no screen shows. */
function withoutInvisible(text: string): string {
  // What is spelled in tag characters is a text of its own, whatever stands before it.
  return [...text.replace(/[\u{e0020}-\u{e007e}]+/gu, ' $& ')]
    .map((character) => {
      const code = character.codePointAt(0)!;
      return code >= 0xe0020 && code <= 0xe007e ? String.fromCodePoint(code - 0xe0000) : character;
    })
    .join('')
    .replace(/\p{Cf}|\p{Variation_Selector}|[\u034f\u115f\u1160\u3164\uffa0]/gu, '');
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
