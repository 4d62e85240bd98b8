/** Edits of lines and letters: of a bundle, of a note, or of a receipt. */

export interface TextEdit {
  readonly kind:
    | 'drop'
    | 'repeat'
    | 'swap'
    | 'cut'
    | 'insert'
    | 'letter'
    | 'digit'
    | 'remove letter'
    | 'line end';
  readonly at: number;
  readonly pick: number;
}

export const textEditKinds: readonly TextEdit['kind'][] = [
  'drop',
  'repeat',
  'swap',
  'cut',
  'insert',
  'letter',
  'digit',
  'remove letter',
  'line end',
];

const lines = [
  '',
  ' ',
  '{}',
  '[]',
  '{"record":}',
  '{"record":{}}',
  '{ "record":{"from":1,"hashes":[],"to":1}}',
  '{"record":{"from":1,"hashes":[],"to":1}}',
  '{"proof":{"index":0,"hashes":[]}}',
  '{"consistency":{"from":1,"to":1,"hashes":[]}}',
  '{"consistency":{"from":5,"to":5,"hashes":[]}}',
  '{"consistency":{"from":3,"to":5,"hashes":[]}}',
  '{"key":"audit.example.com/acme/1+7390937c+AaV+RfEg3kkdC8BX1jnFGWNfdPNiYEh79bWs2cEUdPAk"}',
  '{"key":" audit.example.com/acme/1+7390937c+AaV+RfEg3kkdC8BX1jnFGWNfdPNiYEh79bWs2cEUdPAk"}',
  '{"end":{"records":0,"lines":0,"sha256":""}}',
  'extra AQID',
  'index 0',
  '— audit.example.com/acme/1 AAAAAAA=',
  '— witness.example.com AAAAAAAA',
  '— \u3000 AAAAAAAA',
  'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
];
const letters = [
  ...'01a"{}[],:+/=- \\\u0000\u001f\u007f\u0085é\u00a0\u2028\ufeff',
  '\u{1f600}',
  '\u{e0041}',
  '\r',
  '\t',
];
const lineEnds = ['\r\n', '\n\n', '\u2028', '\r', ''];

/** The edited lines. A text without a place for the edit stays as it is. */
export function editText(text: string, { kind, at, pick }: TextEdit): string {
  const all = text.split('\n');
  const place = at % all.length;
  const line = all[place]!;
  const letter = pick % Math.max(1, line.length);
  switch (kind) {
    case 'drop':
      return all.toSpliced(place, 1).join('\n');
    case 'repeat':
      return all.toSpliced(pick % (all.length + 1), 0, line).join('\n');
    case 'swap': {
      const other = pick % all.length;
      return all.with(place, all[other]!).with(other, line).join('\n');
    }
    case 'cut':
      return [...all.slice(0, place), line.slice(0, letter)].join('\n');
    case 'insert':
      return all.toSpliced(place, 0, lines[pick % lines.length]!).join('\n');
    case 'letter':
      return all
        .with(place, line.slice(0, letter) + letters[at % letters.length] + line.slice(letter + (pick % 2)))
        .join('\n');
    case 'remove letter':
      return all.with(place, line.slice(0, letter) + line.slice(letter + 1)).join('\n');
    case 'digit':
      return all
        .with(
          place,
          line.replace(/\d/g, (digit, index) =>
            index % 7 === pick % 7 ? String((Number(digit) + at) % 10) : digit,
          ),
        )
        .join('\n');
    case 'line end': {
      const end = lineEnds[pick % lineEnds.length]!;
      return all
        .map((one, index) => (index === all.length - 1 ? one : one + (index === place ? end : '\n')))
        .join('');
    }
  }
}
