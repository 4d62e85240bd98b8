/** Edits of one JSON text that keep most of it in order: members, values, numbers, white space, nesting. */

export interface JsonEdit {
  readonly kind: 'value' | 'rename' | 'remove' | 'repeat' | 'add' | 'reverse' | 'space' | 'nest' | 'escape';
  /** Which value, member or place. */
  readonly at: number;
  /** Which replacement. */
  readonly pick: number;
}

export const jsonEditKinds: readonly JsonEdit['kind'][] = [
  'value',
  'rename',
  'remove',
  'repeat',
  'add',
  'reverse',
  'space',
  'nest',
  'escape',
];

/** JSON texts that parsers, languages and this format treat differently. */
const values = [
  '0',
  '-0',
  '1',
  '2',
  '5',
  '1.0',
  '1e0',
  '10e-1',
  '1.5',
  '-1',
  '01',
  '+1',
  '.5',
  '1.',
  '9007199254740991',
  '9007199254740992',
  '9007199254740993',
  '18446744073709551616',
  '1e21',
  '1e400',
  '-1e400',
  '5e-324',
  '0.1e-400',
  'NaN',
  'Infinity',
  'null',
  'true',
  'false',
  'True',
  '""',
  '"1"',
  '"acme"',
  '"Acme"',
  '"acme "',
  '"audit.example.com/acme/1"',
  '"audit.example.com/acme/01"',
  '"audit.example.com/acme/2"',
  '"system.genesis"',
  '"\\u0000"',
  '"\\ud800"',
  '"\\ud83d\\ude00"',
  '"\\udE00\\ud83d"',
  '"é"',
  '"e\u0301"',
  '"\u2028\u2029"',
  '"\ufeff"',
  '"\u{e0041}"',
  '"\u{10ffff}"',
  '"\\/\\b\\f\\n\\r\\t\\""',
  '"\t"',
  "'a'",
  '[]',
  '{}',
  '[null]',
  '["acme"]',
  '["audit.example.com/acme/1"]',
  '{"":""}',
  '{"a":1,"a":2}',
  '{"b":1,"a":2}',
  '{"__proto__":1}',
  '{"\ud83d\ude00":1,"\uffee":2}',
  '{"\uffee":1,"\ud83d\ude00":2}',
  '"2026-03-01T12:00:00.000Z"',
  '"2026-02-30T25:00:00.000Z"',
  `"${'0'.repeat(64)}"`,
  `"${'A'.repeat(64)}"`,
  '[1,]',
  '// comment',
];
const names = [
  'x',
  '',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'tenant_id',
  'event',
  'records',
  '\\u0061',
  '0',
  'é',
];
const spaces = [' ', '\t', '\r', '\f', '\v', '\u00a0', '\u2003', '\ufeff', '\u0000', '  '];
const depths = [1, 2, 30, 990, 996, 997, 998, 999, 1_000, 1_001, 2_500, 10_000, 100_000];

const token = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]/g;

/** Where values begin and end in a JSON text: scalars only. */
function scalarsOf(text: string): { begin: number; end: number; isName: boolean }[] {
  return [...text.matchAll(token)]
    .filter(([part]) => !/^[{}[\],:]$/.test(part))
    .map((match) => {
      const end = match.index + match[0].length;
      return { begin: match.index, end, isName: /^\s*:/.test(text.slice(end, end + 2)) };
    });
}

const choose = <T>(list: readonly T[], at: number): T | undefined => list[at % Math.max(1, list.length)];
const splice = (text: string, begin: number, end: number, by: string) =>
  text.slice(0, begin) + by + text.slice(end);

/** The edited text. A text without a place for the edit stays as it is. */
export function editJson(text: string, { kind, at, pick }: JsonEdit): string {
  const scalars = scalarsOf(text);
  const value = choose(
    scalars.filter(({ isName }) => !isName),
    at,
  );
  const name = choose(
    scalars.filter(({ isName }) => isName),
    at,
  );
  switch (kind) {
    case 'value':
      return value === undefined ? text : splice(text, value.begin, value.end, choose(values, pick)!);
    case 'nest': {
      if (value === undefined) return text;
      const depth = choose(depths, pick)!;
      const [open, close] = pick % 2 === 0 ? ['[', ']'] : ['{"a":', '}'];
      const inner = pick % 3 === 0 ? '' : text.slice(value.begin, value.end);
      const filled = inner === '' && open !== '[' ? '0' : inner;
      return splice(text, value.begin, value.end, open.repeat(depth) + filled + close.repeat(depth));
    }
    case 'rename':
      return name === undefined ? text : splice(text, name.begin, name.end, `"${choose(names, pick)}"`);
    case 'space': {
      const places = [...text.matchAll(token)].map(({ index }) => index);
      const place = choose([...places, text.length], at)!;
      return splice(text, place, place, choose(spaces, pick)!);
    }
    case 'escape': {
      const place =
        value === undefined ? 0 : value.begin + 1 + (pick % Math.max(1, value.end - value.begin - 2));
      const unit = text.charCodeAt(place);
      if (!(unit > 0x20)) return text;
      return splice(text, place, place + 1, `\\u${unit.toString(16).padStart(4, '0')}`);
    }
    default:
      return editMembers(text, kind, at, pick);
  }
}

function editMembers(text: string, kind: JsonEdit['kind'], at: number, pick: number): string {
  const objects = flatObjectsOf(text);
  const object = choose(objects, at);
  if (object === undefined) return text;
  const body = text.slice(object.begin + 1, object.end - 1);
  const members = body.split(/,(?="[^"]*":)/);
  const which = pick % members.length;
  if (kind === 'remove') members.splice(which, 1);
  else if (kind === 'repeat') members.push(members[which]!);
  else if (kind === 'reverse') members.reverse();
  else members.splice(which, 0, `"${choose(names, pick)}":${choose(values, at)}`);
  return splice(text, object.begin + 1, object.end - 1, members.filter(Boolean).join(','));
}

/** Objects, innermost first: each from its brace to the brace that closes it. */
function flatObjectsOf(text: string): { begin: number; end: number }[] {
  const open: number[] = [];
  const found: { begin: number; end: number }[] = [];
  for (const match of text.matchAll(token)) {
    if (match[0] === '{') open.push(match.index);
    else if (match[0] === '}') {
      const begin = open.pop();
      if (begin !== undefined) found.push({ begin, end: match.index + 1 });
    }
  }
  return found;
}
